"""Verdicts in one sentence, in official Chinese and plain English, and the lights that go with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from expectations.freeze import Frozen
from ingestion.settings import BEIJING
from reporting.names import OWNERS, Name, name_of
from reporting.quality import FROZEN, HEAD_MOVED, NOT_CHECKED, RULES_NOT_ADOPTED, CheckResult, RegionVerdict, Run

Light = Literal["green", "amber", "red", "grey"]

LIGHTS: dict[Light, Name] = {
    "red": Name("未发布", "Not published"),
    "grey": Name("未检查", "Not checked"),
    "amber": Name("已发布，有提示", "Published, with warnings"),
    "green": Name("已发布，可信", "Published, can be trusted"),
}


PUBLISHED_FAIL = Name("已发布的账簿未通过检查", "Published, but has failed")
FROZEN_AND_FAIL = Name("已发布的账簿未通过检查，已暂停发布", "Published, but has failed; frozen")
FROZEN_BOOKS = Name("已暂停发布，查明前请勿使用", "Frozen, not to be used")
_FROZEN_BY_HAND = Name("已暂停发布", "Publication frozen")
_CHECKS_FAILED = Name("检查不通过，未作决定", "Checks failed, not decided")
_NO_VERDICT = {
    "undecided": Name("已检查，未作决定", "Checked, not decided"),
    "nothing_loaded": Name("未入账", "Nothing loaded"),
}


def region_light(verdict: RegionVerdict, results: Sequence[CheckResult]) -> Light:
    """Red: frozen, refused, or a check of the newest results failed. Grey: no verdict. Amber: published, with warnings.

    A warning all of which is accepted is none.
    """
    if verdict.frozen is not None or verdict.state == "refused" or _failed(results):
        return "red"
    if verdict.state not in ("published", "unchanged"):
        return "grey"
    return "amber" if _warned(results) else "green"


def badge(verdict: RegionVerdict, results: Sequence[CheckResult]) -> Name:
    """What stands beside the light of a region."""
    light = region_light(verdict, results)
    if published_books_fail(verdict, results):
        return PUBLISHED_FAIL if verdict.frozen is None else FROZEN_AND_FAIL
    if verdict.frozen is not None:
        return FROZEN_BOOKS if verdict.frozen.codes else _FROZEN_BY_HAND
    if light == "red":
        return LIGHTS[light] if verdict.state == "refused" else _CHECKS_FAILED
    return _NO_VERDICT.get(verdict.state, LIGHTS[light])


def published_books_fail(verdict: RegionVerdict, results: Sequence[CheckResult]) -> bool:
    """Whether the very books that are public have been checked, and a check has failed on them."""
    return verdict.published_was_checked and bool(_failed(results))


def warning(verdict: RegionVerdict, results: Sequence[CheckResult]) -> Name | None:
    """What must stand beside figures of the published books: they fail, or publication is frozen. None: nothing."""
    said = []
    if published_books_fail(verdict, results):
        codes = [result.code for result in _failed(results)]
        said.append(
            Name(
                f"已发布的账簿检查不通过（{'、'.join(codes)}），查明之前请勿使用",
                f"The published books have failed ({', '.join(codes)}) and are not to be used until this is settled",
            )
        )
    if verdict.frozen is not None:
        frozen = frozen_words(verdict.frozen)
        said.append(Name(frozen.zh, f"{frozen.en[0].upper()}{frozen.en[1:]}"))
    return Name("；".join(one.zh for one in said) + "。", ". ".join(one.en for one in said) + ".") if said else None


def _failed(results: Sequence[CheckResult]) -> list[CheckResult]:
    return [result for result in results if not result.success and result.severity == "fail"]


def _warned(results: Sequence[CheckResult]) -> list[CheckResult]:
    """Results with something that neither passed nor is accepted."""
    return [result for result in results if not result.success and not result.is_accepted]


def suite_light(results: Sequence[CheckResult]) -> Light:
    """The worst of a suite's results; grey when it has none."""
    if not results:
        return "grey"
    failed = {result.severity for result in _warned(results)}
    return "red" if "fail" in failed else "amber" if failed else "green"


def sentence(
    verdict: RegionVerdict, results: Sequence[CheckResult], last_month: date | None, run: Run | None = None
) -> Name:
    """What became of a region in this run; the name of the region is not part of it."""
    if published_books_fail(verdict, results):
        return _published_fail(verdict, results, last_month)
    if verdict.frozen is not None and verdict.state != "refused":
        return _frozen_since(verdict, last_month)
    if verdict.state == "refused":
        return _refused(verdict, results, last_month)
    if verdict.state in ("published", "unchanged"):
        return _published(verdict, results, last_month)
    if verdict.state == "undecided":
        return _undecided(verdict, results, last_month)
    return _without_results(verdict, last_month, run)


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
    warned = _warned(results)
    month = month_name(last_month)
    head = verdict.published
    if verdict.state == "unchanged" and head is not None:
        done = Name(
            f"账簿可信；本次没有新数据，仍为{_moment_zh(head.published_at)}发布的结果（逐笔检查已在发布时完成），截至{month.zh}",
            f"The books can be trusted; there was nothing new, they are as published on {moment(head.published_at)}"
            f" (events were checked one by one at that time), through {month.en}",
        )
    else:
        done = Name(
            f"账簿可信，已发布，截至{month.zh}", f"The books can be trusted and are published through {month.en}"
        )
    accepted = _accepted(results)
    if not warned:
        passed = _all_passed(results)
        return Name(f"{done.zh}；{passed.zh}{accepted.zh}。", f"{done.en}; {passed.en}{accepted.en}.")
    found = _found(warned)
    return Name(f"{done.zh}；另有 {found.zh}{accepted.zh}。", f"{done.en}, with {found.en}{accepted.en}.")


