"""Verdicts in one sentence, in official Chinese and plain English, and the lights that go with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from ingestion.settings import BEIJING
from reporting.names import OWNERS, Name, name_of
from reporting.quality import HEAD_MOVED, NOT_CHECKED, CheckResult, RegionVerdict

Light = Literal["green", "amber", "red", "grey"]

LIGHTS = {
    "red": Name("未发布", "Not published"),
    "grey": Name("未检查", "Not checked"),
    "amber": Name("已发布，有提示", "Published, with warnings"),
    "green": Name("已发布，可信", "Published, can be trusted"),
}


def region_light(verdict: RegionVerdict, results: Sequence[CheckResult]) -> Light:
    """Red: refused. Grey: no verdict in this run. Amber: published, with warnings. Green: published, nothing found."""
    if verdict.state == "refused":
        return "red"
    if verdict.state in ("no_data", "not_checked", "undecided"):
        return "grey"
    return "green" if all(result.success for result in results) else "amber"


def suite_light(results: Sequence[CheckResult]) -> Light:
    """The worst of a suite's results; grey when it has none."""
    if not results:
        return "grey"
    failed = {result.severity for result in results if not result.success}
    return "red" if "fail" in failed else "amber" if failed else "green"


def sentence(verdict: RegionVerdict, results: Sequence[CheckResult], last_month: date | None) -> Name:
    """What became of a region in this run; the name of the region is not part of it."""
    if verdict.state == "refused":
        return _refused(verdict, results, last_month)
    if verdict.state in ("published", "unchanged"):
        return _published(verdict, results, last_month)
    return _without_decision(verdict, results, last_month)


def pending(verdict: RegionVerdict) -> Name | None:
    """What has arrived that this run has not looked at."""
    reached = max(verdict.checked_seq or 0, verdict.published.seq if verdict.published else 0)
    if verdict.log_seq <= reached:
        return None
    count = f"{verdict.log_seq - reached:,}"
    return Name(
        f"另有 {count} 笔已入库的业务数据尚未检查、尚未发布。",
        f"{count} recorded events are not checked or published yet.",
    )


def headline(lights: Sequence[tuple[Light, str]]) -> Name:
    """All regions with data in one sentence; takes light and Chinese name of each."""
    counts = {light: sum(1 for shown, _ in lights if shown == light) for light in LIGHTS}
    total = len(lights)
    if not total:
        return Name("尚无数据：系统中还没有任何统筹区的账簿。", "No data yet: there are no books of any region.")
    if counts["green"] == total:
        return Name(f"{total} 个统筹区的账簿全部可信，均已发布。", f"The books of all {total} regions can be trusted.")
    if counts["grey"] == total:
        return Name(
            "本次运行未形成结论；可查询的账簿仍为此前发布的结果。",
            "This run has come to no verdict; readers still see what was published before.",
        )
    parts = [(light, count) for light, count in counts.items() if count]
    return Name(
        f"{total} 个统筹区中：" + "，".join(f"{count} 个{LIGHTS[light].zh}" for light, count in parts) + "。",
        f"Of {total} regions: " + ", ".join(f"{count} {LIGHTS[light].en.lower()}" for light, count in parts) + ".",
    )


def month_name(month: date | None) -> Name:
    """`2020年6月`, `June 2020`."""
    if month is None:
        return Name("无月份", "no month")
    return Name(f"{month.year}年{month.month}月", f"{month:%B %Y}")


def moment(value: datetime) -> str:
    """Date and time in Beijing, to the minute."""
    return f"{value.astimezone(BEIJING):%Y-%m-%d %H:%M}"


def _day_zh(value: datetime) -> str:
    day = value.astimezone(BEIJING)
    return f"{day.year}年{day.month}月{day.day}日"


def _moment_zh(value: datetime) -> str:
    return f"{_day_zh(value)} {value.astimezone(BEIJING):%H:%M} "


def money(amount: Decimal) -> str:
    """`1,234.50`; a true minus sign in front of negative amounts."""
    return f"{amount:,.2f}".replace("-", "−")


def _published(verdict: RegionVerdict, results: Sequence[CheckResult], last_month: date | None) -> Name:
    warned = [result for result in results if not result.success]
    month = month_name(last_month)
    head = verdict.published
    if verdict.state == "unchanged" and head is not None:
        done = Name(
            f"账簿可信；本次没有新数据，仍为{_moment_zh(head.published_at)}发布的结果，截至{month.zh}",
            f"The books can be trusted; there was nothing new, they are as published on {moment(head.published_at)},"
            f" through {month.en}",
        )
    else:
        done = Name(
            f"账簿可信，已发布，截至{month.zh}", f"The books can be trusted and are published through {month.en}"
        )
    if not warned:
        return Name(f"{done.zh}；{len(results)} 项检查全部通过。", f"{done.en}; all {len(results)} checks have passed.")
    found = _found(warned)
    return Name(f"{done.zh}；另有 {found.zh}。", f"{done.en}, with {found.en}.")


