"""Command line: ``python -m runtime.samples --landing DIR``."""

from __future__ import annotations

import argparse
from pathlib import Path

from runtime.samples import DEFAULT_PERSONS, DEFAULT_SEED, write_samples


def main(arguments: list[str] | None = None) -> int:
    """Write the samples and say where they are."""
    parser = argparse.ArgumentParser(prog="python -m runtime.samples", description=__doc__)
    parser.add_argument(
        "--landing", type=Path, required=True, help="landing root; one folder a source is made below it"
    )
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="same seed, same bytes (default: %(default)s)")
    parser.add_argument(
        "--persons", type=int, default=DEFAULT_PERSONS, help="in both cities together (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    try:
        files = write_samples(options.landing, options.seed, options.persons)
    except ValueError as problem:
        parser.error(str(problem))
    for path in files:
        print(f"{path.stat().st_size:>10,}  {path}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
