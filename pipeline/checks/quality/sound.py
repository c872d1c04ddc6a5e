"""What is wrong with a suite before a night: without data, and with the columns that the data has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.checks.quality.check import Check
from pipeline.checks.quality.suite.problems import entry_problems, place_words
from pipeline.checks.quality.suite.read import Suite

if TYPE_CHECKING:
    import pyarrow as pa


def suite_problems(suite: Suite, schema: pa.Schema | None = None) -> list[str]:
    """Every mistake of every entry, with its position and type.

    Args:
        suite: from `load_suite`.
        schema: the columns of production; None where nobody knows them.
    """
    from pipeline.checks.quality.engines.evaluate import problem_on

    told = entry_problems(suite)
    for place, entry in enumerate(suite.entries):
        if schema is not None and place not in told:
            problem = problem_on(Check(entry["type"], entry.get("kwargs", {}), "info", ""), schema)
            if problem is not None:
                told[place] = problem
    return [place_words(suite, place, told[place]) for place in sorted(told)]
