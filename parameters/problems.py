"""What can be wrong with a parameter: one table of stable codes, and a problem with its place in a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]


class Said(NamedTuple):
    """A code's two sentences: what is wrong and what to do; {…} is filled in from the problem."""

    zh: str
    en: str
    severity: Severity = "error"


CODES: dict[str, Said] = {
    "E-PARAM-FILE": Said("参数表文件缺失或不认识：{detail}", "a table's file is missing or unknown: {detail}"),
    "E-PARAM-ENCODING": Said(
        "文件不是 UTF-8（{detail}，多为 Excel 另存）：用 check --fix 转换，或另存为“CSV UTF-8”",
        "the file is not UTF-8 ({detail}, mostly saved by Excel): convert it by check --fix, or save as CSV UTF-8",
    ),
    "E-PARAM-BOM": Said(
        "文件以 BOM 开头（Excel 的“CSV UTF-8”）：用 check --fix 去除",
        "the file begins with a byte-order mark (Excel's CSV UTF-8): remove it by check --fix",
    ),
    "E-PARAM-HEADER": Said(
        "表头与本版本不符：{detail}；列名与次序不得改动，分隔符为半角逗号",
        "the header is not this version's: {detail}; keep names and order of columns, commas between them",
    ),
    "E-PARAM-CELLS": Said(
        "本行有 {detail} 格，与表头列数不符：多为文字中有逗号而未加引号",
        "the row has {detail} cells, not as many as the header: mostly a comma inside text without quotes",
    ),
    "E-PARAM-DATE": Said(
        "日期“{value}”被改写：应为 {detail}（check --fix 可改）",
        "the date {value} was rewritten: it should read {detail} (check --fix does it)",
    ),
    "E-PARAM-SPACE": Said(
        "“{value}”前后有空格，装载后与任何代码都不相符（check --fix 可改）",
        "{value} has blanks around it and would match no code once loaded (check --fix does it)",
    ),
    "E-PARAM-BLANK": Said(
        "空行，会被当作一条没有内容的规则：删去（check --fix 可改）",
        "a blank line, which would be loaded as a row without content: remove it (check --fix does it)",
    ),
    "E-PARAM-DATE-UNREADABLE": Said("“{value}”不是日期：写作 2027-01-01", "{value} is no date: write it as 2027-01-01"),
    "E-PARAM-NUMBER": Said(
        "“{value}”不是规范的数字：{detail}（百分号、千分位可由 check --fix 改）",
        "{value} is no plain number: {detail} (check --fix removes per cent and thousands signs)",
    ),
    "E-PARAM-SCALE": Said(
        "“{value}”小数位过多，最多 {detail} 位", "{value} has too many decimals, at most {detail} are kept"
    ),
    "E-PARAM-BOOLEAN": Said("“{value}”应为 true 或 false", "{value} must be true or false"),
    "E-PARAM-RANGE": Said(
        "比例“{value}”不在 0 到 1 之间：8.8% 写作 0.088，而不是 8.8；{detail}",
        "the fraction {value} is not within 0 and 1: 8.8 % is 0.088, not 8.8; {detail}",
    ),
    "E-PARAM-PRODUCT": Said(
        "“{value}”与计算所得不符：{detail}；待遇按工资额计算，请更正其一，或工资额留空",
        "{value} is not what follows from its row: {detail}; the benefit goes by the wage, so correct one of them, or "
        "leave the wage blank",
    ),
    "E-PARAM-LEAST": Said(
        "“{value}”过小：本列不得小于 {detail}", "{value} is too small: at least {detail} is wanted here"
    ),
    "E-PARAM-CHANGE": Said(
        "变动幅度“{value}”超出 −100% 至 100%：写作小数，{detail}",
        "the change {value} is not within −100 % and 100 %: write it as a fraction, {detail}",
    ),
    "E-PARAM-WORD": Said(
        "“{value}”应写代码 {detail}（check --fix 可改）",
        "{value} must be written as the code {detail} (check --fix does it)",
    ),
    "E-PARAM-CODE-NEW": Said(
        "“{value}”是以前没有用过的代码，请核对拼写{detail}",
        "the code {value} was never used before, check how it is spelt{detail}",
        "warning",
    ),
    "E-PARAM-VALUE": Said("“{value}”不是本列可用的值：{detail}", "{value} is none of this column's values: {detail}"),
    "E-PARAM-REGION": Said(
        "统筹区“{value}”不在 policy_region 中：先在该表加一行，或更正代码",
        "the region {value} is not in policy_region: add it there first, or correct the code",
    ),
    "E-PARAM-EMPTY": Said("本列不能为空", "this column must not be blank"),
    "E-PARAM-STATUS": Said(
        "缺依据状态：verified 已核原文、secondary 二手来源、assumed 假定",
        "the status is missing: verified, secondary or assumed",
    ),
    "E-PARAM-SOURCE": Said(
        "缺依据或来源：写明文号、条款；假定的写明理由", "clause or source is missing; for what is assumed say why"
    ),
    "E-PARAM-PERIOD": Said(
        "失效日 {value} 早于生效日 {detail}", "the last day {value} lies before the first, {detail}"
    ),
    "E-PARAM-ORDER": Said("{detail}：下限不得高于上限", "{detail}: the lower must not be above the upper"),
    "E-PARAM-DUPLICATE": Said("与第 {detail} 行完全相同：删去一行", "the same as line {detail}: remove one of the two"),
    "E-PARAM-TWICE": Said(
        "与第 {detail} 行为同一参数、known_from 相同而内容不同，无法判定以哪行为准："
        "删去一行，或令新行的 known_from 更晚",
        "the same parameter as line {detail}, known from the same day and saying something else, so neither wins: "
        "remove one, or let the new row be known from later",
    ),
    "E-PARAM-OVERLAP": Said(
        "与第 {detail} 行期间重叠，生效日与 known_from 均相同，无法判定以哪行为准："
        "删去一行，或令新行的 known_from 更晚",
        "the period overlaps that of line {detail}, with the same first day and the same known_from, so neither wins: "
        "remove one, or let the new row be known from later",
    ),
    "E-PARAM-OVERLAP-START": Said(
        "与第 {detail} 行期间重叠且 known_from 相同，以生效日较晚者为准；如非本意，填写前一行的失效日",
        "the period overlaps that of line {detail}, known from the same day: the one that starts later wins; if "
        "that is not meant, end the earlier one",
        "warning",
    ),
    "E-PARAM-GAP": Said(
        "同一参数的期间有空档：{detail} 没有规则", "the periods leave a gap: nothing is in force {detail}", "warning"
    ),
    "E-PARAM-CHANGED": Said(
        "已用的行被改动或删除（{detail}）：请恢复，另加一行 known_from 更晚的新行",
        "a row that is in use was changed or removed ({detail}): put it back and add a new one, known from later",
    ),
    "E-PARAM-KNOWN": Said(
        "known_from {value} 不晚于 {detail}：新行的 known_from 应晚于最近一次入账日",
        "known_from {value} is not after {detail}: a new row must be known from after the newest recorded day",
    ),
    "E-PARAM-KNOWN-LATER": Said(
        "known_from {value} 在 {detail} 之后：该日之前不以本行为准，请核对",
        "known_from {value} lies after {detail}: until then the row does not count, make sure that this is meant",
        "warning",
    ),
    "E-PARAM-COMMAND": Said("命令有误：{detail}", "the command is wrong: {detail}"),
    "E-PARAM-WORKBOOK": Said("工作簿无法读取：{detail}", "the workbook can't be read: {detail}"),
    "E-PARAM-MISSING": Said(
        "工作簿中缺已用的行（{detail}）：参数只增不改，未删除任何行",
        "used rows are missing from the workbook ({detail}): rows only grow, nothing was removed",
        "warning",
    ),
    "E-PARAM-NOTHING": Said("没有新行：{detail}", "there is no new row: {detail}"),
}


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong, at a line (of the file, the header is line 1) and a column of a table."""

    file: str
    line: int
    code: str
    column: str = ""
    value: str = ""
    detail: str = ""

    @property
    def severity(self) -> Severity:
        """Whether it stands against using the file."""
        return CODES[self.code].severity

    @property
    def sentences(self) -> str:
        """What is wrong and what to do, Chinese / English."""
        said = CODES[self.code]
        # A detail may speak both languages itself.
        detail_zh, _, detail_en = self.detail.partition(" / ")
        zh = said.zh.format(value=self.value, detail=detail_zh)
        en = said.en.format(value=self.value, detail=detail_en or detail_zh)
        return f"{zh} / {en}"

    def __str__(self) -> str:
        column = f" [{self.column}]" if self.column else ""
        line = f":{self.line}" if self.line else ""
        return f"{self.file}{line}{column} {self.code} {self.sentences}"


class ParameterError(Exception):
    """A command can't go on; `problems` say why."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))
