"""Private folders for copies: closed to others, gone afterwards, also those of processes that were killed."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from ingestion import spool
from runtime.layout import REPOSITORY

HOLD = """
import sys, time
from pathlib import Path
from ingestion import spool
with spool.folder(Path(sys.argv[1])) as own:
    (own / "content").write_text("x")
    print(own, flush=True)
    time.sleep(600)
"""


def test_a_folder_is_closed_to_others_and_gone_afterwards(tmp_path: Path) -> None:
    with suppress(RuntimeError), spool.folder(tmp_path / "not" / "there") as own:
        assert own.stat().st_mode & 0o777 == 0o700
        assert own.parent.stat().st_mode & 0o777 == 0o700
        (own / "content").write_text("x")
        raise RuntimeError
    assert list((tmp_path / "not" / "there").iterdir()) == []


def test_what_a_living_process_holds_stays_and_what_a_killed_one_left_goes(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    try:
        assert holder.stdout is not None
        held = Path(holder.stdout.readline().strip())
        with spool.folder(tmp_path) as own, spool.folder(tmp_path) as another:
            assert {held, own, another} == set(tmp_path.iterdir())
    finally:
        holder.kill()
        holder.communicate()
    assert (held / "content").exists()
    with spool.folder(tmp_path) as own:
        assert list(tmp_path.iterdir()) == [own]
