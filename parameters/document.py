"""The reference of the guide for accountants: every table of the policy with its columns, out of their descriptions."""

from __future__ import annotations

from collections.abc import Iterator

from parameters.tables import POSTING, PROJECT, Column, Table, tables

GUIDE = PROJECT.parent / "docs" / "parameters.md"
BEGIN, END = "<!-- tables: python -m parameters document --write -->", "<!-- end of tables -->"


def reference() -> str:
    """Markdown of all tables below `policy`, in the order of their files."""
    return "\n".join(line for table in tables().values() if table.file.startswith("policy/") for line in _table(table))


def written(guide: str) -> str:
    """The guide with the reference of now between its marks. ValueError when they are not there."""
    before, begin, rest = guide.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{GUIDE.name} lacks the marks of the tables")
    return f"{before}{BEGIN}\n\n{reference()}\n{END}{after}"


def _table(table: Table) -> Iterator[str]:
    yield f"### `{table.name}` {table.title}"
    yield ""
    yield f"{table.said} 文件 / file: `{table.file}`。"
    if table.name in POSTING:
        yield "记账、接收读取此表：变动后须采用新规则。 / Posting or acceptance reads it: a change must be adopted."
    yield ""
    yield "| 列 / column | 含义 / meaning | 写法 / how it is written |"
    yield "|---|---|---|"
    for column in table.columns:
        key = "（键 key）" if column.name in table.key else "（次序 step）" if column.name in table.steps else ""
        yield f"| `{column.name}`{key} | {_cell(str(column.said))} | {_cell(_form(column))} |"
    yield ""


def _form(column: Column) -> str:
    if column.values:
        return "、".join(f"`{code}` {label.zh}" for code, label in column.values.items())
    if column.is_change:
        return "-1–1 的小数，增 5% 写 0.05 / a fraction, plus 5 % is 0.05"
    if column.is_fraction:
        return "0–1 的小数，8.8% 写 0.088 / a fraction, 8.8 % is 0.088"
    return {
        "date": "2027-01-01",
        "integer": "整数 / whole number",
        "numeric": "数字 / number",
        "boolean": "true / false",
    }.get(column.kind, "文字 / text")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
