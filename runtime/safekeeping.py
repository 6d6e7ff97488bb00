"""The commands that keep the warehouse safe: backup and restore."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from runtime.environment import Environment
from runtime.terminal import say


def backup(environment: Environment, options: argparse.Namespace) -> int:
    """Back up log, records and heads outside, also while the pipeline runs; --verify checks a backup.

    The pseudonym key, passwords and the source files are not in it: they are kept apart. docs/operations.md tells how.
    """
    from runtime.backup import back_up, verify

    if options.verify:
        manifest = verify(options.verify)
        say(f"备份完好 / the backup is sound: {manifest.created_at}, {len(manifest.files)} files")
        return 0
    back_up(environment, options.to or environment.layout.local / "backups")
    return 0


def restore(environment: Environment, options: argparse.Namespace) -> int:
    """Restore a backup into an empty database, verify it up to the heads outside, rebuild the books."""
    from runtime.restore import restore as bring_back

    bring_back(
        environment,
        options.folder,
        set_aside=options.set_aside,
        accept_loss=options.accept_loss,
        log_only=options.log_only,
    )
    return 0


COMMANDS = (backup, restore)


def add_arguments(command: Callable[..., int], parser: argparse.ArgumentParser) -> None:
    """The arguments of a command of this module; nothing for others."""
    if command is backup:
        one = parser.add_mutually_exclusive_group()
        one.add_argument(
            "--to", type=_folder, metavar="DIR", help="where backups lie; default: backups in the local directory"
        )
        one.add_argument("--verify", type=_folder, metavar="DIR", help="check this backup, restore nothing")
    if command is restore:
        parser.add_argument("folder", type=_folder, help="a backup's folder, with its manifest.json")
        parser.add_argument(
            "--set-aside", action="store_true", help="rename a database of the embedded server that is not empty"
        )
        parser.add_argument(
            "--accept-loss", action="store_true", help="go on although the heads outside are newer than the backup"
        )
        parser.add_argument("--log-only", action="store_true", help="leave the books to the next build")


def _folder(text: str) -> Path:
    return Path(text).expanduser().absolute()
