"""Files in runs from a seed: facts of both cities, split and shuffled, with everything that can be wrong.

`generate(seed)` is pure: the same seed gives the same bytes.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from random import Random

from .damage import damaged
from .rows import LandedFile
from .story import Story
from .teller import Fact
from .vocabulary import AMOUNTS, COLUMNS, FAMILY, OF_VERSION, SHARED

REGIONS = {"320100": date(2020, 1, 1), "340400": date(2019, 12, 1)}
# Facts that load whatever else has come, so that a copy of one is a duplicate or a conflict for sure.
STEADY = ("cash.transferred", "interest.credited", "subsidy.received", "claim.paid", "enrollment.started", "other.paid")


@dataclass(frozen=True)
class Shape:
    """How much of what."""

    size: int = 3
    runs: int = 3
    slots: int = 2  # files of one source and family in one run
    bad_rows: int = 8
    copies: int = 8
    bad_files: bool = True
    statements: bool = True  # of outside parties, with figures that the books do not have


@dataclass
class _Send:
    """A fact's row on its way into the run `run`."""

    source_system: str
    family: str
    columns: dict[str, str]
    run: int
    ragged: bool = False


def generate(seed: int, shape: Shape = Shape()) -> list[list[LandedFile]]:
    """Runs of files; file names are unique over all runs."""
    random = Random(seed)
    sends: list[_Send] = []
    for region, merger_date in REGIONS.items():
        story = Story(random, region, merger_date)
        story.with_statements = shape.statements
        facts = story.tell(shape.size)
        sends += [_send(random, fact, shape) for fact in facts]
        sends += _copies(random, sends, region, shape)
        sends += _bad(random, story, shape)
    sends = list(_in_versions(Random(f"{seed} versions"), sends))
    random.shuffle(sends)
    runs = [list(_files(random, number, sends, shape)) for number in range(shape.runs)]
    if shape.bad_files:
        _add_bad_files(random, runs)
    return runs


def _send(random: Random, fact: Fact, shape: Shape) -> _Send:
    """Registrations tend to come early, all else in any run."""
    last = shape.runs - 1
    run = min(random.randint(0, last), random.randint(0, last)) if fact.family == "registration" else None
    return _Send(fact.source_system, fact.family, fact.columns, random.randint(0, last) if run is None else run)


def _copies(random: Random, sends: list[_Send], region: str, shape: Shape) -> list[_Send]:
    """Duplicates (also written differently) and conflicts, in the same run or another."""
    own = [s for s in sends if s.columns["region_code"] == region]
    steady = [s for s in own if s.columns["event_type"] in STEADY]
    copies = []
    for original in random.sample(steady, min(shape.copies, len(steady))):
        columns = dict(original.columns)
        if random.random() < 0.6:
            columns = {c: _shorter(v) if c in AMOUNTS else v for c, v in columns.items()}
        else:
            _change(columns)
        copies.append(replace(original, columns=columns, run=random.randrange(shape.runs)))
    later = [s for s in own if s.run < shape.runs - 1]
    for original in random.sample(later, min(shape.copies, len(later))):
        copies.append(replace(original, run=random.randint(original.run + 1, shape.runs - 1)))
    return copies


def _shorter(amount: str) -> str:
    """The same amount in fewer characters."""
    return amount.rstrip("0").rstrip(".") if "." in amount else amount


def _change(columns: dict[str, str]) -> None:
    column = next((c for c in ("amount", "pooled_amount", "personal_account_amount") if c in columns), None)
    if column:
        columns[column] = str(Decimal(columns[column]) + 1)
    else:
        columns["contribution_base"] = "8000.01"


def _bad(random: Random, story: Story, shape: Shape) -> list[_Send]:
    """Damaged rows; some are sent again, corrected, in a later run. One row has a field too many."""
    sends = []
    for fact in damaged(random, story, shape.bad_rows):
        family = _family_of_file(fact)
        sends.append(_Send(fact.source_system, family, fact.columns, random.randrange(shape.runs)))
    if shape.runs > 1:
        sends += _corrected(random, story, shape)
    columns = {"event_type": "interest.credited", "source_event_key": "ragged", "occurred_on": "2019-10-01"}
    columns |= {"region_code": story.region, "fund_code": "EMI", "sub_fund": "pooled", "account": "income"}
    return [*sends, _Send("oracle_east", "treasury", columns | {"amount": "1"}, 0, ragged=True)]


