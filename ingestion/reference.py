"""The public reference of event types, columns and error codes, rendered from the contracts: `docs/events.md`."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from ingestion import notes
from ingestion.canonical import hashed_columns, versions_of
from ingestion.contracts import FAMILIES
from ingestion.contracts.columns import MANDATORY, SHARED, Column, Family, Kind, Required
from ingestion.errors import CODES
from ingestion.references import ORIGINALS
from ingestion.settings import REPOSITORY

TARGET = REPOSITORY / "docs" / "events.md"
_EVENT_TYPES = REPOSITORY / "dbt_project" / "seeds" / "accounts" / "event_type.csv"
_GROUPS = {
    "E-FILE": "整个文件被拒收 / the whole file is refused",
    "E-SCHEMA": "行的结构 / the form of a row",
    "E-TYPE": "取值的格式 / the type of a value",
    "E-VALUE": "取值本身 / the value itself",
    "E-CLAIM": "待遇 / claims",
    "E-MATERNITY": "生育 / maternity",
    "E-TREASURY": "资金 / treasury",
    "E-REF": "引用，此类行会自动重试 / references; such rows wait and are tried again",
    "E-CONFLICT": "同一编号不同内容 / the same key with other content",
    "E-PERIOD": "日期与关账 / dates, and closing a month",
    "E-REVIEW": "凭证复核 / reviewing vouchers",
    "E-FINDING": "对检查发现问题的决定 / decisions on findings",
}
_INTRODUCTION = """\
# 事件参考 / Event reference

由代码生成，请勿手改：`python -m ingestion docs`。
Generated from the code, not edited by hand: `python -m ingestion docs`.

规范文件：UTF-8 的 CSV，首行为下列列名，文件名 `<任意>.<类别>.<任意>.csv` 或 `.csv.gz`；空字段为空值；
日期 `YYYY-MM-DD`，月份 `YYYY-MM`，金额为最多两位小数的非负数（元）。
其他格式由来源配置（`ingestion/sources/*.yml`）对照到这些列。
A canonical file is a CSV in UTF-8 with these column names in its first line, named
`<anything>.<family>.<anything>.csv` or `.csv.gz`. An empty field is null. Dates are `YYYY-MM-DD`, months `YYYY-MM`,
amounts yuan with at most two decimals, never negative.
Other shapes are mapped to these columns by a source profile (`ingestion/sources/*.yml`).