def _refused(verdict: RegionVerdict, results: Sequence[CheckResult], last_month: date | None) -> Name:
    failed = [result for result in results if not result.success and result.severity == "fail"]
    reasons = [_reason(reason) for reason in _other_reasons(verdict)]
    if failed:
        reasons.insert(0, _found(failed))
    if not failed:
        reasons.append(_acts(["data_operations"]))
    still = _still_shown(verdict, last_month)
    return Name(
        "本次未予发布：" + "；".join(reason.zh for reason in reasons) + f"；{still.zh}",
        "Not published: " + "; ".join(reason.en for reason in reasons) + f". {still.en}",
    )


def _found(results: Sequence[CheckResult]) -> Name:
    """How many checks, rows and yuan, since when, and who acts."""
    count, rows = len(results), sum(result.unexpected_count for result in results)
    amounts = [result.unexpected_amount for result in results if result.unexpected_amount]
    failing = results[0].severity == "fail"
    codes = [result.code for result in results]
    zh = [f"{count} 项检查{'不通过' if failing else '提示'}（{'、'.join(codes)}），共 {rows:,} 行"]
    en = [f"{_plural(count, 'failed check' if failing else 'warning')} ({', '.join(codes)}), {_plural(rows, 'row')}"]
    if amounts:
        total = money(sum(amounts, Decimal(0)))
        zh.append(f"{'各项合计' if len(amounts) > 1 else ''}涉及金额 {total} 元")
        en.append(f"{total} yuan")
    seen = [result.first_seen_at for result in results if result.first_seen_at]
    if seen:
        zh.append(f"最早发现于{_day_zh(min(seen))}")
        en.append(f"first seen on {min(seen).astimezone(BEIJING):%Y-%m-%d}")
    acts = _acts(sorted({result.owner for result in results}))
    return Name("，".join([*zh, acts.zh]), ", ".join([*en, acts.en]))


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _acts(owners: Sequence[str]) -> Name:
    names = [name_of(OWNERS, owner) for owner in owners]
    return Name(
        f"由{'、'.join(name.zh for name in names)}负责处理", f"to be acted on by {', '.join(name.en for name in names)}"
    )


def _other_reasons(verdict: RegionVerdict) -> list[str]:
    """Reasons that are not results of checks; those for single checks without a result as one."""
    missing = [reason.partition(":")[2] for reason in verdict.reasons if reason.startswith(f"{NOT_CHECKED}:")]
    others = [reason for reason in verdict.reasons if reason in (NOT_CHECKED, HEAD_MOVED)]
    return [*([f"{NOT_CHECKED}:{'、'.join(missing)}"] if missing else []), *others]


def _reason(reason: str) -> Name:
    if reason == HEAD_MOVED:
        return Name(
            "检查之后账簿又有变动，原检查结论不再适用，需重新检查",
            "the ledger moved after the checks, whose verdict no longer holds; it has to be checked again",
        )
    if reason == NOT_CHECKED:
        return Name(
            "本次运行未完成对该统筹区的检查，未经检查的数据不得发布",
            "this run has not checked the region, and nothing unchecked is published",
        )
    codes = reason.partition(":")[2]
    return Name(f"缺少检查 {codes} 的结果", f"checks {codes.replace('、', ', ')} have no result")


def _still_shown(verdict: RegionVerdict, last_month: date | None) -> Name:
    head = verdict.published
    if head is None:
        return Name("该统筹区尚无已发布的账簿。", "Nothing has been published for this region yet.")
    month, published_at = month_name(last_month), moment(head.published_at)
    return Name(
        f"可查询的账簿仍为{_moment_zh(head.published_at)}发布的结果，截至{month.zh}。",
        f"Readers still see the books published on {published_at}, through {month.en}.",
    )


def _without_decision(verdict: RegionVerdict, results: Sequence[CheckResult], last_month: date | None) -> Name:
    if verdict.state == "no_data":
        return Name("尚无数据，未收到该统筹区的任何文件。", "No data yet: no file of this region has come.")
    still, failed = _still_shown(verdict, last_month), [result for result in results if not result.success]
    if verdict.state == "undecided":
        found = _found(failed) if failed else Name("全部通过", "all passed")
        return Name(
            f"检查已完成（{found.zh}），尚未作出发布决定。{still.zh}",
            f"Checked ({found.en}), but no decision on publication has been made. {still.en}",
        )
    acts = _acts(["data_operations"])
    return Name(
        f"本次运行在质量检查完成之前中断，未形成结论，{acts.zh}；{still.zh}",
        f"This run broke before its checks were done and has no verdict; {acts.en}. {still.en}",
    )
