"""Which columns are compared, how, and the share of them that drifted."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.checks.drift.measure import drifted_share, measure, plan_columns
from pipeline.config import Monitor
from pipeline.config import monitor_files as monitors
from pipeline.results import ColumnDrift, DriftResult, PinnedObject, Snapshot, SnapshotPair
from tests.project import Project, people

BUDGET = 2**30


def monitor(project: Project, **changes: Any) -> Monitor:
    project.write_suite()
    project.write_monitor(**changes)
    return monitors.load("people", project.settings)


def run(project: Project, reference: pd.DataFrame, production: pd.DataFrame, **changes: Any) -> DriftResult:
    before = project.write_parquet("r.parquet", reference)
    after = project.write_parquet("p.parquet", production)
    return measured(monitor(project, **changes), before, after)


def about(before: Path, after: Path) -> SnapshotPair:
    """The pair of snapshots of two files."""
    pinned = [PinnedObject(uri=str(path), size=1, sha256=path.name[0] * 64, rows=1) for path in (before, after)]
    sides = [Snapshot(uri=item.uri, objects=(item,), rows=1, fields=()) for item in pinned]
    return SnapshotPair(monitor="people", run_date=date(2026, 1, 7), reference=sides[0], production=sides[1])


def measured(monitored: Monitor, before: Path, after: Path, **options: Any) -> DriftResult:
    """The drift between two files."""
    return measure(monitored, [before], [after], about(before, after), budget_bytes=BUDGET, **options).drift


def kinds(project: Project, **changes: Any) -> dict[str, str]:
    path = str(project.write_parquet("r.parquet", people(10, 0)))
    return {plan.name: plan.kind for plan in plan_columns(monitor(project, **changes), [path], [path])}


def test_by_default_the_parquet_types_say_what_a_column_is(project: Project) -> None:
    assert kinds(project) == {
        "age": "numerical",
        "income": "numerical",
        "city": "categorical",
        "score": "numerical",
        "prediction": "numerical",
    }


def test_a_list_replaces_what_the_types_say_for_its_kind_only(project: Project) -> None:
    assert kinds(project, columns={"numerical": ["age"], "ignore": ["id"]}) == {
        "age": "numerical",
        "city": "categorical",
    }
    assert kinds(project, columns={"categorical": ["prediction"], "id": "id", "label": "label"}) == {
        "prediction": "categorical",
        "age": "numerical",
        "income": "numerical",
        "score": "numerical",
    }


def test_methods_and_thresholds_come_from_the_column_then_the_kind(project: Project) -> None:
    path = str(project.write_parquet("r.parquet", people(10, 0)))
    drift = {
        "numerical": {"method": "psi", "threshold": 0.2},
        "columns": {"age": {"threshold": 0.5}, "income": {"method": "ks"}},
    }
    plans = {p.name: p for p in plan_columns(monitor(project, drift=drift), [path], [path])}
    assert (plans["age"].method, plans["age"].threshold) == ("psi", 0.5)
    assert (plans["income"].method, plans["income"].threshold) == ("ks", None)
    assert (plans["score"].method, plans["score"].threshold) == ("psi", 0.2)
    assert (plans["city"].method, plans["city"].threshold) == ("auto", None)


def test_the_share_is_of_evaluated_columns_and_the_limit_is_strict(project: Project) -> None:
    reference, production = people(2_000, 0), people(2_000, 1)
    production["age"] += 40
    production["income"] = np.nan
    columns = {"numerical": ["age", "income", "score"], "categorical": ["city", "gone"]}
    result = run(project, reference, production, columns=columns, drift={"limit": 1 / 3})
    assert {item.name: item.status for item in result.columns if item.status != "evaluated"} == {
        "income": "not_evaluable",
        "gone": "not_evaluable",
    }
    assert [item.name for item in result.drifted_columns] == ["age"]
    assert result.drift_share == 1 / 3
    assert not result.drifted
    assert run(project, reference, production, columns=columns, drift={"limit": 0.33}).drifted


def test_identical_data_has_no_drift(project: Project) -> None:
    result = run(project, people(2_000, 0), people(2_000, 0))
    assert (result.drift_share, result.drifted) == (0.0, False)
    assert all(item.score == pytest.approx(0, abs=1e-12) for item in result.columns)


def test_the_result_survives_strict_json(project: Project) -> None:
    production = people(2_000, 1)
    production["age"] = np.inf
    result = run(project, people(2_000, 0), production)
    assert DriftResult.model_validate_json(result.to_json()) == result
    assert b"NaN" not in result.to_json()
    assert b"Infinity" not in result.to_json()


def test_flags_follow_the_limits_of_the_monitor(project: Project) -> None:
    production = people(2_000, 1)
    production.loc[:199, "age"] = None
    on = run(project, people(2_000, 0), production)
    off = run(project, people(2_000, 0), production, drift={"flags": {"missing_rise": None}})
    assert any("missing" in flag for item in on.columns if item.name == "age" for flag in item.flags)
    assert not any(item.flags for item in off.columns if item.name == "age")


def test_new_and_vanished_categories_and_changed_types_are_kept(project: Project) -> None:
    reference, production = people(2_000, 0), people(2_000, 0)
    production["city"] = production["city"].replace({"Bern": "Basel"})
    production["prediction"] = production["prediction"] + 0.5
    assert "Bern" in set(reference["city"])
    kept = DriftResult.model_validate_json(run(project, reference, production).to_json())
    found = {item.name: item for item in kept.columns}
    city = found["city"]
    assert [item.label for item in city.new_categories] == ["Basel"]
    assert [item.label for item in city.vanished_categories] == ["Bern"]
    assert city.new_categories[0].share == city.vanished_categories[0].share == (reference["city"] == "Bern").mean()
    assert (city.new_category_count, city.vanished_category_count) == (1, 1)
    assert found["prediction"].changed_type == "integer to float"


def test_columns_that_the_monitor_calls_private_name_no_category(project: Project) -> None:
    production = people(2_000, 0)
    production["city"] = production["city"].replace({"Bern": "Basel"})
    columns = {"id": "id", "label": "label", "private": ["city"]}
    result = run(project, people(2_000, 0), production, columns=columns)
    city = next(item for item in result.columns if item.name == "city")
    assert (city.drifted, city.new_category_count, city.new_categories) == (True, 1, ())
    assert not [name for name in {"Basel", *people(2_000, 0)["city"]} if name.encode() in result.to_json()]


def test_nights_written_before_categories_were_kept_stay_readable(project: Project) -> None:
    written = json.loads(run(project, people(2_000, 0), people(2_000, 1)).to_json())
    for column in written["columns"]:
        for side in ("new", "vanished"):
            del column[f"{side}_categories"], column[f"{side}_category_count"]
        del column["changed_type"]
    for item in DriftResult.model_validate(written).columns:
        assert (item.new_categories, item.new_category_count, item.changed_type) == ((), 0, None)


IMPORTANCES = {"age": 3.0, "income": 1.0, "score": -0.5, "not a column": 0.0}


def test_the_weighted_share_counts_columns_by_importance_and_is_only_reported(project: Project) -> None:
    production = people(2_000, 1)
    production["age"] += 40
    before = project.write_parquet("r.parquet", people(2_000, 0))
    after = project.write_parquet("p.parquet", production)
    columns = {"numerical": ["age", "income", "score"], "categorical": ["city"]}
    reported = measure(
        monitor(project, columns=columns),
        [before],
        [after],
        about(before, after),
        budget_bytes=BUDGET,
        importances=IMPORTANCES,
    ).drift
    assert (reported.drift_share, reported.weighted_drift_share) == (0.25, 0.75)
    assert not reported.drifted
    decisive = monitor(project, columns=columns, drift={"share": "importance"})
    assert measured(decisive, before, after, importances=IMPORTANCES).drifted
    without = measured(decisive, before, after)
    assert (without.weighted_drift_share, without.decisive, without.drifted) == (None, "columns", False)


def column(name: str, drifted: bool) -> ColumnDrift:
    return ColumnDrift(
        name=name, kind="numerical", method="psi", score=1.0, threshold=0.5, drifted=drifted, status="evaluated"
    )


@pytest.mark.parametrize("of", [*range(1, 60), 64, 100, 125, 1_000])
def test_k_of_n_columns_are_exactly_what_a_limit_of_that_share_is(of: int) -> None:
    weights = {str(place): Fraction(1) for place in range(of)}
    steady, moved = ([column(name, drifted) for name in weights] for drifted in (False, True))
    for many in range(0, of + 1, 1 + of // 100):
        assert drifted_share(moved[:many] + steady[many:], weights) == many / of


@settings(deadline=None, max_examples=200, derandomize=True, database=None)
@given(
    hundredths=st.lists(st.integers(1, 500), min_size=1, max_size=40),
    scale=st.sampled_from([1, 10, 100, 10_000]),
    cut=st.integers(0, 40),
)
def test_importances_add_up_as_they_are_written(hundredths: list[int], scale: int, cut: int) -> None:
    weights = {str(place): Fraction(repr(value / scale)) for place, value in enumerate(hundredths)}
    share = drifted_share([column(name, int(name) < cut) for name in weights], weights)
    assert share == float(Fraction(sum(hundredths[:cut]), sum(hundredths)))


@pytest.mark.parametrize(("limit", "over"), [(0.3, False), (0.29, True)])
@pytest.mark.parametrize("unit", [1.0, 10.0, 0.7, 1e-5])
def test_three_tenths_of_the_importance_are_not_over_a_limit_of_three_tenths(
    unit: float, limit: float, over: bool, project: Project
) -> None:
    production = people(2_000, 1)
    production[["age", "score"]] += 40
    before, after = (
        project.write_parquet(f"{n}.parquet", side) for n, side in enumerate((people(2_000, 0), production))
    )
    importances = {"age": 0.1, "score": 0.2, "city": 0.4, "income": 0.3}
    assert importances["age"] + importances["score"] > 0.3
    decisive = monitor(
        project,
        columns={"numerical": ["age", "income", "score"], "categorical": ["city"]},
        drift={"share": "importance", "limit": limit},
    )
    scaled = {name: float(repr(round(value * unit, 12))) for name, value in importances.items()}
    result = measured(decisive, before, after, importances=scaled)
    assert (result.weighted_drift_share, result.drifted) == (0.3, over)


def test_a_critical_column_decides_alone_and_the_share_stays(project: Project) -> None:
    before, after = people(2_000, 0), people(1_500, 1)
    after["city"] = "Bern"
    for critical, drifted in ((["city"], True), (["income"], False), ([], False)):
        found = run(project, before, after, drift={"critical": critical})
        assert (found.drift_share, found.over, found.drifted) == (0.2, False, drifted)
        assert found.critical == tuple(critical)
    assert found.deciding == ()
