"""Builds the package; `tests/conftest.py` loads this module as a plugin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def build_wheel(source: Path, target: Path) -> Path:
    """The wheel that pip makes of a source tree in a folder, with what is installed here and nothing fetched."""
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", str(target), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = target.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of this repository, built."""
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))
