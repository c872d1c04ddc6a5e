"""Great Expectations is imported once, with the warning that its import raises ignored."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from pipeline.checks.quality.engines.database import Database


@pytest.fixture(scope="session", autouse=True)
def _import_quietly() -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "module 'sre_(constants|parse|compile)' is deprecated", DeprecationWarning)
        import great_expectations  # noqa: F401


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of DuckDB, as it is asked."""
    asked: list[str] = []
    execute = Database.execute

    def noted(database: Database, statement: str) -> list[tuple[Any, ...]]:
        asked.append(statement)
        return execute(database, statement)

    monkeypatch.setattr(Database, "execute", noted)
    return asked
