"""The files of ./secrets that docker-compose.yml hands to its services: random, made once, never overwritten.

Addresses hold the passwords of the servers' own start scripts, so that each password stands in one place only.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path


def _random() -> str:
    return secrets.token_hex(24)


def _key() -> str:
    return secrets.token_hex(32)


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _database_url(scheme: str, name: str) -> Callable[[], str]:
    return lambda: f"{scheme}://{name}:{_random()}@postgres:5432/{name}"


FILES: dict[str, Callable[[], str]] = {
    "postgres_password": _random,
    "fund_database_url": _database_url("postgresql", "merged_fund"),
    "fund_pseudonym_key": _key,
    "airflow_database_url": _database_url("postgresql+psycopg2", "airflow"),
    "airflow_fernet_key": _fernet_key,
    "airflow_secret_key": _key,
    "airflow_jwt_secret": _key,
    "airflow_admin_password": lambda: secrets.token_urlsafe(15),
    "celery_broker_url": lambda: f"redis://:{_random()}@redis:6379/0",
    # Nobody can read reports until somebody is added.
    "reports_users": lambda: "# one reader a line, name:hash; to add one: see docs/deployment.md",
}


def write(folder: Path) -> list[str]:
    """Make the files that are missing; returns their names.

    The folder is closed to others (0700) and the files are readable (0444): containers get single files mounted, as
    they are, and run as users that the host does not know.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    missing = [name for name in FILES if not (folder / name).exists()]
    for name in missing:
        _write(folder / name, FILES[name]() + "\n")
    return missing


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    draft.chmod(0o644 if path.name == "reports_users" else 0o444)
    draft.replace(path)
