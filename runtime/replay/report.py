"""A replay told to people (both languages) and to programs (JSON)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runtime.replay import Ending, Outcome
from runtime.replay.comparison import OWN_READING, Difference, Result
from runtime.replay.records import amount_of, seq_of
from runtime.terminal import table

_TITLE = {
    Outcome.EQUAL: "重放与现行账簿逐行一致 / the replayed books equal the live ones row for row",
    Outcome.DIFFERENT: "重放与现行账簿不一致 / THE REPLAYED BOOKS DIFFER FROM THE LIVE ONES",
    Outcome.SWAPPED: "已用重放账簿替换 / the replayed books are the live ones now",
    Outcome.REFUSED: "未替换，现行账簿不变 / NOT SWAPPED; the live books are as they were",
}
_SIDE = {"live_only": "仅现行 / live only", "replayed_only": "仅重放 / replayed only"}
SHOWN_IN_TEXT = 10


def text(ending: Ending) -> str:
    """The report for a terminal: relations with their counts, then what differs, by region, entry, event and amount."""
    lines = [f"{_TITLE[ending.outcome]}    run_id {ending.run_id}", ""]
    head = ("表 / relation", "现行 / live", "重放 / replayed", "仅现行 / live only", "仅重放 / replayed only")
    lines += table([head, *map(_counts, _by_relation(ending.results))], right=(1, 2, 3, 4))
    for result in ending.different:
        lines += [
            "",
            f"  {result.relation}  {result.region_code}  seq ≤ {result.head_seq}  {result.problem or ''}".rstrip(),
        ]
        lines += table([_difference(one) for one in result.differences[:SHOWN_IN_TEXT]], right=(3,), indent=4)
    if ending.different:
        lines += ["", "全部明细 / all of it: quality.replay_result, quality.replay_difference"]
    return "\n".join([*lines, *(f"- {note}" for note in ending.notes)])


def write(ending: Ending, path: Path) -> None:
    """The report as JSON: amounts are strings with all digits, times are ISO 8601 in UTC."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_document(ending), ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")


def _document(ending: Ending) -> dict[str, Any]:
    return {
        "run_id": ending.run_id,
        "outcome": ending.outcome.value,
        "started_at": ending.started_at.isoformat(),
        "notes": ending.notes,
        "read_otherwise": {name: reading.reason for name, reading in OWN_READING.items()},
        "results": [
            {
                "relation": one.relation,
                "region_code": one.region_code,
                "head_seq": one.head_seq,
                "success": one.success,
                "live_rows": one.live_rows,
                "replayed_rows": one.replayed_rows,
                "live_only_rows": one.live_only_rows,
                "replayed_only_rows": one.replayed_only_rows,
                "problem": one.problem,
                "duration_ms": one.duration_ms,
                "differences": [{"side": kept.side, "row": kept.item} for kept in one.differences],
            }
            for one in ending.results
        ],
    }


def _by_relation(results: list[Result]) -> list[list[Result]]:
    names = list(dict.fromkeys(one.relation for one in results))
    return [[one for one in results if one.relation == name] for name in names]


def _counts(results: list[Result]) -> tuple[str, ...]:
    counted = ("live_rows", "replayed_rows", "live_only_rows", "replayed_only_rows")
    return (results[0].relation, *(f"{sum(getattr(one, name) for one in results):,}" for name in counted))


def _difference(one: Difference) -> tuple[str, ...]:
    item, amount = one.item, amount_of(one.item)
    place = str(item.get("entry_id") or " ".join(str(item[k]) for k in _PLACE if item.get(k) is not None))
    return (_SIDE[one.side], place, f"seq {seq_of(item) or '-'}", f"{amount:,.2f}" if amount is not None else "")


_PLACE = ("fund_code", "accounting_month", "account_code", "line_code", "voucher_no", "sub_fund")
