"""From a seed to files: both cities, from the people who live there to the bytes their systems send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from runtime.samples import (
    bureaus,
    claims,
    contributions,
    corrections,
    delivery,
    maternity,
    population,
    receipts,
    registration,
    statements,
    treasury,
)
from runtime.samples.cash import CashPlan
from runtime.samples.cities import CITIES, City
from runtime.samples.frauds.demonstration import plant_demonstration
from runtime.samples.log import CityLog
from runtime.samples.source_file import SourceFile
from runtime.samples.values import Fen

DEFAULT_SEED = 20191201
DEFAULT_PERSONS = 2_400
_FEWEST_PERSONS = 400
Plant = Callable[[CityLog], object]
_WITH_RECEIPTS = ("nanjing",)  # sources that send what hospitals say
_BANK_FILE = "statement_201909_202006.jsonl.gz"


def write_samples(landing: Path, seed: int = DEFAULT_SEED, persons: int = DEFAULT_PERSONS) -> list[Path]:
    """Write the sample files of both cities under ``landing`` and return their paths (manifests lie beside them).

    The same ``seed`` and ``persons`` give the same bytes on every machine. Raises ValueError below 400 persons,
    too few for every kind of event to occur.
    """
    return write_cities(landing, seed, persons, lambda log: plant_demonstration(log, seed))


def write_cities(landing: Path, seed: int, persons: int, plant: Plant) -> list[Path]:
    """The same with other cases planted than those of the demo."""
    if persons < _FEWEST_PERSONS:
        raise ValueError(f"at least {_FEWEST_PERSONS} persons are needed, got {persons}")
    return [delivery.write(landing, file) for file in _files(seed, persons, plant)]


def _files(seed: int, persons: int, plant: Plant) -> Iterator[SourceFile]:
    stated: list[statements.Statement] = []
    for city in CITIES:
        opened = _with_openings_for(city, persons)
        log, plan = city_log(opened, seed, persons * city.population_share // 100, plant)
        stated += statements.stated(log, plan)
        yield from delivery.city_files(log)
    yield from _outside_files(stated)


def _with_openings_for(city: City, persons: int) -> City:
    """The city with opening balances for so many persons: a larger one pays more before it collects."""
    times = max(1, -(-persons // DEFAULT_PERSONS))
    return replace(
        city,
        opening_special_demand=Fen(city.opening_special_demand * times),
        opening_special_time=Fen(city.opening_special_time * times),
        opening_personal=Fen(city.opening_personal * times),
    )


def _outside_files(stated: list[statements.Statement]) -> Iterator[SourceFile]:
    """The bank's one file, and one a quarter of the tax office and of the fiscal side."""
    lines = [statements.bank_line(statement) for statement in stated if statement.kind == "bank_balance"]
    content = delivery.packed(b"".join(lines))
    balances = [statement for statement in stated if statement.kind == "bank_balance"]
    yield SourceFile("fund_bank", _BANK_FILE, content, bureaus.manifest(balances, content, "amount_fen", 0))
    for period, collected in statements.of_kind(stated, "tax_collected").items():
        content = bureaus.tax_workbook(collected, period)
        manifest = bureaus.manifest(collected, content, bureaus.TAX_COLUMN, 6)
        yield SourceFile("tax_bureau", f"tax_treasury_{period}.xlsx", content, manifest)
    for period, funded in statements.of_kind(stated, "fiscal_expenditure").items():
        content = bureaus.fiscal_table(funded)
        manifest = bureaus.manifest(funded, content, "paid_amt", 2)
        yield SourceFile("fiscal_bureau", f"fiscal_treasury_{period}.parquet", content, manifest)


def city_log(city: City, seed: int, persons: int, plant: Plant = lambda _: None) -> tuple[CityLog, CashPlan]:
    """All facts of one city, with what ``plant`` adds to them, and the month-end balances they lead to."""
    log = CityLog(city, seed)
    people = population.build(city, log.rng("population"), persons)
    registration.record(log, people)
    contributions.record(log, people)
    claims.record(log, people)
    maternity.record(log, people)
    corrections.record(log, people)
    plant(log)
    treasury.record(log, people)
    plan = CashPlan(log)
    plan.run()
    if city.source_system in _WITH_RECEIPTS:
        receipts.record(log)
    return log, plan