def _all_passed(results: Sequence[CheckResult]) -> Name:
    """How many checks passed, and how many of them had nothing to look at."""
    passed = [result for result in results if result.success]
    others = len(passed) < len(results)
    idle = sum(result.rows_examined == 0 for result in passed)
    return Name(
        f"{'其他 ' if others else ''}{len(passed)} 项检查全部通过"
        + (f"（其中 {idle} 项本次无新数据可查）" if idle else ""),
        f"all {'other ' if others else ''}{len(passed)} checks have passed"
        + (f" ({idle} of them had no new data to look at)" if idle else ""),
    )


def _accepted(results: Sequence[CheckResult]) -> Name:
    """What is accepted, by whom and until when; nothing when nothing is."""
    accepted = [result for result in results if result.accepted_count]
    if not accepted:
        return Name("", "")
    codes, rows = [result.code for result in accepted], sum(result.accepted_count for result in accepted)
    by = "、".join(dict.fromkeys(result.accepted_by for result in accepted if result.accepted_by))
    ends = [result.accepted_until for result in accepted if result.accepted_until]
    zh = f"；已接受的提示 {rows:,} 行（{'、'.join(codes)}）" + (f"，{by}接受" if by else "")
    en = f"; {_plural(rows, 'row')} accepted ({', '.join(codes)})" + (f" by {by}" if by else "")
    if ends:
        zh += f"，最早至{min(ends).year}年{min(ends).month}月{min(ends).day}日"
        en += f", until {min(ends):%Y-%m-%d} at the earliest"
    return Name(zh, en)


def _published_fail(verdict: RegionVerdict, results: Sequence[CheckResult], last_month: date | None) -> Name:
    """The books that readers see are those that failed: nothing better is left to look at."""
    head, month, found = verdict.published, month_name(last_month), _found(_failed(results))
    if head is None:
        raise ValueError(f"region {verdict.region_code} has published nothing")
    frozen = _frozen_for(verdict) if verdict.frozen is not None else []
    frozen_zh = "".join(f"{reason.zh}。" for reason in frozen)
    frozen_en = "".join(f" {reason.en[0].upper()}{reason.en[1:]}." for reason in frozen)
    return Name(
        f"已发布的账簿本次检查不通过，查明之前请勿使用：{found.zh}；所涉即{_moment_zh(head.published_at)}发布、"
        f"目前可查询的账簿，截至{month.zh}。{frozen_zh}",
        f"The published books themselves have failed and are not to be used until this is settled: {found.en}."
        f" They were published on {moment(head.published_at)}, through {month.en}, and readers still see"
        f" them.{frozen_en}",
    )


# Checks that look at published history as well as at what is new.
_OF_HISTORY = ("H01",)


def _refused(verdict: RegionVerdict, results: Sequence[CheckResult], last_month: date | None) -> Name:
    failed = _failed(results)
    reasons = [_reason(reason) for reason in _other_reasons(verdict)]
    if FROZEN in verdict.reasons:
        reasons = [*_frozen_for(verdict), *reasons]
    if failed:
        reasons.insert(0, _found(failed))
    if not failed:
        reasons.append(_acts(["data_operations"]))
    audited = verdict.frozen is not None and bool(verdict.frozen.codes)
    still = _still_shown(verdict, last_month, doubted=audited or any(one.code in _OF_HISTORY for one in failed))
    return Name(
        "本次未予发布：" + "；".join(reason.zh for reason in reasons) + f"；{still.zh}",
        "Not published: " + "; ".join(reason.en for reason in reasons) + f". {still.en}",
    )


def _frozen_since(verdict: RegionVerdict, last_month: date | None) -> Name:
    """The run has decided, and then publication was frozen: what readers see is what the freeze is about."""
    reasons = _frozen_for(verdict)
    still = _still_shown(verdict, last_month, doubted=verdict.frozen is not None and bool(verdict.frozen.codes))
    return Name(
        "；".join(reason.zh for reason in reasons) + f"；{still.zh}",
        "; ".join(f"{reason.en[0].upper()}{reason.en[1:]}" for reason in reasons) + f". {still.en}",
    )


def _frozen_for(verdict: RegionVerdict) -> list[Name]:
    """Who has frozen publication and why, and what the audit that did it has found."""
    return [frozen_words(verdict.frozen)] + ([_found(verdict.audited)] if verdict.audited else [])


