"""Files with identity numbers in every place where one may turn up, right or wrong, and where to look for them."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl
import xlsxwriter

from runtime.postgres import EmbeddedPostgres
from tests.integration.ingestion_support import land, payment, person, premium
from tests.unit.ingestion.valid_rows import csv_text, sound_row

PROFILE = """
source_system: people
defaults: {constants: {event_type: enrollment.started, region_code: "320100"}}
feeds:
"""
FEED = """
  - family: registration
    pattern: "*.NAME"
    format: NAME
    columns: {key: source_event_key, day: occurred_on, person: person_no, certificate: certificate_no,
              kind: insurance_type, category: enrollment_category, employer: employer_no}
    ignore: [姓名, 备注]
"""
_HEADER = ["key", "day", "person", "certificate", "kind", "category", "employer", "姓名", "备注"]
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in (*range(0x30, 0x3A), 0x58, 0x78)})


class Numbers:
    """Hands out identity numbers of different persons and remembers what must not be found in clear."""

    def __init__(self) -> None:
        self._serial = 0
        self.secrets: set[str] = set()
        self.names: set[str] = set()

    def valid(self, *, ends_in_x: bool = False) -> str:
        """Another valid number; `ends_in_x`: one whose check character is X."""
        while True:
            self._serial += 1
            body = (
                f"340421{1950 + self._serial % 50}0{1 + self._serial % 9}1{self._serial % 9}{self._serial % 1000:03d}"
            )
            total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
            number = body + "10X98765432"[total % 11]
            if number.endswith("X") == ends_in_x:
                return self.secret(number)

    def wrong(self) -> str:
        """A number whose check digit is wrong."""
        number = self.valid()
        return self.secret(number[:-1] + str((int(number[-1]) + 1) % 10))

    def secret(self, number: str) -> str:
        """Remember a spelling that must not be found, nor the plain digits in it."""
        self.secrets |= {number, number.upper(), number.lower(), number.translate(_FULL_WIDTH)}
        return number

    def name(self, text: str) -> str:
        """Remember a person's name."""
        self.names.add(text)
        return text


def full_width(number: str) -> str:
    """`110X` as `１１０Ｘ`."""
    return number.translate(_FULL_WIDTH)


def spelt(numbers: Numbers) -> list[str]:
    """Numbers as they stand in a column that is for them: right ones and all kinds of wrong ones."""
    plain = numbers.valid()
    return [
        numbers.valid(),
        numbers.valid(ends_in_x=True).lower(),
        full_width(numbers.valid()),
        numbers.wrong(),
        numbers.secret(numbers.valid()[:-1]),
        numbers.secret(numbers.valid() + "1"),
        numbers.secret(f"{plain[:6]} {plain[6:14]} {plain[14:]}"),
        numbers.secret(f"{plain[:6]}-{plain[6:14]}-{plain[14:]}"),
        numbers.secret(numbers.valid()[:6] + "550412123"),
        numbers.secret(numbers.valid()[:6] + "19551399" + "1234"),
    ]


def land_canonical(numbers: Numbers) -> None:
    """Canonical files: one row a place."""
    rows = [person(f"C{n}", certificate_no=text, birth_date="") for n, text in enumerate(spelt(numbers))]
    for row in rows:
        row.pop("birth_date")
    other_sex = numbers.valid()
    told = [
        person("B1", certificate_no=numbers.valid(), birth_date="1949-12-30"),
        person("B2", certificate_no=other_sex, sex="F" if int(other_sex[16]) % 2 else "M"),
        person(numbers.valid()),
        person(full_width(numbers.valid())),
        person("B3", employer_no=numbers.valid()),
        person("B4", birth_date=numbers.valid()),
        sound_row("employer.registered", source_event_key="B5", employer_name=f"王五商店 {numbers.valid()}"),
        sound_row("employer.registered", source_event_key="B6", employer_credit_code=numbers.valid()),
        person("B7", original_event_key=numbers.valid(), original_source_system=numbers.valid()),
        person("B8", certificate_no=numbers.valid(), reason=numbers.valid()),
    ]
    text = csv_text([*rows, *told])
    columns = text.splitlines()[0].count(",") + 1
    shifted = ["", *text.splitlines()[1].split(",")][:columns]
    ragged = [
        f"enrollment.started,B9,{numbers.valid()}",
        f"enrollment.started,B9,{full_width(numbers.valid())},{numbers.wrong()}",
        f'enrollment.started,"B9,{numbers.valid()}',
    ]
    land("a.registration.1.csv", text + ",".join(shifted) + "\n" + "\n".join(ragged) + "\n")
    land_canonical_money(numbers)


def land_canonical_money(numbers: Numbers) -> None:
    """Premiums, claims and movements of money, and two conflicts: with the log and within a file."""
    land(
        "a.contribution.1.csv",
        csv_text([premium("M1", person_no=numbers.valid()), premium("M2", receipt_no=f"TX{numbers.valid()}")]),
    )
    land(
        "a.claim.1.csv",
        csv_text(
            [
                payment("K1", claim_no=f"S-{numbers.valid()}-01"),
                payment("K2", account_holder_no=numbers.valid(ends_in_x=True).lower()),
                payment(numbers.valid()),
                payment(f"{numbers.valid()}20191115"),
                payment("K3", original_event_key=full_width(numbers.valid())),
                payment("K4", payee_type=numbers.valid(), pooled_amount=numbers.wrong()),
                sound_row("claim.reversed", source_event_key="K5", original_event_key=numbers.valid()),
            ]
        ),
    )
    land("a.treasury.1.csv", csv_text([sound_row("loan.received", counterparty=f"李四{numbers.valid()}")]))
    first = person("X1", certificate_no=numbers.valid())
    first.pop("birth_date")
    land("b.registration.1.csv", csv_text([first]))
    land(
        "c.registration.1.csv",
        csv_text([first | {"certificate_no": numbers.valid()}, person("X2"), person("X2", sex="F")]),
    )


