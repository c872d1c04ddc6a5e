"""docs/reliability.md promises nothing without a test, and names no test that is not there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINES = (ROOT / "docs/reliability.md").read_text(encoding="utf-8").splitlines()
ROWS = [line for line in LINES if line.startswith("| ") and not line.startswith("| fault |")]


def named_in(row: str) -> list[tuple[str, str]]:
    """Files and functions that a row names; a name without a file is of the file before it."""
    named, file = [], ""
    for found, test in re.findall(r"`([\w/.]*)::(\w+)`", row.rsplit(" | ", 1)[-1]):
        file = found or file
        named.append((file, test))
    return named


def test_every_promise_names_a_test() -> None:
    assert len(ROWS) >= 5
    assert [row for row in ROWS if not named_in(row)] == []


def test_every_named_test_is_there() -> None:
    for file, test in {named for row in ROWS for named in named_in(row)}:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{file}::{test}"
