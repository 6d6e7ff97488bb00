"""Employers and persons of a sample city, and how they change between September 2019 and June 2020."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from runtime.samples import identifiers
from runtime.samples.cities import City
from runtime.samples.values import FIRST_MONTH, MONTHS, Fen, Month, yuan

_TRADES = ("机电", "软件", "纺织", "物流", "餐饮", "建筑", "医药", "商贸", "印务", "食品")
_WORDS = ("江宁", "舜耕", "青云", "长河", "明远", "同德", "华润达", "新禾", "立信", "东篱")
_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许"
_GIVEN = ("文静", "建国", "晓燕", "志强", "雨桐", "海涛", "淑芬", "俊杰", "丽华", "子涵", "永康", "欣怡")
_SCHOOLS = ("第三中学", "实验小学", "人民图书馆", "环境监测站")
_NEW_BASES_FROM = Month(2020, 1)
_OFFICES = ("水务局", "档案局", "统计局")


@dataclass(frozen=True)
class Employer:
    """An insured employer; ``wage`` is its average monthly wage of the previous year (a multiple of 30 yuan)."""

    number: str
    credit_code: str
    name: str
    kind: str
    wage: Fen
    closed_on: date | None = None


@dataclass
class Person:
    """An insured person. ``since`` is the start of the enrolment, ``until`` the day it ends (exclusive)."""

    number: str
    certificate_no: str
    name: str
    birth_date: date
    sex: str
    category: str
    employer: Employer | None
    base: Fen
    since: date
    worker_group: str | None = None
    new_base: Fen | None = None
    new_base_from: Month = _NEW_BASES_FROM
    until: date | None = None
    end_reason: str | None = None
    children: int = 0

    def active(self, month: Month) -> bool:
        """Insured on the first day of ``month``."""
        return self.since <= month.first and (self.until is None or self.until > month.first)

    def insured_by(self, day: date) -> date:
        """``day``, or the last day of the enrolment when that is earlier."""
        return day if self.until is None else min(day, self.until - timedelta(days=1))

    def base_in(self, month: Month) -> Fen:
        """Declared base; new bases apply from January 2020, or from whenever the person's own does."""
        return self.new_base if self.new_base is not None and month >= self.new_base_from else self.base


@dataclass(frozen=True)
class Population:
    """Everybody of one city."""

    employers: list[Employer]
    persons: list[Person]

    def active(self, month: Month, category: str) -> list[Person]:
        """Persons of ``category`` insured in ``month``."""
        return [person for person in self.persons if person.category == category and person.active(month)]


def build(city: City, rng: random.Random, count: int) -> Population:
    """``count`` persons of ``city``: about 70 % employees, 11 % flexible workers, 19 % retirees."""
    employers = _employers(city, rng, max(8, count // 45))
    persons = [_person(city, rng, number, employers) for number in range(1, count + 1)]
    _changes(rng, persons)
    return Population(employers, persons)


def _employers(city: City, rng: random.Random, count: int) -> list[Employer]:
    return [_employer(city, rng, number, count) for number in range(1, count + 1)]


def _employer(city: City, rng: random.Random, number: int, count: int) -> Employer:
    kind, authority, name = _kind_and_name(city, number)
    wage = yuan(rng.randrange(city.wage_low, city.wage_high, 30) // 30 * 30)
    closed = date(2020, 5, 20) if number == count else None
    return Employer(
        number=f"{city.region_code}{number:06d}",
        credit_code=identifiers.credit_code(city.region_code, 10_000_000 + number * 7_919, authority),
        name=name,
        kind=kind,
        wage=wage,
        closed_on=closed,
    )


def _kind_and_name(city: City, number: int) -> tuple[str, str, str]:
    if number == 1:
        return "unemployment_fund", "12", f"{city.short_name}市失业保险经办处（代缴）"
    if number == 2:
        return "other", "52", f"{city.short_name}青年志愿服务中心"
    if number % 5 == 0:
        return "public_institution", "12", f"{city.short_name}市{_SCHOOLS[number // 5 % len(_SCHOOLS)]}{number}部"
    if number % 7 == 0:
        return "government", "11", f"{city.short_name}市{_OFFICES[number // 7 % len(_OFFICES)]}{number}处"
    trade, word = _TRADES[number % len(_TRADES)], _WORDS[number // 3 % len(_WORDS)]
    return "enterprise", "91", f"{city.short_name}{word}{trade}{number}有限公司"


def _person(city: City, rng: random.Random, number: int, employers: list[Employer]) -> Person:
    draw = rng.random()
    category = "employee" if draw < 0.70 else "flexible" if draw < 0.81 else "retiree"
    sex = rng.choice("FM")
    birth_date = date(
        rng.randint(1940, 1958) if category == "retiree" else rng.randint(1965, 1997),
        rng.randint(1, 12),
        rng.randint(1, 28),
    )
    employer = _draw_employer(rng, employers) if category == "employee" else None
    return Person(
        number=f"{city.region_code}{number:08d}",
        certificate_no=identifiers.certificate_no(city.region_code, birth_date, number, sex),
        name=rng.choice(_SURNAMES) + rng.choice(_GIVEN),
        birth_date=birth_date,
        sex=sex,
        category=category,
        employer=employer,
        base=_base(city, rng, employer),
        since=_start(rng),
        worker_group=_group(rng, category),
    )


def _draw_employer(rng: random.Random, employers: list[Employer]) -> Employer:
    # The unemployment fund and the closing employer stay small; the others differ in size.
    index = min(int(rng.expovariate(1 / (len(employers) / 2.5))), len(employers) - 1)
    return employers[index] if index or rng.random() < 0.3 else employers[len(employers) // 2]


def _base(city: City, rng: random.Random, employer: Employer | None) -> Fen:
    if employer is None:
        return yuan(rng.randrange(city.wage_low, city.wage_low + 1_500, 50))
    return yuan(employer.wage * rng.randint(55, 190) // 10_000)


def _start(rng: random.Random) -> date:
    if rng.random() < 0.94:
        return FIRST_MONTH.first
    return MONTHS[rng.randint(1, 8)].first


def _group(rng: random.Random, category: str) -> str | None:
    if category == "flexible":
        return "new_form" if rng.random() < 0.35 else None
    return "migrant" if category == "employee" and rng.random() < 0.06 else None


def _changes(rng: random.Random, persons: list[Person]) -> None:
    for person in persons:
        if rng.random() < 0.10 and person.category != "retiree":
            person.new_base = person.base + yuan(rng.randrange(50, 900, 50))
        if rng.random() < 0.03 and person.since == FIRST_MONTH.first:
            _end(rng, person)
        if person.employer is not None and person.employer.closed_on is not None and person.until is None:
            person.until, person.end_reason = person.employer.closed_on, "left_employer"
    leavers = [person for person in persons if person.end_reason in ("left_employer", "other")]
    if leavers and not any(person.end_reason == "transferred_out" for person in persons):
        leavers[0].end_reason = "transferred_out"  # every kind of event occurs, however few the persons


def _end(rng: random.Random, person: Person) -> None:
    person.until = MONTHS[rng.randint(2, 8)].day(rng.randint(5, 27))
    if person.category == "retiree":
        person.end_reason = "died"
    elif person.category == "flexible":
        person.end_reason = rng.choice(("transferred_out", "other"))
    else:
        person.end_reason = rng.choice(("left_employer", "left_employer", "transferred_out", "retired", "died"))
