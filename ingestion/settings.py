"""Settings of the pipeline, read from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

REPOSITORY = Path(__file__).resolve().parent.parent
BEIJING = ZoneInfo("Asia/Shanghai")


class SettingsError(RuntimeError):
    """A setting is missing or can't be used; the message says which and what to do."""


@dataclass(frozen=True)
class Settings:
    """Where things are and what the clock says. Paths are absolute; the landing root may be the URL of a store.

    Secrets are not shown.
    """

    database_url: str = field(repr=False)
    landing_dir: Path | str
    spool_dir: Path
    heads_dir: Path
    reports_dir: Path
    sources_dir: Path
    seeds_dir: Path
    business_date: date
    pseudonym_key: str | None = field(repr=False)
    retired_pseudonym_keys: tuple[str, ...] = field(repr=False, default=())

    @classmethod
    def from_env(cls) -> Settings:
        """Read FUND_* variables; only FUND_DATABASE_URL has no default. An empty value counts as unset.

        FUND_DATABASE_URL, FUND_PSEUDONYM_KEY and FUND_PSEUDONYM_KEYS_RETIRED (keys separated by blanks or lines) may
        also lie in files, named by the same variables with `_FILE`.
        """
        local = local_dir()
        return cls(
            database_url=_database_url("FUND_DATABASE_URL"),
            landing_dir=landing_root(os.environ.get("FUND_LANDING_DIR") or str(local / "landing")),
            spool_dir=local / "spool",
            heads_dir=_path("FUND_HEADS_DIR", local / "heads"),
            reports_dir=reports_dir(),
            sources_dir=_path("FUND_SOURCES_DIR", REPOSITORY / "ingestion" / "sources"),
            seeds_dir=_path("FUND_SEEDS_DIR", REPOSITORY / "dbt_project" / "seeds"),
            business_date=_date("FUND_BUSINESS_DATE"),
            pseudonym_key=secret("FUND_PSEUDONYM_KEY", os.environ),
            retired_pseudonym_keys=tuple((secret("FUND_PSEUDONYM_KEYS_RETIRED", os.environ) or "").split()),
        )


def local_dir() -> Path:
    """What this machine keeps for itself: FUND_LOCAL_DIR, or `.local` beside the code."""
    return _path("FUND_LOCAL_DIR", REPOSITORY / ".local")


def landing_root(value: str) -> Path | str:
    """A landing root as it was given: a folder, also by `file://`, as an absolute path, every other URL as it is."""
    value = re.sub(r"^(file|local)://", "", value)
    return value if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", value) else Path(value).expanduser().absolute()


def reports_dir() -> Path:
    """Where reports are written and served from: FUND_REPORTS_DIR, or `reports` in the local directory."""
    return _path("FUND_REPORTS_DIR", local_dir() / "reports")


def secret(name: str, variables: Mapping[str, str]) -> str | None:
    """The value of `name`, or what stands in the file that `<name>_FILE` names; None when neither is set.

    SettingsError when both are set, and when the file can't be read or is empty; what is in it is never repeated.
    """
    value, file = variables.get(name), variables.get(f"{name}_FILE")
    if not file:
        return value or None
    if value:
        raise SettingsError(f"{name} and {name}_FILE are both set; unset one of them")
    try:
        text = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(f"{name}_FILE={file} can't be read: {reason}") from None
    if not text:
        raise SettingsError(f"{name}_FILE={file} is empty")
    return text


def beijing_today() -> date:
    """Today's date where the funds are."""
    return datetime.now(BEIJING).date()


def _database_url(name: str) -> str:
    """A PostgreSQL URL; a faulty one is not repeated in the message, for it may hold a password."""
    value = secret(name, os.environ)
    fault = "is not set" if not value else "is not the URL of a PostgreSQL database"
    if not value or not re.match(r"postgres(ql)?(\+\w+)?://", value):
        raise SettingsError(f"{name} {fault}; for example {name}=postgresql://user:password@host:5432/database")
    return value


def _path(name: str, default: Path) -> Path:
    value = os.environ.get(name)
    return Path(value).expanduser().absolute() if value else default


def _date(name: str) -> date:
    value = os.environ.get(name)
    if not value:
        return beijing_today()
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise SettingsError(f"{name}={value!r} is not a date of the form YYYY-MM-DD") from None
