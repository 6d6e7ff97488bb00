"""Programs of the system that some tests drive and not every machine has."""

from __future__ import annotations

import os
import shutil

import pytest


def require(program: str, variable: str) -> str:
    """Path of a program. Without it the test is skipped, or fails when the variable is 1, as it is in CI."""
    found = shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"]))
    if found is None:
        reason = f"{program} is not installed (Debian: apt-get install {program})"
        pytest.fail(reason) if os.environ.get(variable) == "1" else pytest.skip(reason)
    return found
