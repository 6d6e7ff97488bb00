"""The three plain-text formats: how a declaration and an entry are written in each.

Every text that comes from outside is made harmless first: in comments of ledger and hledger a colon makes a tag, a
comma ends it, and a date in brackets would move the posting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from reporting.journal_export.reading import Account, Head, Line

COMMODITY = "CNY"
Paths = Mapping[tuple[str, str, str], str]

_FULL_WIDTH = str.maketrans({";": "；", '"': "＂", "\\": "＼", "|": "｜", ":": "：", "[": "［", "]": "］", "=": "＝"})
_CONTROL = str.maketrans(dict.fromkeys((*range(32), 127, 0x85, 0x2028, 0x2029), " "))


class Format(Protocol):
    """One program's way of writing; texts end with a line feed."""

    def opening(self, region_code: str, head: Head, accounts: Sequence[Account]) -> str:
        """What stands at the top: of what the journal is, the commodity, the accounts."""

    def entry(self, lines: Sequence[Line], paths: Paths) -> str:
        """One entry as one transaction."""


def harmless(text: str) -> str:
    """Text without characters that mean something to one of the programs."""
    return text.translate(_CONTROL).translate(_FULL_WIDTH).strip()


class Beancount:
    """Metadata in the program's own syntax."""

    def opening(self, region_code: str, head: Head, accounts: Sequence[Account]) -> str:
        """Options and one `open` an account, dated the month it first moved."""
        opened = "".join(
            f"{a.first_month} open {a.path} {COMMODITY}\n"
            f'  name_zh: "{harmless(a.name_zh)}"\n  name_en: "{harmless(a.name_en)}"\n'
            for a in accounts
        )
        return (
            f"{_about(';', region_code, head)}"
            f'option "title" "{region_code}"\noption "operating_currency" "{COMMODITY}"\n\n{opened}\n'
        )

    def entry(self, lines: Sequence[Line], paths: Paths) -> str:
        """One transaction; red lines say on which side they stand."""
        first = lines[0]
        meta = "".join(f'  {name}: "{value}"\n' for name, value in [("voucher", _voucher(first)), *_tags(first)])
        postings = "".join(
            f"  {paths[line.fund_code, line.account_code, line.sub_fund]}  {line.amount} {COMMODITY}\n"
            + (f'    red: "{line.red_side}"\n' if line.red_side else "")
            for line in lines
        )
        return f'{first.posting_date} * "{harmless(first.summary)}"\n{meta}{postings}\n'


class Ledger:
    """ledger-cli: tags in comments, the voucher as the transaction's code."""

    def opening(self, region_code: str, head: Head, accounts: Sequence[Account]) -> str:
        """The commodity and the accounts, so that the journal passes with --pedantic."""
        declared = "".join(
            f"account {a.path}\n    note {harmless(a.name_zh)} / {harmless(a.name_en)}\n" for a in accounts
        )
        tags = "".join(f"tag {name}\n" for name in ("event", "source", "kind", "item", "red"))
        commodity = f"commodity {COMMODITY}\n    format 1000.00 {COMMODITY}\n"
        return f"{_about(';', region_code, head)}{commodity}{tags}{declared}\n"

    def entry(self, lines: Sequence[Line], paths: Paths) -> str:
        """One cleared transaction; red lines say on which side they stand."""
        first = lines[0]
        meta = "".join(f"    ; {name}: {value}\n" for name, value in _tags(first))
        postings = "".join(
            f"    {paths[line.fund_code, line.account_code, line.sub_fund]}  {line.amount} {COMMODITY}"
            + (f"  ; red: {line.red_side}\n" if line.red_side else "\n")
            for line in lines
        )
        return f"{first.posting_date} * ({_voucher(first)}) {harmless(first.summary)}\n{meta}{postings}\n"


class HLedger(Ledger):
    """hledger: as ledger-cli, but for how commodity and accounts are declared."""

    def opening(self, region_code: str, head: Head, accounts: Sequence[Account]) -> str:
        """The commodity and the accounts, so that the journal passes `hledger check --strict`."""
        declared = "".join(f"account {a.path}\n    ; {harmless(a.name_zh)} / {harmless(a.name_en)}\n" for a in accounts)
        return f"{_about(';', region_code, head)}commodity 1000.00 {COMMODITY}\n\n{declared}\n"


def _about(comment: str, region_code: str, head: Head) -> str:
    return (
        f"{comment} 统筹区 / region {region_code}\n"
        f"{comment} 已发布到事件 / published up to event {head.seq}\n"
        f"{comment} 批次哈希 / batch hash {head.batch_hash}\n\n"
    )


def _voucher(line: Line) -> str:
    return f"{line.fund_code}-{line.accounting_month:%Y-%m}-{line.voucher_no}"


def _tags(line: Line) -> list[tuple[str, str]]:
    """What leads an entry back to where it comes from."""
    source = f"{harmless(line.source_system)}/{harmless(line.source_file or '-')}#{line.source_line}".replace(",", "，")
    found = [("event", f"{line.entry_id} {line.event_type}"), ("source", source)]
    if line.entry_kind != "normal":
        found.append(("kind", line.entry_kind))
    if line.benefit_item:
        found.append(("item", line.benefit_item))
    return found
