"""docs/drift-methods.md tells every method as the table of methods has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.checks.drift.statistics import METHODS, Method

TEXT = (Path(__file__).parents[3] / "docs" / "drift-methods.md").read_text(encoding="utf-8")
TABLE = TEXT.partition("## The methods")[2].partition("\n## ")[0]
CELLS = [line.split("|") for line in TABLE.splitlines() if line.startswith("| `")]
ROWS = {name.strip(" `"): [cell.strip() for cell in cells] for _, name, *cells, _ in CELLS}


def test_no_other_method_is_told() -> None:
    assert sorted(ROWS) == sorted(METHODS)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_method_is_told_as_it_is(method: Method) -> None:
    columns, score, rule, default, beyond, *_ = ROWS[method.name]
    above = {True: ">", False: ">="} if method.direction == "distance" else {True: "<", False: "<="}
    assert columns == ("both" if len(method.kinds) == 2 else method.kinds[0])
    assert score.startswith("p-value" if method.direction == "p_value" else ("distance", "divergence"))
    assert rule == f"`score {above[method.strict]} t`"
    assert float(default) == method.default_threshold
    only = "categorical only" if "categorical" in method.kinds else "no"
    assert beyond == {"no": only}.get(method.beyond_budget, method.beyond_budget)
