"""Data Docs: the pages that Great Expectations makes of its own results, with nothing that has to be fetched.

The check keeps what Great Expectations returned of the newest runs in `quality.validation_document`; here its site
builder turns that into `data_docs/` in the folder of reports. Pages that are there already are not made again, and
without a new one Great Expectations is not even imported.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ingestion.database import Connection
from reporting import assets
from reporting.data_docs.stored import Page, load_documents, pages, version
from reporting.files import replace_file

__all__ = ["FOLDER", "INDEX", "write"]

FOLDER = "data_docs"
INDEX = f"{FOLDER}/index.html"
PACKAGES = ("bootstrap",)

# What the pages in the folder were made of and by; not served.
_MADE = "made.json"


def write(connection: Connection, folder: Path) -> list[Path]:
    """Bring `folder`/data_docs up to the documents in the database; returns the files that are new.

    Files are replaced one by one, the index last, then what is no longer listed is removed. Nothing is written as
    long as no run has left a document. Raises RuntimeError when a page could not be made.
    """
    listed = pages(connection)
    target = folder / FOLDER
    made = {"version": version(), "pages": sorted(page.path for page in listed)}
    if not listed or (_made(target) == made and all((target / page.path).is_file() for page in listed)):
        return []
    missing = _missing(target, listed, str(made["version"]))
    assets.install(folder, PACKAGES)
    written = _build(connection, target, listed, missing)
    replace_file(target / _MADE, json.dumps(made, indent=1).encode())
    _remove_others(target, {*(page.path for page in listed), "index.html", _MADE})
    return written


def _made(target: Path) -> dict[str, object]:
    try:
        made: dict[str, object] = json.loads((target / _MADE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return made


def _missing(target: Path, listed: Sequence[Page], current: str) -> list[Page]:
    """Pages to make: all of them when the program that made the others was another."""
    if _made(target).get("version") != current:
        return list(listed)
    return [page for page in listed if not (target / page.path).is_file()]


def _build(connection: Connection, target: Path, listed: Sequence[Page], missing: Sequence[Page]) -> list[Path]:
    """The site is built beside the old one: readers never meet a page that is half written."""
    from reporting.data_docs.site import build  # noqa: PLC0415 - imports Great Expectations: seconds

    documents = load_documents(connection, missing)
    with TemporaryDirectory(prefix="data_docs.") as scratch:
        site = Path(scratch)
        build(site, listed, documents)
        return [replace_file(target / name, (site / name).read_bytes()) for name in _index_last(missing)]


def _index_last(missing: Sequence[Page]) -> list[str]:
    return [*(page.path for page in missing), "index.html"]


def _remove_others(target: Path, wanted: set[str]) -> None:
    """Pages of dropped runs, and the folders they leave empty."""
    for path in sorted(target.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(target).as_posix() not in wanted:
            path.unlink()
