"""The real pipeline without Airflow, run by run in one database, and what it then shows.

Publication goes around the gate unless asked otherwise: rows that must be refused are the point of these runs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from expectations import gate, publication
from ingestion import heads
from ingestion import runs as ingestion_runs
from ingestion.database import connect
from ingestion.settings import Settings
from runtime import dbt

from .compare import Rows, Shown
from .rows import LandedFile

_PUBLISH = """
insert into ledger.publication (region_code, seq, batch_id, batch_hash, rules_sha256, run_id)
select distinct on (b.region_code) b.region_code, b.seq, b.batch_id, b.batch_hash, 'not adopted', %(run_id)s
from ledger.built_head as b
where not exists (select from ledger.publication as p where p.region_code = b.region_code and p.seq >= b.seq)
order by b.region_code, b.seq desc
"""
_FILES = """
select source_system, file_name, state, split_part(error_code, '-', 2), rows, loaded, duplicate, quarantined, now_loaded
from events.file
"""
_QUARANTINE = """
select f.source_system, f.file_name, q.line_no, q.error_codes
from {relation} as q
join events.file_registry as f on f.file_id = q.file_id
"""
_TRIAL_BALANCE = """
select region_code, fund_code, accounting_month, account_code, sub_fund,
       opening_balance, debit_amount, credit_amount, closing_balance
from marts.trial_balance
"""
_STATEMENT = """
select region_code, fund_code, accounting_month, line_code, sub_fund, amount_month, amount_year_to_date
from marts.income_expenditure_statement
"""
_BALANCE_SHEET = """
select region_code, fund_code, accounting_month, line_code, sub_fund, opening_amount, closing_amount
from marts.balance_sheet
"""
_MATERNITY = """
select region_code, fund_code, accounting_month, benefit_item, coalesce(payment_method, ''), sum(amount)
from marts.maternity_expenditure
group by 1, 2, 3, 4, 5
"""
_PERSONAL_ACCOUNT = """
select region_code, fund_code, accounting_month, coalesce(person_no, ''), credited_amount, interest_amount, paid_amount,
       closing_balance
from marts.personal_account_balance
"""
_ARREARS = """
select region_code, coalesce(employer_no, ''), contribution_month, insurance_type, enrollment_category, assessed_amount,
       collected_amount, refunded_amount, arrears_amount, months_overdue
from marts.contribution_arrears
"""
_INSTITUTION = """
select region_code, institution_code, accounting_month, settled_amount, paid_amount, deposit_withheld_amount,
       advance_balance, unpaid_amount, claim_count, direct_settlement_share
from marts.institution_settlement
"""
_GENERAL_LEDGER = """
select region_code, source_system, source_file, source_line, fund_code, accounting_month, entry_kind, account_code,
       sub_fund, sum(debit_amount), sum(credit_amount)
from marts.general_ledger
group by 1, 2, 3, 4, 5, 6, 7, 8, 9
"""


class System:
    """One warehouse (FUND_* in the environment point to it) and its landing directory."""

    def __init__(self, landing: Path, *, through_gate: bool = False) -> None:
        self.landing = landing
        self.through_gate = through_gate
        self.number = 0

    def take(self, runs: Iterable[Sequence[LandedFile]], *, build_each: bool = True) -> None:
        """Each run: land, ingest, build, publish. With `build_each` false the ledger is built once, after the last."""
        for files in runs:
            self.ingest(files)
            if build_each:
                self.build()
        if not build_each:
            self.build()

    def ingest(self, files: Sequence[LandedFile]) -> None:
        """Land files, take in all that is new, try waiting rows again."""
        self.number += 1
        for file in files:
            self._land(file)
        for item in ingestion_runs.discover(Settings.from_env()):
            ingestion_runs.ingest(item)
        ingestion_runs.retry_waiting()
        heads.record()

    def build(self) -> None:
        """Ledger and marts up to the log's head, published as they are or as the gate decides."""
        run_id = f"oracle-{self.number}"
        dbt.deploy(run_id)
        dbt.build(run_id)
        if self.through_gate:
            gate.check(run_id)
            publication.publish(run_id)
            return
        with closing(connect(role="fund_publisher")) as connection, connection, connection.cursor() as cursor:
            cursor.execute(_PUBLISH, {"run_id": run_id})

    def _land(self, file: LandedFile) -> None:
        """Complete since long: what has just been written would be left alone as perhaps unfinished."""
        path = self.landing / file.source_system / file.file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        sidecar = path.with_name(f"{path.name}.manifest.json")
        if file.manifest is not None:
            sidecar.write_text(file.manifest, encoding="utf-8")
        path.write_bytes(file.content)
        long_ago = time.time() - 3600
        for written in filter(Path.exists, (path, sidecar)):
            os.utime(written, (long_ago, long_ago))

    def show(self) -> Shown:
        """All relations as they are now."""
        with closing(connect()) as connection, connection.cursor() as cursor:

            def rows(query: str) -> Rows:
                cursor.execute(query)
                return [tuple(row) for row in cursor.fetchall()]

            return Shown(
                rows(_FILES),
                rows(_QUARANTINE.format(relation="events.quarantine")),
                rows(_QUARANTINE.format(relation="events.quarantine_open")),
                rows(_GENERAL_LEDGER),
                rows(_TRIAL_BALANCE),
                rows(_STATEMENT),
                rows(_BALANCE_SHEET),
                rows(_MATERNITY),
                rows(_PERSONAL_ACCOUNT),
                rows(_ARREARS),
                rows(_INSTITUTION),
            )
