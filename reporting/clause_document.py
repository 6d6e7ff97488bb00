"""docs/clauses.md from the register of clauses: `python -m reporting.clause_document [--write]`.

The register is two seeds, `clause` and `clause_answer`; the document is them in a form to read. Without --write the
two are compared, exit code 1 when they differ.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from ingestion.settings import REPOSITORY
from reporting.clauses import Clause, grouped

DOCUMENT = REPOSITORY / "docs" / "clauses.md"
_SEEDS = REPOSITORY / "dbt_project" / "seeds" / "policy"
_KINDS = ("page", "mart", "check", "seed", "dag", "document")
_HEAD = """# 通知条款对照 · The notices, clause by clause

淮医保发〔2019〕87号与宁政办发〔2019〕52号的每条实施条款，由本系统的哪些页面、数据表、检查、流程、参数和文件回答；
不由软件回答的注明原因。本文由参数表 `clause`、`clause_answer` 生成（`python -m reporting.clause_document --write`），
页面 clauses.html 同时给出各项检查的现状。

Every operative clause of the two notices on the merger, and the pages, tables, checks, DAGs, parameters and documents
that answer it; where software does not, why. Made of the seeds `clause` and `clause_answer`
(`python -m reporting.clause_document --write`); the page clauses.html shows beside them how the checks stand.

页面为报告文件夹中的文件；检查见 [supervision.md](supervision.md)；参数在 `dbt_project/seeds/`，
见 [parameters.md](parameters.md)，已装载的也可查询 `marts.policy_parameter`；流程见 [operations.md](operations.md)。

Pages are files of the reports folder; for checks see [supervision.md](supervision.md), for seeds
[parameters.md](parameters.md) or, as loaded, `marts.policy_parameter`; for DAGs [operations.md](operations.md).
"""
_TABLE = "| 条款 clause | 要求 what it asks | 回答 answer | 何处 where |\n| --- | --- | --- | --- |\n"
_GIVEN = (
    "clause_id",
    "region_code",
    "document_no",
    "section",
    "clause_zh",
    "clause_en",
    "answer_zh",
    "answer_en",
)


def register() -> list[Clause]:
    """The register as it stands in the seeds, in the order of the notices."""
    answers = _read("clause_answer")
    found: list[tuple[str | None, ...]] = []
    for row in sorted(_read("clause"), key=lambda row: (row["region_code"], int(row["clause_order"]))):
        given = tuple(row[name] for name in _GIVEN)
        own = [answer for answer in answers if answer["clause_id"] == row["clause_id"]]
        own.sort(key=lambda answer: (_KINDS.index(answer["answer_kind"]), answer["answer_name"]))
        found += [(*given, answer["answer_kind"], answer["answer_name"]) for answer in own] or [(*given, None, None)]
    return grouped(found)


def document() -> str:
    """The Markdown."""
    parts = [_HEAD]
    for (_, number), of_region in groupby(register(), lambda clause: (clause.region_code, clause.document_no)):
        parts.append(f"\n## {number}\n\n{_TABLE}")
        parts += [_row(clause) for clause in of_region]
    return "".join(parts)


def _row(clause: Clause) -> str:
    place = clause.clause_id.split("-", 1)[1]
    where = "；".join(", ".join(_shown(kind, name) for name in clause.of(kind)) for kind in _KINDS if clause.of(kind))
    cells = (
        f"{place}<br>{clause.section}",
        f"{clause.asked.zh}<br>{clause.asked.en}",
        f"{clause.said.zh}<br>{clause.said.en}",
        where or "不由软件回答 not for software",
    )
    return f"| {' | '.join(cells)} |\n"


def _shown(kind: str, name: str) -> str:
    if kind == "document":
        return f"[docs/{name}]({name})"
    return {"mart": f"`marts.{name}`", "dag": f"DAG `{name}`", "check": f"检查 check {name}"}.get(kind, f"`{name}`")


def _read(seed: str) -> list[dict[str, str]]:
    with (_SEEDS / f"{seed}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare the document with the register, or write it."""
    parser = argparse.ArgumentParser(prog="python -m reporting.clause_document", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/clauses.md")
    wanted, path = document(), Path(DOCUMENT)
    if parser.parse_args(arguments).write:
        path.write_text(wanted, encoding="utf-8")
        return 0
    if path.is_file() and path.read_text(encoding="utf-8") == wanted:
        return 0
    print("docs/clauses.md differs from its seeds; write it with --write", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
