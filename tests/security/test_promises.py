"""docs/security.md: every promise names tests, and the tests that it names are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs/security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)
SUPPORTING = {
    "test_plain_text_of_any_language_is_left_as_it_is",
    "test_ordinary_names_are_left_as_they_are",
    "test_where_a_snapshot_lies_is_no_secret",
    "test_a_stricter_level_stays",
}
"""Tests beside the promises: that nothing else is changed by keeping them."""


def functions_of(path: Path) -> set[str]:
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


def promises() -> list[str]:
    """The rows of tables that say what shows a promise, without their heads."""
    tables = re.findall(r"^\| promise \| shown by \|\n\|[-|]+\|\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    return [row for table in tables for row in table.splitlines()]


def test_every_promise_names_a_test() -> None:
    assert len(promises()) > 20
    assert [row for row in promises() if "`tests/" not in row.rsplit(" | ", 1)[1]] == []


def test_every_test_that_is_named_is_there() -> None:
    assert len(NAMED) > 40
    assert [(path, name) for path, name in NAMED if name not in functions_of(ROOT / path)] == []


def test_every_test_of_a_promise_is_named() -> None:
    files = [path for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__)]
    found = {name for path in files for name in functions_of(path) if name.startswith("test_")}
    assert found - {name for _, name in NAMED} == SUPPORTING