`schema_version` 为该行的结构版本，空为 1；它决定该行可以填写哪些列，
填了该版本没有的列则该行隔离 `E-SCHEMA-VERSION-COLUMN`。已公布的版本不再改动；表头可含各版本的列，同一文件可混用各版本。
日志保留报送时的版本，视图 `events.event_current` 一律按最新版本显示。
`schema_version` is the version of a row, 1 when empty. It fixes which columns the row may fill: one that its version
does not have is `E-SCHEMA-VERSION-COLUMN`. A published version never changes. A header may have the columns of all
versions, and a file may mix them.
The log keeps the version sent; the view `events.event_current` shows every event in the newest.
"""


def render() -> str:
    """The whole document."""
    return "\n".join([_INTRODUCTION, *_shared(), *_families(), *_originals(), *_hash(), *_codes(), *_notes()])


def write(path: Path = TARGET) -> Path:
    """Write the document to its place."""
    path.write_text(render(), encoding="utf-8")
    return path


def _shared() -> Iterator[str]:
    yield "## 各类别共有的列 / Columns shared by all families\n"
    yield from _column_table(SHARED)
    yield f"\n必备列（缺列则整文件拒收）/ a file without one of these columns is refused: {_codes_list(MANDATORY)}\n"


def _families() -> Iterator[str]:
    with _EVENT_TYPES.open(encoding="utf-8", newline="") as handle:
        names = {row["event_type"]: f"{row['name_zh']} / {row['name_en']}" for row in csv.DictReader(handle)}
    for family in FAMILIES.values():
        yield f"## {family.name}\n"
        yield f"已公布的版本 / Published versions: {', '.join(map(str, family.numbers))}\n"
        yield "### 列 / Columns\n"
        yield from _column_table(family.columns, family)
        yield "\n### 事件类型及必填列 / Event types and their required columns\n"
        yield "| event_type | | 必填 / required |\n|---|---|---|"
        for event_type in family.event_types:
            yield f"| `{event_type}` | {names[event_type]} | {_required(family, event_type)} |"
        yield ""


def _column_table(columns: tuple[Column, ...], family: Family | None = None) -> Iterator[str]:
    evolved = family is not None and len(family.versions) > 1
    yield "| 列 / column | 类型 / type | 取值 / values |" + " 版本 / versions |" * evolved
    yield "|---|---|---|" + "---|" * evolved
    for column in columns:
        versions = f" {_versions(family, column)} |" if family is not None and evolved else ""
        yield f"| `{column.name}` | {column.kind.value} | {_values(column)} |{versions}"


def _versions(family: Family, column: Column) -> str:
    """In which versions a column exists, and what it was called before."""
    having = [version for version in family.versions if column.name in version.names]
    former = [version.renamed[column.name] for version in having if column.name in version.renamed]
    return ", ".join(str(version.number) for version in having) + "".join(
        f"（原 / before: `{name}`）" for name in former
    )


def _values(column: Column) -> str:
    if column.kind is Kind.CERTIFICATE:
        return "GB 11643；仅存加密假名 / only a keyed pseudonym is stored"
    return {Kind.CREDIT_CODE: "GB 32100", Kind.REGION: "GB/T 2260"}.get(column.kind, _codes_list(column.values))


def _required(family: Family, event_type: str) -> str:
    entries = dict.fromkeys(entry for version in family.versions for entry in version.required)
    return "; ".join(_requirement(entry, family) for entry in entries if event_type in entry.event_types)


def _requirement(entry: Required, family: Family) -> str:
    conditions = []
    for when in entry.when:
        values = " / ".join("空 empty" if value is None else f"`{value}`" for value in when.values)
        conditions.append(f"`{when.column}` = {values}")
    numbers = [str(version.number) for version in family.versions if entry in version.required]
    if len(numbers) < len(family.versions):
        conditions.append(f"版本 / version {', '.join(numbers)}")
    return f"`{entry.column}`" + (f" ({', '.join(conditions)})" if conditions else "")


def _originals() -> Iterator[str]:
    yield "## 原业务 / Originals\n"
    yield "`original_event_key` 所指的事件，须在日志中或同一文件内，且不得超过其剩余金额。"
    yield "What `original_event_key` names: in the log or in the same file, and covering what is taken from it.\n"
    yield "| event_type | 原业务 / original |\n|---|---|"
    for event_type, (_, types) in ORIGINALS.items():
        note = " (`deposit_account` = `temporary_receipt`)" if event_type == "contribution.collected" else ""
        yield f"| `{event_type}`{note} | {_codes_list(types)} |"
    yield ""


def _hash() -> Iterator[str]:
    yield "## 内容哈希的字段顺序 / Order of the fields in the content hash\n"
    for family in FAMILIES.values():
        for number in family.numbers:
            of_version = f" {number}" * (len(family.numbers) > 1)
            yield f"- {family.name}{of_version}: {', '.join(hashed_columns(family.name, number))}"
    for number in versions_of("control"):
        yield f"- control {number}: {', '.join(hashed_columns('control', number))}"
    yield ""


def _codes() -> Iterator[str]:
    yield "## 错误代码 / Error codes\n"
    yield "代码固定不变；外部只应依赖其分组前缀。Codes are stable; rely on the prefix of the group only.\n"
    for group, title in _GROUPS.items():
        yield f"### {group} — {title}\n"
        yield "| 代码 / code | 如何处理 | what to fix |\n|---|---|---|"
        for entry in CODES.values():
            if entry.code == group or entry.code.startswith(f"{group}-"):
                yield f"| `{entry.code}` | {entry.zh} | {entry.en} |"
        yield ""


def _notes() -> Iterator[str]:
    yield "## 读取说明 / Notes\n"
    yield "写法与约定不同、但含义唯一的取值按约定读取，逐文件逐列记入 `events.file_note`；隔离区保留原文。"
    yield "What is written otherwise than agreed yet means one thing only is read as agreed, and counted in"
    yield "`events.file_note` by file and column. The quarantine keeps what was sent.\n"
    yield "| 代码 / code | 含义 | meaning |\n|---|---|---|"
    for note in notes.CODES.values():
        yield f"| `{note.code}` | {note.zh} | {note.en} |"
    yield ""


def _codes_list(values: tuple[str, ...]) -> str:
    return ", ".join(f"`{value}`" for value in values)
