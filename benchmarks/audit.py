"""python -m benchmarks.audit: the nightly audit over a long history, part by part, as the DAG runs it.

The ledger is that of `benchmarks.ledgers`: 36 months of two regions, real hashes, published. Each part runs in a
process of its own. Then one row of the oldest batch is altered, and the books are made anew once more: that tells what
naming a difference costs. No month of the ledger is closed; what hashing the journal of a closed month takes is told by
the million lines.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from functools import partial

from benchmarks.common import Server, Timing, command, machine, server, timed
from benchmarks.databases import execute, fresh, quiet
from benchmarks.ledgers import END, REGION, ledger, prepare
from ingestion import heads

PARTS = {
    "log": "from expectations.audit.parts import verify_log; verify_log({run!r})",
    "rebuilt": "from expectations.audit.parts import rebuild; rebuild({run!r})",
    "checks": "from expectations.audit.parts import check_history; check_history({run!r})",
    "conclusion": "from expectations.audit.parts import conclude; conclude({run!r})",
}
START_UP = "from expectations.audit import parts; import great_expectations"
GOAL_S = 300
SLOWEST = 8
_TAMPER = """
    ALTER TABLE ledger.journal_line DISABLE TRIGGER USER;
    UPDATE ledger.journal_line SET debit_amount = debit_amount + 0.01
    WHERE (region_code, event_seq, entry_no, line_no) IN (
        SELECT region_code, event_seq, entry_no, line_no FROM ledger.journal_line
        WHERE region_code = '{region}' AND debit_amount > 0 ORDER BY event_seq, entry_no, line_no LIMIT 1);
    ALTER TABLE ledger.journal_line ENABLE ALWAYS TRIGGER append_only;
    ALTER TABLE ledger.journal_line ENABLE ALWAYS TRIGGER closed_month
"""
_MONTH = """
    SELECT min(accounting_month)::text, count(*), 0 FROM ledger.journal_line
    WHERE region_code = '{region}' AND accounting_month = date '2020-06-01'
"""
_HASH = """
    SELECT journal_sha256 FROM marts.figures_sha256('{region}', '{month}', (
        SELECT max(seq) FROM ledger.publication WHERE region_code = '{region}'))
"""
_TABLES = """
    SELECT relation, sum(replayed_rows), sum(duration_ms) FROM quality.replay_result
    WHERE run_id = 'night' GROUP BY 1 ORDER BY 3 DESC, 1
"""
_CHECKS = """
    SELECT code, sum(rows_examined), sum(duration_ms) FROM quality.check_result
    WHERE run_id = 'night' GROUP BY 1 ORDER BY 3 DESC, 1
"""
_NAMED = "SELECT relation, event_seq, amount FROM quality.replay_difference WHERE run_id = 'tampered' ORDER BY 1, 2, 3"


def main() -> int:
    """Measure and print; an untouched ledger that is not found green ends it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.audit", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=10_000_000, help="events of the history (default: ten million)")
    options = parser.parse_args()
    print(f"{command()}\n{machine()}\n", flush=True)
    with server() as empty:
        prepare()
        target = fresh(empty, "audited")
        began = time.monotonic()
        ledger(target, options.events)
        heads.record()
        print(f"{options.events:,} events built in {time.monotonic() - began:.0f} s\n", flush=True)
        measure(target, options.events)
    return 0


def measure(target: Server, events: int) -> None:
    """Audit a published ledger of so many events and print what it took; then alter a row and find it."""
    startup = timed(partial(_run, START_UP), target)
    timings: dict[str, Timing] = {}
    for part, code in PARTS.items():
        quiet(target)
        timings[part] = timed(partial(_run, code.format(run="night")), target)
        print(f"  {part}: {timings[part].wall:.1f} s", flush=True)
    _report(events, timings, startup)
    _details(target)
    execute(target, _TAMPER.format(region=REGION))
    quiet(target)
    naming = timed(partial(_run, PARTS["rebuilt"].format(run="tampered")), target)
    print(f"\none row of the oldest batch altered: {naming.wall:.1f} s, named:")
    for row in execute(target, _NAMED):
        print(f"  {row}")


def _run(code: str) -> None:
    """Python code in a clean process, on the morning after the history."""
    environment = {**os.environ, "FUND_BUSINESS_DATE": END.isoformat()}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{code} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def _report(events: int, timings: dict[str, Timing], startup: Timing) -> None:
    print("\n| part | s | server, processor s | events/s |\n|---|---|---|---|")
    for part, timing in timings.items():
        print(f"| {part} | {timing.wall:.1f} | {timing.server:.1f} | {events / timing.wall:,.0f} |")
    wall, of_server = (sum(getattr(timing, name) for timing in timings.values()) for name in ("wall", "server"))
    print(f"| **all** | **{wall:.1f}** | {of_server:.1f} | {events / wall:,.0f} |")
    print(f"\ngoal for 10,000,000 events: {GOAL_S} s; start-up of one process with its imports: {startup.wall:.1f} s")


def _details(target: Server) -> None:
    tables = ", ".join(f"{name} {s:.1f} s ({n:,.0f} rows)" for name, n, s in _figures(target, _TABLES))
    print(f"made anew and compared, seconds of a session: {tables}")
    checks = [(name, seconds) for name, _, seconds in _figures(target, _CHECKS)]
    slowest = ", ".join(f"{code} {seconds:.1f}" for code, seconds in checks[:SLOWEST])
    print(f"queries of the checks: {sum(seconds for _, seconds in checks):.1f} s, the slowest: {slowest}")
    ((month, lines, _),) = _figures(target, _MONTH.format(region=REGION))
    began = time.monotonic()
    execute(target, _HASH.format(region=REGION, month=month))
    seconds = time.monotonic() - began
    print(
        f"journal of a month of {lines:,.0f} lines hashed in {seconds:.2f} s: {seconds * 1e6 / lines:.1f} s a million"
    )


def _figures(target: Server, query: str) -> list[tuple[str, float, float]]:
    """Rows of a name, a count and milliseconds; the latter as seconds."""
    return [(str(name), float(str(n)), float(str(ms)) / 1000) for name, n, ms in execute(target, query)]


if __name__ == "__main__":
    raise SystemExit(main())
