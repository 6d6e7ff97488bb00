"""Which version of its interface a city uses for a file, and rows restated in it."""

from __future__ import annotations

from runtime.samples.cities import City
from runtime.samples.log import Row

# (source system, family) -> first quarter delivered in version 2.
_VERSION_2_SINCE = {
    ("huainan", "contribution"): "2020Q2",
    ("huainan", "claim"): "2020Q1",
    ("nanjing", "claim"): "2020Q1",
}


def version_of(city: City, family: str, period: str) -> int:
    """The version of a file."""
    since = _VERSION_2_SINCE.get((city.source_system, family))
    return 2 if since is not None and period >= since else 1


def in_version(city: City, rows: list[Row], version: int) -> list[Row]:
    """Rows of a file as they are said in a version; version 1 of contributions is what the facts are recorded in.

    What only a later version has columns for, such as the day of application, is left out by the file's shape.
    """
    return [_in_version_2(city, row) for row in rows] if version == 2 else rows


def _in_version_2(city: City, row: Row) -> Row:
    """Receipts are electronic tax vouchers, and the tax authority that collected is told."""
    told: Row = {name: value for name, value in row.items() if name != "receipt_no"} | {"schema_version": "2"}
    if "receipt_no" in row:
        told |= {"tax_voucher_no": row["receipt_no"], "tax_authority_code": city.tax_authority}
    return told