def _corrected(random: Random, story: Story, shape: Shape) -> Iterator[_Send]:
    """Wrong in one run, right in a later one."""
    for number, wrong in enumerate(["1.2.3", "-7.00"]):
        columns = {"event_type": "other.paid", "source_event_key": f"again-{number}", "occurred_on": "2020-02-29"}
        columns |= {"region_code": story.region, "fund_code": "EMI", "sub_fund": "pooled", "account": "expenditure"}
        first = random.randrange(shape.runs - 1)
        second = random.randint(first + 1, shape.runs - 1)
        yield _Send("oracle_west", "treasury", columns | {"amount": wrong}, first)
        yield _Send("oracle_west", "treasury", columns | {"amount": "7.00"}, second)


def _in_versions(random: Random, sends: list[_Send]) -> Iterator[_Send]:
    """Some premiums in version 2, copies of them in either; the authority is told only where no copy is sent."""
    keys = Counter((s.source_system, s.columns["source_event_key"]) for s in sends)
    for send in sends:
        columns = send.columns
        if send.family != "contribution" or {*OF_VERSION, "schema_version"} & set(columns) - {"receipt_no"}:
            yield send
        elif random.random() < 0.6:
            explicit = {"schema_version": "1"} if random.random() < 0.2 else {}
            yield replace(send, columns=columns | explicit)
        else:
            names = {"receipt_no": "tax_voucher_no"}
            said = {names.get(column, column): text for column, text in columns.items()} | {"schema_version": "2"}
            alone = keys[send.source_system, columns["source_event_key"]] == 1
            office = {"tax_authority_code": "13201060000"} if alone and random.random() < 0.5 else {}
            yield replace(send, columns=said | office)


def _family_of_file(fact: Fact) -> str:
    event_type = fact.columns["event_type"]
    return FAMILY.get(event_type, "contribution")


def _files(random: Random, number: int, sends: list[_Send], shape: Shape) -> Iterator[LandedFile]:
    slots: dict[tuple[str, str, int], list[_Send]] = defaultdict(list)
    for send in sends:
        if send.run == number:
            slots[send.source_system, send.family, random.randrange(shape.slots)].append(send)
    for (source, family, slot), rows in slots.items():
        gz = ".gz" if random.random() < 0.2 else ""
        # The run's number comes last, so that order by name is not order by run within a run.
        name = f"{random.choice('abc')}{slot}.{family}.{number}.csv{gz}"
        content = _render(random, family, rows)
        yield _landed(random, source, name, content, len(rows))


def _landed(random: Random, source: str, name: str, text: str, rows: int) -> LandedFile:
    content = text.encode("utf-8-sig" if random.random() < 0.2 else "utf-8")
    if name.endswith(".gz"):
        content = gzip.compress(content, mtime=0)
    file = LandedFile(source, name, content)
    if random.random() < 0.2:
        return replace(file, manifest=json.dumps({"row_count": rows, "sha256": file.sha256}))
    return file


def _render(random: Random, family: str, rows: list[_Send]) -> str:
    """CSV with the columns in any order, a few of them empty throughout."""
    used = {column for row in rows for column in row.columns} | set(SHARED)
    spare = random.sample(sorted(COLUMNS[family]), 2)
    header = sorted(used | set(spare))
    random.shuffle(header)
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator=random.choice(["\n", "\r\n"]))
    writer.writerow(header)
    for row in rows:
        writer.writerow([row.columns.get(column, "") for column in header] + ["one too many"] * row.ragged)
    return stream.getvalue()


def _add_bad_files(random: Random, runs: list[list[LandedFile]]) -> None:
    """The same bytes under another name; files that can't be read at all."""
    last = runs[-1]
    chosen = random.choice([file for file in runs[0] if not file.file_name.endswith(".gz")])
    last.append(replace(chosen, file_name=f"copy-of-{chosen.file_name}", manifest=None))
    good = b"event_type,source_event_key,occurred_on,region_code,fund_code\nfund.merged,zz,2020-01-01,320100,MAT\n"
    broken = {
        "noname.csv": good,
        "z.treasury.column.csv": good.replace(b"fund_code", b"fund_kode"),
        "z.treasury.missing.csv": good.replace(b"region_code,", b"").replace(b"320100,", b""),
        "z.treasury.encoding.csv": good + b"\xff\xfe\xff",
        "z.treasury.cut.csv.gz": gzip.compress(good * 50, mtime=0)[:-20],
    }
    for name, content in broken.items():
        random.choice(runs).append(LandedFile("oracle_east", name, content))
    wrong = json.dumps({"row_count": 2})
    last.append(LandedFile("oracle_east", "z.treasury.manifest.csv", good + b"\n", manifest=wrong))
