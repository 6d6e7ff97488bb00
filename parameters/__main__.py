"""Command line of the parameters: `python -m parameters --help`.

Exit code 0: done, or nothing wrong; 1: something is wrong with the parameters; 2: the command itself.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from ingestion.settings import BEIJING, SettingsError
from parameters import baseline, cells, changes, codes, document, shown, workbook
from parameters.checks import at_file, check
from parameters.files import Content, Row, read_all, render, require_sound
from parameters.problems import ParameterError, Problem
from parameters.tables import Table, folder, tables

EXIT_WRONG = 1
EXIT_USAGE = 2


@dataclass(frozen=True)
class UsageError(Exception):
    """The command can't be understood; the message says why."""

    message: str


def main(arguments: list[str] | None = None) -> int:
    """Run one command; problems go to standard error, each with its code, file and line."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except ParameterError as error:
        return _told(error)
    except UsageError as error:
        print(_marked(Problem("python -m parameters", 0, "E-PARAM-COMMAND", detail=error.message)), file=sys.stderr)
        return EXIT_USAGE
    except SettingsError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE


def _list(options: argparse.Namespace) -> int:
    contents = _contents()
    print("\n".join(shown.overview(contents, options.on or _today())))
    return 0


def _show(options: argparse.Namespace) -> int:
    contents, day = _contents(), options.on or _today()
    chosen = [_table(name).name for name in options.table] or [
        table.name for table in tables().values() if table.is_dated and table.file.startswith("policy/")
    ]
    said = [line for name in chosen for line in shown.in_force(contents[name], day, options.region, options.known_on)]
    where = options.region or "全部统筹区 all regions"
    print(f"{where} · {day} 有效的参数 / parameters in force")
    print("\n".join(said) if said else "  当日无规则 / nothing is in force")
    return 0


def _check(options: argparse.Namespace) -> int:
    place = folder()
    if options.fix:
        _fix(place)
    used, compared = _baseline(options, place)
    found = check(place, used, _today())
    for problem in found.problems:
        print(_marked(at_file(problem, place)), file=sys.stderr)
    if compared:
        print(f"已与下列比较 / compared with: {compared}")
    else:
        print(
            "未与任何已部署的版本比较：已用的行被改动或删除不会发现；以 --against 文件夹 或 --against warehouse 指明"
            " / compared with no deployed version: changed or removed rows in use are not found; name one by --against"
        )
    errors = sum(problem.severity == "error" for problem in found.problems)
    rows = sum(len(content.rows) for content in found.contents.values())
    print(
        f"{place}: {len(found.contents)} 张表 tables, {rows} 行 rows, "
        f"{errors} 处错误 errors, {len(found.problems) - errors} 处提示 warnings"
    )
    return 0 if found.is_sound else EXIT_WRONG


def _fix(place: Path) -> None:
    """Write the form of the files anew where it alone is wrong: encoding, mark, dates and numbers."""
    for content in read_all(place).values():
        if not content.is_mended:
            continue
        unclear = [p for p in content.problems if p.code in ("E-PARAM-HEADER", "E-PARAM-CELLS", "E-PARAM-FILE")]
        held = {row.line: row for row in content.rows}
        # A cell that could not be read is blank among the rows: written anew, what stood there would be gone.
        lost = [p for p in content.problems if p.column and p.line in held and not held[p.line][p.column]]
        if unclear or lost:
            print(
                f"{place / content.table.file}: 未改，先更正 / left as it is, correct first:",
                *unclear,
                *lost,
                sep="\n  ",
            )
            continue
        changes.replace_with(place / content.table.file, render(content.table, content.rows))
        told = ", ".join(sorted({problem.code for problem in content.problems}))
        print(f"{place / content.table.file}: 已改为规范格式 / written anew ({told})")


def _baseline(options: argparse.Namespace, place: Path) -> tuple[Mapping[str, bytes], str]:
    """The rows in use, and what they are; no text where there is nothing to compare with."""
    if options.against == "none":
        return {}, ""
    if options.against == "warehouse":
        return baseline.of_warehouse(), "数据库中已部署的行 the rows deployed in the warehouse"
    if options.against == "commit":
        return baseline.deployed(place)
    if not Path(options.against).is_dir():
        raise UsageError(f"不是文件夹：{options.against} / no folder: {options.against}")
    return baseline.of_folder(Path(options.against)), options.against


def _export(options: argparse.Namespace) -> int:
    names = [_table(name).name for name in options.table]
    print(workbook.export(_contents(), Path(options.to), names))
    return 0


def _add(options: argparse.Namespace) -> int:
    contents = _contents()
    additions = _from_workbook(options, contents) if options.workbook else [_from_options(options, contents)]
    for added in additions:
        print("\n".join(changes.described(added)))
    if options.command == "propose" or not options.yes:
        print("\n未写入；确认无误后以 add … --yes 写入 / nothing written yet: add … --yes writes it")
        return 0
    for added in additions:
        print(f"已写入 / written: {changes.write(added, folder())}")
    print(
        "下一步 / next: make pipeline（或 build_ledger），记账规则表有变动的，再 "
        "python -m expectations adopt-rules --all --by … --reason …（docs/parameters.md）"
    )
    return 0


def _document(options: argparse.Namespace) -> int:
    if options.write:
        document.GUIDE.write_text(document.written(document.GUIDE.read_text("utf-8")), "utf-8")
        print(document.GUIDE)
    else:
        print(document.reference())
    return 0


def _from_options(options: argparse.Namespace, contents: Mapping[str, Content]) -> changes.Addition:
    if not options.table:
        raise UsageError("请指明 --table，或 --workbook / name a --table, or a --workbook")
    table, given = _table(options.table), dict(_assignments(options.set))
    if options.region:
        given["region_code"] = options.region
    if options.first_day:
        given["effective_from"] = options.first_day.isoformat()
    if options.last_day:
        given["effective_to"] = options.last_day.isoformat()
    if table.is_dated and not given.get("effective_from"):
        raise UsageError(
            f"{table.name}：请以 --from 日期 指明生效日 / {table.name}: name the first day in force by --from DAY"
        )
    try:
        draft = changes.row_from(table, contents[table.name], given, _today())
        return changes.addition(contents, table, [draft])
    except ParameterError as error:
        told = (replace(problem, file=f"{table.name}（新行 new row）", line=1) for problem in error.problems)
        raise ParameterError(*told) from error


def _from_workbook(options: argparse.Namespace, contents: Mapping[str, Content]) -> list[changes.Addition]:
    path = Path(options.workbook)
    found, missing = workbook.brought(path, contents)
    if not found:
        nothing = Problem(path.name, 1, "E-PARAM-NOTHING", detail="灰底行之下没有填写 nothing filled in")
        raise ParameterError(nothing, *missing)
    for problem in missing:
        print(_marked(problem), file=sys.stderr)
    return [_addition(f"{path.name}!{one.table.name}", one, contents) for one in found]


def _addition(file: str, brought: workbook.Brought, contents: Mapping[str, Content]) -> changes.Addition:
    """The rows of a worksheet; what is wrong with one is said of its line there."""
    table = brought.table
    try:
        return changes.addition(contents, table, [_dated(table, row) for row in brought.rows])
    except ParameterError as error:
        first = max((row.line for row in contents[table.name].rows), default=1) + 1
        lines = {first + place: row.line for place, row in enumerate(brought.rows)}
        told = (replace(problem, file=file, line=lines.get(problem.line, 1)) for problem in error.problems)
        raise ParameterError(*told) from error


def _dated(table: Table, row: Row) -> Row:
    known = row["known_from"] or changes.known_from(table, _today()).isoformat()
    return Row(row.line, {**row.cells, "known_from": known}) if table.has("known_from") else row


def _assignments(texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f"应写作 列=值：{text} / write column=value: {text}")
        yield name.strip(), value.strip()


def _contents() -> dict[str, Content]:
    contents = read_all(folder())
    require_sound(contents.values())
    return contents


def _table(name: str) -> Table:
    if name not in tables():
        listed = codes.said(name, tables())
        raise UsageError(f"没有这张表：{name}；{listed} / no such table: {name}; {listed}")
    return tables()[name]


def _today() -> date:
    return datetime.now(BEIJING).date()


def _told(error: ParameterError) -> int:
    place = folder()
    for problem in error.problems:
        print(_marked(at_file(problem, place)), file=sys.stderr)
    return EXIT_WRONG


def _marked(problem: Problem) -> str:
    return f"{'提示 warning' if problem.severity == 'warning' else '错误 error'} {problem}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m parameters",
        description="政策参数：查看、检查、导出、增加（只增不改） / policy parameters: look, check, export, add",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="列出各参数表 / the tables of parameters")
    listing.add_argument("--on", type=_day, help="自何日起找下次变动，缺省今日 / day to look ahead from")
    listing.set_defaults(run=_list)
    showing = commands.add_parser("show", help="某日有效的参数及其依据、下次变动 / what is in force on a day, and why")
    showing.add_argument("--region", help="统筹区代码 / code of the pooling area")
    showing.add_argument("--on", type=_day, help="日期，缺省今日 / the day, today by default")
    showing.add_argument("--known-on", type=_day, help="按该日所知 / as it was known on that day")
    showing.add_argument("--table", action="append", default=[], help="只看此表，可重复 / this table only, repeatable")
    showing.set_defaults(run=_show)
    checking = commands.add_parser("check", help="检查全部参数文件，不需要数据库 / check all files, without a database")
    checking.add_argument(
        "--fix", action="store_true", help="改正 Excel 改写的编码、日期、数字 / mend what Excel rewrote"
    )
    checking.add_argument(
        "--against",
        default="commit",
        metavar="FOLDER|commit|warehouse|none",
        help="与已用的行比较：文件夹、上次提交（缺省，不在 git 中的与数据库）、数据库 / compare with the rows in use",
    )
    checking.set_defaults(run=_check)
    exporting = commands.add_parser("export", help="导出为工作簿，供填写新行 / write a workbook to fill in")
    exporting.add_argument("--to", default="parameters.xlsx", help="文件名 / file")
    exporting.add_argument(
        "--table", action="append", default=[], help="只导出此表，可重复 / this table only, repeatable"
    )
    exporting.set_defaults(run=_export)
    documenting = commands.add_parser("document", help="各表各列的含义 / what every table and column means")
    documenting.add_argument("--write", action="store_true", help="写入指南 / put it into docs/parameters.md")
    documenting.set_defaults(run=_document)
    for name, said in (
        ("propose", "显示将增加的行，不写入 / show the row that would be added"),
        ("add", "增加行：由选项给出，或由工作簿导入 / add rows, given here or filled in a workbook"),
    ):
        adding = commands.add_parser(name, help=said)
        adding.add_argument("--table", help="表 / table")
        adding.add_argument("--region", help="统筹区代码 / code of the pooling area")
        adding.add_argument("--from", dest="first_day", type=_day, metavar="DAY", help="生效日 / first day in force")
        adding.add_argument(
            "--to",
            dest="last_day",
            type=_day,
            metavar="DAY",
            help="失效日（含当日，缺省长期） / last day in force, inclusive; open by default",
        )
        adding.add_argument(
            "--set", action="append", default=[], metavar="COLUMN=VALUE", help="列的值，可重复 / repeatable"
        )
        adding.add_argument("--workbook", help="填好的工作簿 / a workbook that was filled in")
        adding.add_argument("--yes", action="store_true", help="写入（仅 add） / write it (add only)")
        adding.set_defaults(run=_add)
    return parser


def _day(text: str) -> date:
    found = cells.day(text)
    if not found.text:
        said = Problem("", 0, found.code, value=text)
        raise argparse.ArgumentTypeError(f"{found.code} {said.sentences}")
    return date.fromisoformat(found.text)


if __name__ == "__main__":
    sys.exit(main())