def frozen_words(frozen: Frozen | None) -> Name:
    """Who has frozen publication, when and why; what to do."""
    if frozen is None:
        return Name("当时已暂停发布，现已恢复", "publication was frozen then, and has been lifted since")
    codes = f"（{'、'.join(frozen.codes)}）" if frozen.codes else ""
    who_zh = "夜间审计" if frozen.run_id else frozen.frozen_by
    return Name(
        f"{who_zh}于{_moment_zh(frozen.frozen_at)}暂停发布{codes}：{frozen.reason}；查明处理后由专人恢复",
        f"publication was frozen by {frozen.frozen_by} on {moment(frozen.frozen_at)}"
        f"{' (' + ', '.join(frozen.codes) + ')' if frozen.codes else ''}: {frozen.reason};"
        " once it is settled a named person lifts it",
    )


def _found(results: Sequence[CheckResult]) -> Name:
    """How many checks, rows and yuan, since when, and who acts."""
    count, rows = len(results), sum(result.open_count for result in results)
    amounts = [amount for result in results if (amount := result.open_amount)]
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
    others = [reason for reason in verdict.reasons if reason in (NOT_CHECKED, HEAD_MOVED, RULES_NOT_ADOPTED)]
    return [*([f"{NOT_CHECKED}:{'、'.join(missing)}"] if missing else []), *others]


def _reason(reason: str) -> Name:
    if reason == HEAD_MOVED:
        return Name(
            "检查之后账簿又有变动，原检查结论不再适用，需重新检查",
            "the ledger moved after the checks, whose verdict no longer holds; it has to be checked again",
        )
    if reason == RULES_NOT_ADOPTED:
        return Name(
            "记账规则自上次发布后有变更，尚未在该统筹区日志中采用："
            "由运行人员执行 python -m expectations adopt-rules 后重新运行",
            "the posting rules have changed since the last publication and the region's log has not adopted them: the"
            " operator runs python -m expectations adopt-rules, then the pipeline again",
        )
    if reason == NOT_CHECKED:
        return Name(
            "本次运行未完成对该统筹区的检查，未经检查的数据不得发布",
            "this run has not checked the region, and nothing unchecked is published",
        )
    codes = reason.partition(":")[2]
    return Name(f"缺少检查 {codes} 的结果", f"checks {codes.replace('、', ', ')} have no result")


def _still_shown(verdict: RegionVerdict, last_month: date | None, *, doubted: bool = False) -> Name:
    """What readers see; `doubted` when a check has failed that also looks at what was published before."""
    head = verdict.published
    if head is None:
        return Name("该统筹区尚无已发布的账簿。", "Nothing has been published for this region yet.")
    month, published_at = month_name(last_month), moment(head.published_at)
    doubt = Name("", "")
    if doubted:
        doubt = Name(
            "该项检查也涉及此前已发布的数据，内部审计查明之前请勿使用。",
            " That check also covers what was published before: do not use it until internal audit has settled this.",
        )
    return Name(
        f"可查询的账簿仍为{_moment_zh(head.published_at)}发布的结果，截至{month.zh}。{doubt.zh}",
        f"Readers still see the books published on {published_at}, through {month.en}.{doubt.en}",
    )


def _undecided(verdict: RegionVerdict, results: Sequence[CheckResult], last_month: date | None) -> Name:
    still = _still_shown(verdict, last_month)
    failed = _failed(results) or _warned(results)
    found = _found(failed) if failed else _all_passed(results)
    return Name(
        f"检查已完成，尚未作出发布决定：{found.zh}；{still.zh}",
        f"Checked, but no decision on publication has been made: {found.en}. {still.en}",
    )


def _without_results(verdict: RegionVerdict, last_month: date | None, run: Run | None) -> Name:
    """A region that the run has not checked: nothing was there to check, it came too late, or the run broke."""
    if verdict.state == "no_data":
        return Name("尚无数据，未收到该统筹区的任何文件。", "No data yet: no file of this region has come.")
    still = _still_shown(verdict, last_month)
    if verdict.state == "nothing_loaded":
        said = Name(
            "已收到文件，但无一行入账，见“隔离数据”和“来源文件”，更正后重报",
            "Files have come, but no row of them could be loaded; see the rows held back and the files",
        )
    elif run is None:
        said = Name("数据已收到，尚未运行检查", "Data have come; nothing has been checked yet")
    elif run.decided_at is not None or (verdict.built_seq == 0 and run.left_traces):
        said = Name(
            "数据在本次构建之后才收到，下次运行时检查", "The data came after this run had built; the next run checks it"
        )
    elif verdict.built_seq == 0:
        said = Name(
            "本次运行未检查该统筹区：数据在构建之后才收到，或构建中断；下次运行仍未检查的，由数据运维负责处理",
            "This run has not checked the region: its data came too late, or the build broke; data operations acts if"
            " the next run does not check it either",
        )
    else:
        acts = _acts(["data_operations"])
        said = Name(
            f"本次运行在质量检查完成之前中断，未形成结论，{acts.zh}",
            f"This run broke before its checks were done and has no verdict; {acts.en}",
        )
    return Name(f"{said.zh}；{still.zh}", f"{said.en}. {still.en}")
