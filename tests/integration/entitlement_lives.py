"""Women whose employment changes within the months that count, worked out by hand; Nanjing after the merger.

All give birth on 1 May 2021: 98 + 30 = 128 days, ten months are needed, July 2020 to April 2021.

flexible between  employee, flexible from July to September 2020, employee again: seven months count (October to April).
moved        at V1 for 6,000 until December, at V2 since January, where a colleague had 9,000 throughout 2020:
             V2's average counts, 9,000 / 30 = 300.00 a day, 38,400.00; the months at both employers are consecutive.
annulled     what was assessed for January was set to nothing afterwards: three months count (February to April).
corrected    6,000 in every month, December 2020 assessed anew at 9,600: (11 x 6,000 + 9,600) / 12 / 30 = 210.00 a day.
two of them  6,000 all of 2020, a colleague 10,000 from July on: (12 x 6,000 + 6 x 10,000) / 18 / 30 = 244.44 a day,
             31,288.32, paid in two parts.
"""

from __future__ import annotations

from datetime import date

from tests.integration.entitlement_books import Books
from tests.oracle.entitlement import Enrolment, plus

BORN = date(2021, 5, 1)
# By claim: kind, days, daily base and amount due, consecutive months.
WORKED_OUT = {
    "C-flexible between": ("not_entitled", 128, "200.00", "0.00", 7),
    "C-moved": ("as_due", 128, "300.00", "38400.00", 16),
    "C-annulled": ("not_entitled", 128, "200.00", "0.00", 3),
    "C-corrected": ("as_due", 128, "210.00", "26880.00", 16),
    "C-two of them": ("as_due", 128, "244.44", "31288.32", 16),
}


def add_lives(books: Books) -> None:
    """The facts of all of them, into books of Nanjing that are written later."""
    for number in ("V0", "V1", "V2", "V3", "V4", "V5"):
        books.facts.append(books._registered(number, date(2010, 5, 1), "enterprise"))
    _assessed(books, "flexible between", "V0", (2020, 1), 6)
    _assessed(books, "flexible between", None, (2020, 7), 3)
    _assessed(books, "flexible between", "V0", (2020, 10), 7)
    _enrolled(books, "flexible between", "V0", date(2020, 1, 1), date(2020, 7, 1))
    _enrolled(books, "flexible between", None, date(2020, 7, 1), date(2020, 10, 1))
    _enrolled(books, "flexible between", "V0", date(2020, 10, 1), None)
    _paid(books, "flexible between", "V0", "200.00", "25600.00")

    _assessed(books, "colleague", "V2", (2020, 1), 16, "9000.00")
    _assessed(books, "moved", "V1", (2020, 1), 12)
    _assessed(books, "moved", "V2", (2021, 1), 4, "9000.00")
    _enrolled(books, "moved", "V1", date(2020, 1, 1), date(2021, 1, 1))
    _enrolled(books, "moved", "V2", date(2021, 1, 1), None)
    _paid(books, "moved", "V2", "300.00", "38400.00")

    _assessed(books, "annulled", "V3", (2020, 1), 16)
    _assessed(books, "annulled", "V3", (2021, 1), 1, "0.00", "0.00")
    _enrolled(books, "annulled", "V3", date(2020, 1, 1), None)
    _paid(books, "annulled", "V3", "200.00", "25600.00")

    _assessed(books, "corrected", "V4", (2020, 1), 16)
    _assessed(books, "corrected", "V4", (2020, 12), 1, "9600.00")
    _enrolled(books, "corrected", "V4", date(2020, 1, 1), None)
    _paid(books, "corrected", "V4", "210.00", "26880.00")

    _assessed(books, "two of them", "V5", (2020, 1), 16)
    _assessed(books, "the other", "V5", (2020, 7), 6, "10000.00")
    _enrolled(books, "two of them", "V5", date(2020, 1, 1), None)
    _paid(books, "two of them", "V5", "244.44", "20000.00", "11288.32")


def _assessed(
    books: Books,
    person: str,
    employer: str | None,
    since: tuple[int, int],
    months: int,
    base: str = "6000.00",
    amount: str = "500.00",
) -> None:
    for number in range(months):
        month = plus(date(*since, 1), number)
        books.facts.append(
            {
                "event_type": "contribution.assessed", "occurred_on": month.replace(day=5), "contribution_month": month,
                "person_no": f"P-{person}", "employer_no": employer, "insurance_type": "310", "contribution_base": base,
                "enrollment_category": "employee" if employer else "flexible", "employer_amount": amount,
            }
        )  # fmt: skip


def _enrolled(books: Books, person: str, employer: str | None, since: date, until: date | None) -> None:
    category = "employee" if employer else "flexible"
    about = {
        "family": "registration", "person_no": f"P-{person}", "employer_no": employer, "enrollment_category": category,
        "sex": "F", "insurance_type": "310",
    }  # fmt: skip
    books.facts.append(about | {"event_type": "enrollment.started", "occurred_on": since})
    if until is not None:
        books.facts.append(about | {"event_type": "enrollment.ended", "occurred_on": until})
    books.enrolments.append(Enrolment("310", category, since, until))


def _paid(books: Books, person: str, employer: str, base: str, *amounts: str) -> None:
    about = {"person_no": f"P-{person}", "insurance_type": "310", "service_on": BORN}
    care = {"claim_no": f"M-{person}", "benefit_item": "delivery_normal", "institution_code": "H1", "birth_count": 1}
    claim = {"claim_no": f"C-{person}", "benefit_item": "maternity_allowance"}
    settled = {"event_type": "claim.settled", "occurred_on": date(2021, 5, 5)}
    books.facts.append(about | care | settled | {"pooled_amount": 3000})
    for number, amount in enumerate(amounts):
        money = about | claim | {"pooled_amount": amount}
        books.facts.append(money | settled | {"employer_no": employer, "allowance_daily_base": base})
        payment = {"payee_type": "employer", "payment_no": f"Z-{person}-{number}"}
        books.facts.append(money | payment | {"event_type": "claim.paid", "occurred_on": date(2021, 6, 5 + number)})