def land_formats(numbers: Numbers) -> None:
    """CSV, JSON Lines, XLSX and Parquet of a source that also sends names and remarks."""
    rows = [
        ["F1", "2019-01-01", "P1", numbers.valid(), "310", "retiree", "E1", numbers.name("欧阳明月"), numbers.valid()],
        ["F2", "2019-01-01", "P2", numbers.wrong(), "310", "retiree", "E1", numbers.name("司马清风"), numbers.wrong()],
        ["F3", "2019-01-01", numbers.valid(), "", "310", "retiree", numbers.valid(), numbers.name("诸葛白云"), ""],
        [numbers.valid(), "2019-01-01", "P4", "", numbers.valid(), "retiree", "", numbers.name("上官流水"), ""],
        ["F5", numbers.valid(), "P5", numbers.name("夏侯长河"), "310", "retiree", "", "", ""],
    ]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(_HEADER, pl.String), orient="row")
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    land("1.parquet", buffer.getvalue(), "people")
    land("1.xlsx", _workbook(rows, numbers), "people")
    ragged = f"F6,2019-01-01,P6,{numbers.valid()},{numbers.name('慕容朝霞')}\n"
    land("1.csv", frame.write_csv() + ragged, "people")
    objects = [json.dumps(dict(zip(_HEADER, row, strict=True)), ensure_ascii=False) for row in rows]
    torn = f'{{"key": "F7", "certificate": "{numbers.valid()}", "姓名": "{numbers.name("尉迟落日")}"'
    land("1.jsonl", "\n".join([*objects, torn]) + "\n", "people")


def _workbook(rows: list[list[str]], numbers: Numbers) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, _HEADER)
        for place, row in enumerate(rows, start=1):
            sheet.write_row(place, 0, row)
        sheet.write_row(7, 0, ["F8", "2019-01-01", "P8"])
        sheet.write_number(7, 3, int(numbers.secret(numbers.valid()[:-3] + "000")))
    return buffer.getvalue()


def land_refused_files(numbers: Numbers) -> None:
    """Files that are refused whole, by what stands in their header, name, manifest or folder."""
    row = ["F9", "2019-01-01", "P9", numbers.valid(), "310", "retiree", "E1", numbers.name("独孤晚秋"), ""]
    land("headless.csv", ",".join(row) + "\n", "people")
    land("headless.jsonl", json.dumps({numbers.valid(): 1, numbers.name("令狐初雪"): 2}) + "\n", "people")
    land("headless.registration.1.csv", f"{numbers.wrong()},{full_width(numbers.valid())}\n")
    twice = numbers.valid()
    land("twice.registration.1.csv", f"{twice},{twice}\n")
    land(f"d.registration.{numbers.valid()}.csv", csv_text([person("D1")]))
    land(f"{numbers.valid()}.xlsx.txt", "x")
    land("e.registration.1.csv", csv_text([person("D2")]), numbers.valid())
    land("f.registration.1.csv", csv_text([person("D3")]))
    land("f.registration.1.csv.manifest.json", json.dumps({"control_totals": {numbers.valid(): "1"}}))
    land("g.registration.1.csv", csv_text([person("D4")]))
    land("g.registration.1.csv.manifest.json", json.dumps({"control_totals": {"contribution_base": numbers.valid()}}))
    land("h.registration.1.csv", f"event_type,{numbers.valid()}\n".encode() + b"\xff\xfe")


def plant(numbers: Numbers, sources: Path) -> None:
    """Land everything; `sources` is the folder of profiles."""
    feeds = (FEED.replace("NAME", name) for name in ("csv", "jsonl", "xlsx", "parquet"))
    (sources / "people.yml").write_text(PROFILE + "".join(feeds), encoding="utf-8")
    land_canonical(numbers)
    land_formats(numbers)
    land_refused_files(numbers)


def leaks(numbers: Numbers, places: dict[str, bytes]) -> Iterator[str]:
    """What is found in clear, and where."""
    for place, content in places.items():
        for secret in sorted(numbers.secrets | numbers.names):
            spellings = (secret.encode(), json.dumps(secret)[1:-1].encode())
            if any(spelling in content for spelling in spellings):
                yield f"{place}: {secret}"


def contents(*folders: Path) -> dict[str, bytes]:
    """All files below the folders, those in ZIP archives (workbooks) one by one; their names count as content."""
    found = {}
    for path in (path for folder in folders for path in sorted(folder.rglob("*"))):
        if path.is_file():
            found[str(path)] = str(path).encode() + b"\n" + path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    found |= {f"{path}!{name}": archive.read(name) for name in archive.namelist()}
    return found


def dump(server: EmbeddedPostgres, url: str) -> bytes:
    """Everything in a database, as SQL."""
    target = server.superuser_url(urlsplit(url).path.removeprefix("/"))
    return subprocess.run([server.program("pg_dump"), "--dbname", target], capture_output=True, check=True).stdout
