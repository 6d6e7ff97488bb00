"""Sending: by SMTP with Airflow's own hook, by HTTP with the client that Airflow brings along."""

from __future__ import annotations

import hashlib
import smtplib

from reporting.alerts import forms
from reporting.alerts.digest import Digest, subject
from reporting.alerts.routes import Route, connection

TIMEOUT_S = 30


class NotSentError(RuntimeError):
    """A digest did not get through; the message says why, without address, recipient or secret."""


def send(route: Route, digest: Digest, link: str) -> None:
    """Send a digest; NotSentError when it was not taken."""
    if route.channel == "email":
        _send_email(route, digest, link)
    else:
        _send_webhook(route, digest, link)


def content_sha256(route: Route, digest: Digest, link: str) -> str:
    """Hash of what `send` sends."""
    if route.channel == "email":
        content = f"{subject(digest)}\n{forms.html(digest, link)}".encode()
    else:
        content = forms.encoded(forms.body(digest, link, _form(route)))
    return hashlib.sha256(content).hexdigest()


def _send_email(route: Route, digest: Digest, link: str) -> None:
    from airflow.providers.smtp.hooks.smtp import SmtpHook  # noqa: PLC0415 - several seconds, and only for who sends

    try:
        with SmtpHook(smtp_conn_id=route.connection_id) as hook:
            hook.send_email_smtp(
                to=list(route.recipients), subject=subject(digest), html_content=forms.html(digest, link)
            )
    except smtplib.SMTPResponseException as error:
        raise NotSentError(f"{type(error).__name__} {error.smtp_code}") from error
    except Exception as error:  # the hook raises what its parts do; whatever it is, the digest was not sent
        raise NotSentError(type(error).__name__) from error


def _send_webhook(route: Route, digest: Digest, link: str) -> None:
    import httpx  # noqa: PLC0415 - only who sends needs it

    found = connection(route.connection_id)
    if found is None:
        raise NotSentError("no connection")
    form, secret = _form(route), found.extra_dejson.get("secret_parameter")
    login = (found.login, found.password or "") if found.login and not secret else None
    try:
        answer = httpx.post(
            _url(route),
            content=forms.encoded(forms.body(digest, link, form)),
            headers={"Content-Type": "application/json; charset=utf-8"},
            params={secret: found.password or ""} if secret else None,
            auth=login,
            timeout=TIMEOUT_S,
        )
    except httpx.HTTPError as error:
        raise NotSentError(type(error).__name__) from None
    except Exception as error:  # an address that can't be read, for one
        raise NotSentError(type(error).__name__) from None
    if not answer.is_success:
        raise NotSentError(f"HTTP {answer.status_code}")
    _check_bot(answer.content, form)


def _check_bot(content: bytes, form: str) -> None:
    """Group bots answer 200 whatever has happened, and say so in `errcode`."""
    import json  # noqa: PLC0415

    if form == "json":
        return
    try:
        code = json.loads(content)["errcode"]
    except (ValueError, KeyError, TypeError):
        raise NotSentError("unreadable answer") from None
    if code != 0:
        raise NotSentError(f"errcode {code}")


def _form(route: Route) -> str:
    found = connection(route.connection_id)
    return str((found.extra_dejson.get("form") if found else None) or "json")


def _url(route: Route) -> str:
    """Address of a webhook: the host may be a whole URL, as Airflow's HTTP connections have it."""
    found = connection(route.connection_id)
    assert found is not None
    host = found.host or ""
    scheme = found.schema or (found.conn_type if found.conn_type in ("http", "https") else "https")
    base = host if "://" in host else f"{scheme}://{host}" + (f":{found.port}" if found.port else "")
    path = str(found.extra_dejson.get("path") or "")
    return f"{base.rstrip('/')}/{path.lstrip('/')}" if path else base
