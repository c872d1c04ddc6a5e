"""Great Expectations is imported once, with the warning that its import raises ignored."""

from __future__ import annotations

import warnings

import pytest


@pytest.fixture(scope="session", autouse=True)
def _import_quietly() -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "module 'sre_(constants|parse|compile)' is deprecated", DeprecationWarning)
        import great_expectations  # noqa: F401
