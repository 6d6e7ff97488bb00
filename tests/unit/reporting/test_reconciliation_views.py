"""Lights, ages and cuts of the reconciliation pages, from figures made by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from reporting.names import Name
from reporting.reconciliation import views
from reporting.reconciliation.reading import MonthTieOut, _decoded, _encoded
from reporting.reconciliation.views import region_view
from reporting.tie_out.reading import Figure, Item

MARCH, APRIL = date(2020, 3, 1), date(2020, 4, 1)
ZERO = Decimal("0.00")


def figure(status: str = "agreed", difference: str = "0.00", **more: object) -> Figure:
    gap = Decimal(difference)
    made = Figure(
        "EMI", "bank_balance", "1004", None, Name("支出户存款", "Expenditure account"), MARCH, date(2020, 3, 31),
        Decimal("100.00") + gap, Decimal("100.00"), gap, ZERO, ZERO, ZERO, ZERO, status, "bank.csv", 7, "balance", 0,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def item(difference: str, status: str = "in_transit", stated_on: date = date(2020, 3, 31), **more: object) -> Item:
    made = Item(
        "EMI", "bank_balance", "1004", None, stated_on, status, date(2020, 3, 29), Decimal("-2221.00"),
        Decimal(difference), "320100-36136-1", 1, 1, 37, 36136, "claims.csv", 5, "bank.csv", 7, "entry", "balance",
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def view(*months: MonthTieOut, as_of: date = date(2020, 4, 10)) -> views.RegionView:
    return region_view("320100", Name("南京市", "Nanjing"), months, as_of)


@pytest.mark.parametrize(
    ("status", "light"),
    [("agreed", "green"), ("carried", "amber"), ("explained", "amber"), ("offsetting", "red"), ("unexplained", "red")],
)
def test_the_worst_figure_gives_the_light(status: str, light: str) -> None:
    month = view(MonthTieOut(MARCH, [figure(), figure(status, account_code="1005")], [])).months[0]
    assert month.light == light
    assert month.kinds[0].light == light
    assert [kind.light for kind in month.kinds[1:]] == ["grey"] * 3
    assert month.kinds[1].words.zh == "未报送"


def test_unexplained_differences_of_opposite_sign_do_not_make_up_for_each_other() -> None:
    figures = [
        figure("unexplained", "5.00", unexplained_amount=Decimal(5)),
        figure("unexplained", "-5.00", account_code="1005", unexplained_amount=Decimal(-5)),
    ]
    (month,) = view(MonthTieOut(MARCH, figures, [])).months
    assert month.unexplained == 10
    assert month.kinds[0].total("difference") == 0
    assert month.kinds[0].words.en == "2 of 2 differ"


def test_items_in_transit_age_until_a_later_statement_takes_them_back() -> None:
    march = MonthTieOut(MARCH, [figure("explained", "-2221.00", item_count=1)], [item("-2221.00")])
    (waiting,) = view(march).open_items
    assert (waiting.days, waiting.amount) == (12, Decimal("-2221.00"))
    assert [len(age.items) for age in view(march).ages] == [0, 1, 0, 0]
    assert [len(age.items) for age in view(march, as_of=date(2020, 12, 1)).ages] == [0, 0, 0, 1]
    april = MonthTieOut(APRIL, [figure(item_count=1)], [item("2221.00", stated_on=date(2020, 4, 30))])
    assert view(april, march).open_items == []


def test_what_is_missing_stays_open() -> None:
    wrong = item("3.00", "missing_there", matched_by="none")
    march = MonthTieOut(MARCH, [figure("unexplained", "3.00", item_count=1)], [wrong])
    april = MonthTieOut(APRIL, [figure()], [item("-3.00", "missing_here", date(2020, 4, 30), entry_id=None)])
    assert [one.amount for one in view(april, march).open_items] == [Decimal("-3.00"), Decimal("3.00")]


def test_what_is_cut_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "OPEN_FIGURES_OF_MONTH", 2)
    monkeypatch.setattr(views, "AGREED_FIGURES_OF_MONTH", 3)
    differing = [
        figure("explained" if number else "unexplained", f"{number}.00", account_code=f"{number}", item_count=9)
        for number in range(5)
    ]
    agreeing = [figure(account_code=f"1{number}") for number in range(7)]
    month = MonthTieOut(MARCH, differing + agreeing, [item("1.00", account_code="0")])
    shown = view(month).months[0]
    assert [one.figure.account_code for one in shown.differing] == ["0", "4"], "the worst first, then the largest"
    assert shown.differing_hidden == 3
    assert (len(shown.agreed), shown.agreed_hidden) == (3, 4)
    assert shown.differing[0].hidden == 8
    assert not shown.differing[0].adds_up
    older = view(*[replace(month, month=date(2020, number, 1)) for number in (12, 11, 10, 9)]).months
    assert [one.in_full for one in older] == [True, True, True, False]
    assert (len(older[3].agreed), older[3].agreed_hidden) == (0, 7)


def test_a_difference_is_carried_and_items() -> None:
    own = figure("explained", "5.00", carried_difference=Decimal("2.00"), item_count=1)
    (shown,) = view(MonthTieOut(MARCH, [own], [item("3.00")])).months[0].differing
    assert shown.adds_up
    (shown,) = view(MonthTieOut(MARCH, [own], [item("4.00")])).months[0].differing
    assert not shown.adds_up


def test_nothing_stated_is_said() -> None:
    nothing = view()
    assert (nothing.light, nothing.sentence.zh) == ("grey", "没有已发布的外部报表。")


def test_what_is_kept_reads_back_the_same() -> None:
    month = MonthTieOut(MARCH, [figure("explained", "-2221.00", item_count=1)], [item("-2221.00")])
    assert _decoded(MARCH, json.loads(json.dumps(_encoded(month), default=str))) == month
