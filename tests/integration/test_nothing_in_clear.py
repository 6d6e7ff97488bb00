"""After whole runs on files with identity numbers in every place: none is in the database, the logs or the reports."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

import pytest

from expectations.gate import GateRefusedError, check, publish
from ingestion.heads import record
from reporting import write
from runtime.dbt import build
from runtime.postgres import EmbeddedPostgres
from tests.integration.ingestion_support import files, run, select
from tests.integration.planted_numbers import Numbers, contents, dump, leaks, plant

pytestmark = pytest.mark.slow


def test_no_identity_number_and_no_name_is_left_anywhere(
    deployed_warehouse: str,
    embedded_postgres: EmbeddedPostgres,
    fund_environment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("FUND_SOURCES_DIR", str(tmp_path))
    numbers = Numbers()
    plant(numbers, tmp_path)
    assert len(numbers.secrets) > 100

    told = run()
    record()
    build("planted")
    check("planted")
    with suppress(GateRefusedError):
        publish("planted")
    write("planted")

    _everything_was_taken_or_refused_for_its_reason()
    landing = fund_environment / "landing"
    kept = {name: content for name, content in contents(fund_environment).items() if not name.startswith(str(landing))}
    assert any(name.endswith("index.html") for name in kept)
    said = capfd.readouterr()
    places = {
        "database": dump(embedded_postgres, deployed_warehouse),
        "server's log": embedded_postgres.log.read_bytes(),
        "records": caplog.text.encode(),
        "output": (said.out + said.err).encode(),
        "results": repr(told).encode(),
        **kept,
    }
    assert list(leaks(numbers, places)) == []
    assert b"340***********" in places["database"]


def _everything_was_taken_or_refused_for_its_reason() -> None:
    """The search would find nothing in an empty database either."""
    outcome = {name: (state, code) for name, (state, code, *_) in files().items()}
    for name in ("a.registration.1.csv", "a.claim.1.csv", "1.csv", "1.jsonl", "1.xlsx", "1.parquet"):
        assert outcome[name] == ("loaded", None), name
    assert outcome["headless.csv"] == ("rejected", "E-FILE-COLUMNS")
    assert outcome["headless.jsonl"] == ("rejected", "E-FILE-COLUMNS")
    assert outcome["headless.registration.1.csv"] == ("rejected", "E-FILE-COLUMNS")
    assert outcome["twice.registration.1.csv"] == ("rejected", "E-FILE-DUPLICATE-COLUMN")
    assert outcome["e.registration.1.csv"] == ("rejected", "E-FILE-NAME")
    assert outcome["f.registration.1.csv"] == ("rejected", "E-FILE-MANIFEST")
    assert outcome["g.registration.1.csv"] == ("rejected", "E-FILE-MANIFEST")
    masked = [name for name in outcome if "***********" in name]
    assert [outcome[name] for name in masked] == [("rejected", "E-FILE-NAME")] * 2
    codes = {code for (found,) in select("SELECT error_codes FROM events.quarantine") for code in found}
    wanted = {"PERSONAL", "CERTIFICATE", "BIRTH-DATE", "SEX", "CREDIT-CODE", "LIST"}
    assert {f"E-VALUE-{name}" for name in wanted} | {"E-SCHEMA-FIELDS", "E-SCHEMA-JSON", "E-CONFLICT"} <= codes
    ((right, pseudonyms),) = select("SELECT count(*), count(certificate_pseudonym) FROM events.event")
    assert right > 0
    assert pseudonyms == 5  # three spellings, one of the four formats, the one that a later row contradicts
