"""Command line of the vendored files: `python -m reporting.assets --help`."""

from __future__ import annotations

import argparse
import sys

from reporting.assets import AssetError, check, vendoring


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: done, or as listed; 1: it could not be done, or something is not as listed."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run())
    except (AssetError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _check() -> int:
    problems = check()
    print("\n".join(problems) or "前端文件与清单一致 / the vendored files are as listed")
    return 1 if problems else 0


def _lock() -> int:
    vendoring.lock()
    return 0


def _vendor() -> int:
    for asset in vendoring.vendor():
        print(f"{asset.bytes:>9}  {asset.path}  {asset.version}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reporting.assets", description="页面所用的前端文件 / scripts, styles and fonts of the pages"
    )
    commands = parser.add_subparsers(required=True)
    for name, run, said in (
        ("check", _check, "与清单核对 / compare the files with the manifest"),
        ("lock", _lock, "重新锁定各包版本（需要 npm） / pin the packages of package.json anew (needs npm)"),
        (
            "vendor",
            _vendor,
            "取回已锁定的包并更新文件（需要 npm） / fetch the locked packages, renew the files (needs npm)",
        ),
    ):
        commands.add_parser(name, help=said, description=said).set_defaults(run=run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
