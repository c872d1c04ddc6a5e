"""Which tests are pure, and so marked `fast`; `tests/conftest.py` loads this module as a plugin.

A pure test works with values and small files: nothing that it can reach by imports, from its own module or from those
of its fixtures, however deep and wherever in a file, is one of the libraries and programs below.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent
# Seconds of imports or of work; the demo's data; other processes.
IMPURE = frozenset(
    {"mlflow", "great_expectations", "evidently", "sklearn", "airflow", "demo", "subprocess", "multiprocessing"}
)
# Test modules name servers to say what a fixture is; it is the fixture that starts one.
SERVERS = "tests.servers"
# Evidently is imported in here for few of those who import these modules; tests of it name it themselves.
NOT_FOLLOWED = frozenset({"pipeline.checks.drift.statistics.bridge", "tests.checks.drift.summaries"})


@pytest.hookimpl(trylast=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark pure tests before `-m fast` chooses."""
    if isinstance(item, pytest.Function) and item.get_closest_marker("slow") is None and is_pure(item):
        item.add_marker("fast")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m fast` do not even import modules in which no test can be pure, nor what such a folder shares."""
    if config.option.markexpr != "fast" or not collection_path.is_relative_to(TESTS):
        return None
    modules = collection_path.rglob("test_*.py") if collection_path.is_dir() else [collection_path]
    return None if any(map(reaches_nothing, modules)) else True


def is_pure(item: pytest.Function) -> bool:
    """Whether a test and its fixtures reach nothing impure."""
    fixtures = [found[-1].func.__module__ for found in item._fixtureinfo.name2fixturedefs.values()]
    own = {name for name in fixtures if name.split(".")[0] == "tests"}
    return all(
        not name.startswith(SERVERS) and (path := _file(name)) is not None and reaches_nothing(path)
        for name in {item.module.__name__, *own}
    )


@cache
def reaches_nothing(start: Path) -> bool:
    """Whether no chain of imports leads from a file to anything impure."""
    seen, waiting = {start}, [start]
    while waiting:
        for name in _imports(waiting.pop()):
            if name.split(".")[0] in IMPURE:
                return False
            path = None if name.startswith(SERVERS) or name in NOT_FOLLOWED else _file(name)
            if path is not None and path not in seen:
                seen.add(path)
                waiting.append(path)
    return True


@cache
def _imports(path: Path) -> frozenset[str]:
    """Every name that a file imports, but for those that only type checkers read."""
    return frozenset(_names(ast.parse(path.read_text(encoding="utf-8")).body))


def _names(statements: Iterable[ast.AST]) -> Iterator[str]:
    for node in statements:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield from _names(node.orelse)
        else:
            for block in ("body", "orelse", "handlers", "finalbody", "cases"):
                inside = getattr(node, block, None)
                if isinstance(inside, list):  # the body of a lambda is one expression
                    yield from _names(inside)


@cache
def _file(name: str) -> Path | None:
    """The file of a module of this repository; None for a function, a class or a foreign module."""
    path = ROOT.joinpath(*name.split("."))
    return next((found for found in (path.with_suffix(".py"), path / "__init__.py") if found.is_file()), None)
