"""A small reader of the sample files, independent of the ingestion: rows in canonical names and codes."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
MERGER = {"320100": "2020-01-01", "340400": "2019-12-01"}
AMOUNTS = {
    "contribution_base", "employer_amount", "personal_amount", "personal_account_credit", "late_fee",
    "allowance_daily_base", "medical_fee_total", "pooled_amount", "personal_account_amount", "personal_cash_amount",
    "institution_borne_amount", "other_funds_amount", "deposit_withheld_amount", "amount",
}  # fmt: skip
PARTS = (
    "pooled_amount", "personal_account_amount", "personal_cash_amount", "institution_borne_amount",
    "other_funds_amount",
)  # fmt: skip
CASH_ITEMS = ("maternity_allowance", "nutrition_subsidy")

Row = dict[str, str]


def is_data(path: Path) -> bool:
    """Whether a file is one to be taken in, and not sent again."""
    return not path.name.endswith(".manifest.json") and "_resent" not in path.name


def read(path: Path) -> Iterator[Row]:
    """Rows of a file; an unknown code is `?`."""
    profile = yaml.safe_load((ROOT / "ingestion" / "sources" / f"{path.parent.name}.yml").read_text(encoding="utf-8"))
    family = path.name.split("_")[1]
    feed = next(feed for feed in profile["feeds"] if feed["family"] == family)
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    encoding = "gb18030" if profile["defaults"]["encoding"] == "gb18030" else "utf-8-sig"
    for record in csv.DictReader(content.decode(encoding).splitlines()):
        row = {"family": family, "source_system": path.parent.name}
        for source, spec in feed["columns"].items():
            if record.get(source):
                target, codes = (spec["to"], spec.get("values")) if isinstance(spec, dict) else (spec, None)
                row[target] = _plain(target, codes.get(record[source], "?") if codes else record[source])
        yield row


def _plain(column: str, text: str) -> str:
    if column in AMOUNTS:
        return text.replace(",", "")
    written_out = re.fullmatch(r"(\d{4})年(\d{1,2})月(?:(\d{1,2})日)?", text)
    if written_out:
        return "-".join(part.zfill(2) for part in written_out.groups() if part)
    if column in ("contribution_month", "accounting_month") and text.isdigit():
        return f"{text[:4]}-{text[4:]}"
    return text


def is_slip(row: Row) -> bool:
    """The kinds of slips the generator makes, recognised by their own marks."""
    path = (row.get("from_account"), row.get("to_account"))
    return (
        row["region_code"] not in MERGER
        or row.get("contribution_month") == "2019-13"
        or row.get("benefit_item") == "?"
        or row.get("amount") == "八十元整"
        or ("certificate_no" in row and not _valid_certificate(row["certificate_no"]))
        or (row["event_type"] == "claim.settled" and not adds_up(row))
        or path == ("expenditure", "treasury")
    )


def _valid_certificate(number: str) -> bool:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return number[-1] == "10X98765432"[sum(int(d) * w for d, w in zip(number, weights, strict=False)) % 11]


def adds_up(row: Row) -> bool:
    """Whether the parts of a claim are its fee; a cash benefit has none."""
    if row.get("settlement_kind", "case") != "case" or row["benefit_item"] in CASH_ITEMS:
        return True
    return sum(yuan(row, name) for name in PARTS) == yuan(row, "medical_fee_total")


def yuan(row: Row, column: str) -> Decimal:
    """An amount in yuan; 0 when it is not given."""
    return Decimal(row.get(column, "0"))
