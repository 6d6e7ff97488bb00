"""What the approver reads and what is filed: workbook, page and the list of their hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from reporting.files import replace_file

SUMS = "SHA256SUMS"
PAGE = "close.html"
_READ_ONLY = 0o444


def workbook_name(region: str, month: date) -> str:
    """Name of the workbook of a region's month."""
    return f"merged_fund_{region}_{month:%Y-%m}.xlsx"


def with_sums(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files and `SHA256SUMS`, which `sha256sum -c` reads; the hash of that file stands for all of them."""
    lines = [f"{sha256(content)}  {name}\n" for name, content in sorted(files.items())]
    return {**files, SUMS: "".join(lines).encode()}


def report_sha256(files: Mapping[str, bytes]) -> str:
    """The one hash for a set of files."""
    return sha256(files[SUMS])


def sha256(content: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def draft_folder(reports: Path, region: str, month: date, attempt: int) -> Path:
    """Where the files of a request lie."""
    return reports / "draft" / region / f"{month:%Y-%m}" / str(attempt)


def signed_folder(reports: Path, region: str, month: date) -> Path:
    """Where the signed files of a month lie."""
    return reports / "signed" / region / f"{month:%Y-%m}"


def write(folder: Path, files: Mapping[str, bytes], *, read_only: bool = False) -> list[Path]:
    """Put the files into a folder, each in one step; those that are there already, byte for byte, are left alone."""
    written = []
    for name, content in sorted(files.items()):
        path = folder / name
        if not (path.is_file() and path.read_bytes() == content):
            replace_file(path, content)
        if read_only:
            path.chmod(_READ_ONLY)
        written.append(path)
    return written
