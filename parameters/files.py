"""CSV files of parameters, however a spreadsheet has saved them: rows with their lines, and what the form lacks."""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from parameters import cells
from parameters.problems import ParameterError, Problem
from parameters.tables import Table, tables

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Row:
    """A row of a table: its line in the file, and the text of its cells in the seeds' own form."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass
class Content:
    """What a file holds. `is_mended` says that the rows' form differs from the file's: it can be written anew."""

    table: Table
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    is_mended: bool = False


def read_all(folder: Path) -> dict[str, Content]:
    """All tables of a folder by name; a table without a file has a problem and no rows."""
    return {table.name: read(table, folder) for table in tables().values()}


def unknown_files(folder: Path) -> list[Problem]:
    """CSV files that are no table of this version: rows in them would count nowhere."""
    known = {table.file for table in tables().values()}
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.csv"))
    return [Problem(name, 1, "E-PARAM-FILE", detail=name) for name in names if name not in known]


def read(table: Table, folder: Path) -> Content:
    """A table's file below a folder."""
    path = folder / table.file
    if not path.is_file():
        return Content(table, problems=[Problem(table.file, 1, "E-PARAM-FILE", detail=table.file)])
    return parse(table, path.read_bytes())


def parse(table: Table, raw: bytes) -> Content:
    """Rows of the bytes of a file; what is wrong with their form is a problem, and mended where it is plain."""
    content = Content(table)
    text = _decoded(content, raw)
    if text is None:
        return content
    lines = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip() for name in next(lines, [])]
    if header != table.names:
        content.problems.append(Problem(table.file, 1, "E-PARAM-HEADER", detail=_difference(table.names, header)))
        return content
    start = lines.line_num + 1
    for written in lines:
        if any(cell.strip() for cell in written):
            _row(content, start, written)
        else:  # would be loaded as a row without a word
            content.problems.append(Problem(table.file, start, "E-PARAM-BLANK"))
            content.is_mended = True
        start = lines.line_num + 1
    return content


def render(table: Table, rows: Iterable[Row]) -> bytes:
    """The file of these rows: UTF-8 without a mark, commas, line feeds."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.names)
    writer.writerows([row[name] for name in table.names] for row in rows)
    return buffer.getvalue().encode()


def appended(path: Path, table: Table, rows: Iterable[Row]) -> bytes:
    """The file's own bytes with rows added at its end: what is there stays as it was written."""
    held = path.read_bytes()
    added = render(table, rows).split(b"\n", 1)[1]
    return held + (b"" if held.endswith(b"\n") else b"\n") + added


def require_sound(contents: Iterable[Content]) -> None:
    """ParameterError when a file can't be read as it stands."""
    problems = [problem for content in contents for problem in content.problems if problem.severity == "error"]
    if problems:
        raise ParameterError(*problems)


def _decoded(content: Content, raw: bytes) -> str | None:
    """The text of a file, or None, with a problem, of bytes that are no text: nothing of them may be written anew."""
    if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        with suppress(UnicodeDecodeError):
            text = raw.decode("utf-16")
            content.problems.append(Problem(content.table.file, 1, "E-PARAM-ENCODING", detail="UTF-16"))
            content.is_mended = True
            return text
    if raw.startswith(_BOM):
        content.problems.append(Problem(content.table.file, 1, "E-PARAM-BOM"))
        content.is_mended = True
        raw = raw.removeprefix(_BOM)
    with suppress(UnicodeDecodeError):
        return raw.decode("utf-8")
    try:
        text = raw.decode("gb18030")
    except UnicodeDecodeError as error:
        said = f"第 {error.start + 1} 字节既非 UTF-8 也非 GB18030 / byte {error.start + 1} is neither UTF-8 nor GB18030"
        content.problems.append(Problem(content.table.file, 1, "E-PARAM-FILE", detail=said))
        content.is_mended = False
        return None
    content.problems.append(Problem(content.table.file, 1, "E-PARAM-ENCODING", detail="GB18030"))
    content.is_mended = True
    return text


def _difference(wanted: list[str], given: list[str]) -> str:
    lacking = [name for name in wanted if name not in given]
    unknown = [name or "（空 blank）" for name in given if name not in wanted]
    if not lacking and not unknown:
        return "列的次序 / the order of columns"
    parts = [("缺 missing", lacking), ("多 unknown", unknown)]
    return "；".join(f"{what} {', '.join(names)}" for what, names in parts if names)


def _row(content: Content, line: int, written: list[str]) -> None:
    table, file = content.table, content.table.file
    if len(written) != len(table.columns):
        content.problems.append(Problem(file, line, "E-PARAM-CELLS", detail=str(len(written))))
        return
    texts = {}
    for column, cell in zip(table.columns, written, strict=True):
        found = cells.read(column, cell)
        if found.code:
            content.problems.append(Problem(file, line, found.code, column.name, cell.strip(), found.detail))
            content.is_mended = content.is_mended or found.is_mended
        texts[column.name] = found.text
    content.rows.append(Row(line, texts))
