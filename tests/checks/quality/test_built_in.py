"""Checks that need no suite: each fails for its reason, stays quiet otherwise, and can be switched off."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline.checks.quality import load_suite, validate
from pipeline.config.quality_checks import QualityChecks
from pipeline.results import ExpectationOutcome, QualityResult, SnapshotPair
from pipeline.wording import exact_share
from tests.checks.quality.samples import (
    OFF,
    RUN_DATE,
    entry,
    made_by,
    monitor,
    night,
    snapshot,
    write_parts,
    write_suite,
)

ROLES = {"id": "id", "label": "label", "prediction": "prediction", "score": "score", "ignore": ["batch"]}


def people(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    score = random.random(rows)
    return pd.DataFrame(
        {
            "id": [f"{seed}-{row}" for row in range(rows)],
            "age": random.normal(40, 10, rows),
            "visits": random.poisson(3, rows),
            "city": random.choice(["Bern", "Graz", "Lyon"], rows),
            "score": score,
            "prediction": (score > 0.5).astype("int64"),
            "scored_at": pd.Timestamp("2026-01-14 22:00") + pd.to_timedelta(random.integers(0, 3600, rows), unit="s"),
            "batch": [f"b{seed}"] * rows,
        }
    )


def check(
    folder: Path,
    name: str,
    production: pd.DataFrame | pa.Table,
    reference: pd.DataFrame | pa.Table | None = None,
    roles: Mapping[str, Any] = ROLES,
    *,
    limits: Mapping[str, Any] | None = None,
    **more: Any,
) -> list[ExpectationOutcome]:
    """The outcomes of one built-in check, with all others off."""
    before = people().assign(label=0) if reference is None else reference
    result = night(folder, before, production, monitor(roles, {name: dict(limits or {})}), **more)
    found = made_by(result, name)
    assert len(found) == len(result.outcomes) - 2, [item.check for item in result.outcomes]
    return found


def failed(found: list[ExpectationOutcome]) -> list[ExpectationOutcome]:
    return [item for item in found if not item.passed]


def all_on(folder: Path, production: pd.DataFrame, **roles: Any) -> QualityResult:
    on: dict[str, Any] = {name: {} for name in OFF}
    return night(folder, people().assign(label=0), production, monitor({**ROLES, **roles}, on), recent_rows=[400] * 5)


def test_a_night_like_the_reference_passes_them_all(tmp_path: Path) -> None:
    result = all_on(tmp_path, people(seed=1))
    assert [item.sentence for item in result.failures] == []
    assert {item.check for item in result.outcomes} == {None, "not_empty", *OFF} - {"duplicate_rows"}  # there is an id


def test_another_world_is_news_but_closes_no_gate(tmp_path: Path) -> None:
    drifted = people(seed=1)
    drifted = drifted.assign(
        age=drifted["age"] + 60, visits=drifted["visits"] * 9, city="Wien", score=2.0, prediction=7
    )
    result = all_on(tmp_path, drifted)
    assert result.passed
    assert result.failed("warning") > 3


def test_a_missing_column_is_critical_and_named_except_label_and_ignored_ones(tmp_path: Path) -> None:
    (found,) = check(tmp_path, "missing_column", people(seed=1).drop(columns=["city", "age", "batch"]))
    assert (found.passed, found.severity, found.observed) == (False, "critical", "without age, city")
    assert found.engine == "metadata"


def test_production_that_is_the_reference_is_told(tmp_path: Path) -> None:
    (found,) = check(tmp_path, "same_data", people(seed=1))
    assert (found.passed, found.observed) == (True, None)
    paths = write_parts(tmp_path, people(), parts=3)
    pair = SnapshotPair(monitor="p", run_date=RUN_DATE, reference=snapshot(paths), production=snapshot(paths[::-1]))
    suite = load_suite(write_suite(tmp_path, [entry("expect_table_row_count_to_be_between", min_value=0)]))
    result = validate(monitor(checks={"same_data": {}}), suite, paths, paths, pair)
    assert [(item.check, item.severity, item.observed) for item in result.failures] == [
        ("same_data", "warning", "the same bytes, so that nothing can drift")
    ]


def test_the_order_of_columns_does_not_matter(tmp_path: Path) -> None:
    (found,) = check(tmp_path, "missing_column", people(seed=1).iloc[:, ::-1])
    assert found.passed


def test_an_extra_column_is_only_mentioned(tmp_path: Path) -> None:
    (found,) = check(tmp_path, "extra_column", people(seed=1).assign(new=1))
    assert (found.passed, found.severity, found.observed) == (False, "info", "new")


@pytest.mark.parametrize(
    ("changed", "observed"),
    [
        ({"visits": "3"}, "visits (string instead of int64)"),
        ({"visits": True}, "visits (bool instead of int64)"),
        ({"visits": 3.0}, None),
        ({"visits": None}, None),
        ({"city": pd.Timestamp("2026-01-01")}, "city (timestamp[ms] instead of string)"),
    ],
)
def test_a_retyped_column_is_named_but_an_integer_that_became_a_float_is_none(
    tmp_path: Path, changed: dict[str, Any], observed: str | None
) -> None:
    (found,) = check(tmp_path, "retyped_column", people(seed=1).assign(**changed))
    assert (found.passed, found.observed) == (observed is None, observed)


@pytest.mark.parametrize(("rows", "passed"), [(39, False), (40, True), (800, True), (801, False)])
def test_row_volume_counts_against_the_reference(tmp_path: Path, rows: int, passed: bool) -> None:
    (found,) = check(tmp_path, "row_volume", people(rows, 1), limits={"least": 0.1, "most": 2})
    assert (found.passed, found.expected, found.observed) == (passed, "40 to 800 rows", str(rows))


@pytest.mark.parametrize(
    ("recent", "passed"), [([100, 100, 9_000], False), ([700, 900, 100, 800], True), ([300, 310, 320, 5], True)]
)
def test_row_history_counts_against_the_median_of_recent_nights(
    tmp_path: Path, recent: list[int], passed: bool
) -> None:
    (found,) = check(tmp_path, "row_history", people(seed=1), recent_rows=recent)
    assert found.passed is passed


def test_two_nights_are_no_history(tmp_path: Path) -> None:
    assert check(tmp_path, "row_history", people(seed=1), recent_rows=[5, 5]) == []


def test_missing_values_count_against_the_share_of_the_reference(tmp_path: Path) -> None:
    reference, production = people().assign(label=0), people(seed=1)
    reference.loc[:39, "age"] = None
    production.loc[:59, "age"] = None  # 15% instead of 10%
    production.loc[:20, "city"] = None  # 5.25% instead of 0%
    (found,) = failed(check(tmp_path, "missing_values", production, reference))
    assert (found.column, found.unexpected_rows) == ("city", 21)
    assert found.expected == "at most 5% of the rows (reference: 0%)"
    assert len(check(tmp_path, "missing_values", production, reference)) == 6


def test_nan_is_missing_as_null_is(tmp_path: Path) -> None:
    production = pa.table({"x": pa.array([float("nan")] * 50 + [1.0] * 50)})
    (found,) = check(tmp_path, "missing_values", production, pa.table({"x": [1.0, 2.0]}), {})
    assert found.unexpected_share == 0.5


def test_an_unseen_category_shows_its_share_and_its_name_only_where_allowed(tmp_path: Path) -> None:
    production = people(seed=1)
    production.loc[:19, "city"] = "Wien"
    reference = people().assign(label=0)
    for examples, shown in ((0, ()), (3, ("Wien",))):
        result = night(tmp_path, reference, production, monitor(ROLES, {"unseen_category": {}}, examples))
        (found,) = made_by(result, "unseen_category")
        assert (found.passed, found.severity, found.column) == (False, "warning", "city")
        assert (found.unexpected_share, found.examples) == (0.05, shown)
        assert "Bern" not in str(found)


def test_the_limit_that_is_said_is_the_one_that_holds(tmp_path: Path) -> None:
    """13 of 400 and 5% are 8.25%; 7 of 300 and 5% are 7.3333%, said and held as 7.34%."""
    for rows, gaps, allowed in ((400, 13, 0.0825), (300, 7, 0.0734)):
        reference = pd.DataFrame({"x": [None] * gaps + [1.5] * (rows - gaps)})
        for missing in (int(allowed * 10_000), int(allowed * 10_000) + 1):
            production = pd.DataFrame({"x": [None] * missing + [1.5] * (10_000 - missing)})
            (found,) = made_by(
                night(tmp_path, reference, production, monitor({}, {"missing_values": {}})), "missing_values"
            )
            assert found.expected is not None
            assert found.expected.startswith(f"at most {exact_share(allowed)} of the rows (reference: ")
            assert found.passed == (missing / 10_000 <= allowed)


def test_a_rare_new_category_is_within_the_limit(tmp_path: Path) -> None:
    production = people(seed=1)
    production.loc[:3, "city"] = "Wien"
    assert not failed(check(tmp_path, "unseen_category", production))
    assert failed(check(tmp_path, "unseen_category", production, limits={"share": 0.0}))


def test_free_text_has_no_categories(tmp_path: Path) -> None:
    reference = people().assign(note=[f"n{row}" for row in range(400)])
    found = check(tmp_path, "unseen_category", people(seed=1).assign(note="x"), reference, limits={"categories": 100})
    assert [item.column for item in found] == ["city"]


def test_values_out_of_the_range_of_the_reference(tmp_path: Path) -> None:
    production = people(seed=1)
    production["age"] = production["age"].clip(30, 50)
    production.loc[:7, "age"] = 200.0
    (found,) = failed(check(tmp_path, "out_of_range", production))
    assert (found.column, found.unexpected_rows, found.unexpected_share) == ("age", 8, 0.02)
    assert found.expected is not None
    assert found.expected.endswith("in all but 1% of the rows")


def test_outliers_follow_the_interquartile_rule_of_the_reference(tmp_path: Path) -> None:
    reference = pd.DataFrame({"x": [1, 2, 3, 4, 5] * 20, "constant": [1] * 99 + [2]})
    production = pd.DataFrame({"x": [3] * 90 + [8] * 4 + [9] * 6, "constant": [2] * 100})
    # quartiles 2 and 4: fences at -1 and 7
    (found,) = check(tmp_path, "outliers", production, reference, {})
    assert (found.column, found.passed, found.severity, found.unexpected_rows) == ("x", False, "info", 10)
    assert found.expected == "-1 to 7 in all but 5% of the rows"
    assert not failed(check(tmp_path, "outliers", production, reference, {}, limits={"factor": 2.5}))
    assert not failed(check(tmp_path, "outliers", production, reference, {}, limits={"rise": 0.1}))


def test_ids_are_there_and_differ(tmp_path: Path) -> None:
    production = people(seed=1)
    production.loc[:2, "id"] = "same"
    production.loc[3:4, "id"] = None
    missing, repeated = check(tmp_path, "duplicate_id", production)
    assert (missing.passed, missing.severity, missing.unexpected_rows) == (False, "critical", 2)
    assert (repeated.passed, repeated.severity, repeated.unexpected_rows) == (False, "critical", 3)


def test_the_suite_has_the_last_word_where_it_asks_for_the_very_same(tmp_path: Path) -> None:
    production = people(seed=1).assign(id="same")
    own = entry("expect_column_values_to_be_unique", "info", column="id")
    result = night(tmp_path, people(), production, monitor(ROLES, {"duplicate_id": {}}), own)
    assert [(item.check, item.expectation) for item in result.outcomes[1:]] == [
        (None, "expect_column_values_to_be_unique"),
        ("duplicate_id", "expect_column_values_to_not_be_null"),
    ]
    assert result.passed


@pytest.mark.parametrize(
    ("newest", "passed"),
    [("2026-01-14 22:00", True), ("2026-01-13 00:00", True), ("2026-01-12 23:00", False), ("2026-01-18 00:00", False)],
)
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_the_newest_moment_lies_near_the_end_of_the_run_date(
    tmp_path: Path, newest: str, passed: bool, zone: str | None
) -> None:
    moments = pd.Series([pd.Timestamp("2026-01-01"), pd.Timestamp(newest)]).dt.tz_localize("UTC")
    moments = moments.dt.tz_convert(zone) if zone else moments.dt.tz_localize(None)
    frame = pd.DataFrame({"at": moments})
    (found,) = check(tmp_path, "freshness", frame, frame, {})
    assert (found.passed, found.column, found.engine) == (passed, "at", "duckdb")
    assert found.observed == newest.replace(" ", "T") + ":00"


def test_of_several_timestamps_the_monitor_names_one(tmp_path: Path) -> None:
    frame = pd.DataFrame({"born": [pd.Timestamp("1990-01-01")], "at": [pd.Timestamp("2026-01-14 22:00")]})
    assert check(tmp_path, "freshness", frame, frame, {}) == []
    (found,) = check(tmp_path, "freshness", frame, frame, {}, limits={"column": "at"})
    assert found.passed
    (found,) = check(tmp_path, "freshness", frame, frame, {}, limits={"column": "gone"})
    assert found.error == "the column is not in the snapshot"


@pytest.mark.parametrize(
    ("modified", "passed", "observed"),
    [
        ("2026-01-14T23:00:00+00:00", True, "1 hours before"),
        ("2026-01-20T00:00:00+00:00", True, None),
        ("2026-01-12T00:00:00+00:00", False, "72 hours before"),
    ],
)
def test_the_newest_object_is_fresh(tmp_path: Path, modified: str, passed: bool, observed: str | None) -> None:
    frame = pd.DataFrame({"x": [1, 2]})
    (found,) = check(tmp_path, "freshness", frame, frame, {}, modified=modified)
    assert (found.passed, found.observed, found.column) == (passed, observed, None)


@pytest.mark.parametrize(
    ("changed", "column"),
    [({"prediction": "yes"}, "prediction"), ({"prediction": 2}, "prediction"), ({"score": 1.5}, "score")],
)
def test_answers_of_another_type_class_or_range_are_skew(tmp_path: Path, changed: dict[str, Any], column: str) -> None:
    (found,) = failed(check(tmp_path, "prediction_skew", people(seed=1).assign(**changed)))
    assert (found.column, found.severity) == (column, "warning")


def test_a_dominating_category_is_an_imbalance(tmp_path: Path) -> None:
    production = people(seed=1)
    production.loc[:299, "city"] = "Bern"
    (found,) = failed(check(tmp_path, "class_imbalance", production))
    assert (found.column, found.engine) == ("city", "duckdb")
    assert found.observed is not None
    assert found.observed == "83.5%"


def test_a_check_that_is_off_says_nothing(tmp_path: Path) -> None:
    result = night(tmp_path, people(), people(seed=1).drop(columns="city"), monitor(ROLES))
    assert [item.check for item in result.outcomes] == ["not_empty", None]


def test_an_empty_production_snapshot_is_one_failure_not_fifty(tmp_path: Path) -> None:
    result = all_on(tmp_path, people(1).head(0))
    assert not result.passed
    assert {item.check for item in result.failures} == {"not_empty", "row_volume", "row_history"}


def test_nothing_of_a_private_column_is_named(tmp_path: Path) -> None:
    reference = people().assign(age=[1234.5] + [5678.5] * 399, city="Geheimnis")
    production = people(seed=1).assign(age=9876.5, city="Anderswo")
    result = night(
        tmp_path, reference, production, monitor({"private": ["age", "city"]}, {name: {} for name in OFF}, 5)
    )
    assert {"age", "city"} <= {item.column for item in result.failures}
    for value in ("1234", "5678", "9876", "Geheimnis", "Anderswo"):
        assert value.encode() not in result.to_json()


def test_every_default_names_its_severity() -> None:
    severities = {name: getattr(QualityChecks(), name).severity for name in QualityChecks.model_fields}
    assert {name for name, severity in severities.items() if severity == "critical"} == {
        "missing_column",
        "duplicate_id",
    }
    assert set(severities) == set(OFF)


def test_columns_of_any_type_are_looked_at_without_an_error(tmp_path: Path) -> None:
    rows = 30
    table = pa.table(
        {
            "list": pa.array([[1, 2]] * rows),
            "struct": pa.array([{"a": 1}] * rows),
            "binary": pa.array([b"x"] * rows),
            "time": pa.array([1] * rows, pa.time64("us")),
            "duration": pa.array([1] * rows, pa.duration("us")),
            "big": pa.array([2**62 + row for row in range(rows)]),
            "huge": pa.array([1e308, -1e308] * (rows // 2)),
            "infinite": pa.array([float("inf"), 1.0, -float("inf")] * (rows // 3)),
            "decimal": pa.array(range(rows), pa.int64()).cast(pa.decimal128(30, 2)),
            "nothing": pa.nulls(rows),
            "flag": pa.array([True, False] * (rows // 2)),
            "coded": pa.array(["a", "b"] * (rows // 2)).dictionary_encode(),
            "day": pa.array([1] * rows, pa.date32()),
        }
    )
    result = night(tmp_path, table, table, monitor(checks={name: {} for name in OFF}))
    assert [(item.sentence, item.error) for item in result.failures] == []


def test_a_monitor_file_with_a_misspelt_check_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="row_volum"):
        monitor(checks={"row_volum": {}})
    with pytest.raises(ValueError, match="least"):
        monitor(checks={"row_volume": {"least": 3, "most": 2}})
    assert write_suite(tmp_path, []).is_file()


def without_id(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    return people(rows, seed).drop(columns="id")


BARE = {key: name for key, name in ROLES.items() if key != "id"}


def test_a_night_that_was_delivered_twice_is_told_where_there_is_no_id(tmp_path: Path) -> None:
    twice = pd.concat([without_id(seed=1)] * 2).assign(batch=[f"load {row}" for row in range(800)])
    (found,) = check(tmp_path / "twice", "duplicate_rows", twice, without_id(), BARE)
    assert (found.passed, found.severity, found.unexpected_rows, found.unexpected_share) == (False, "warning", 400, 0.5)
    (found,) = check(tmp_path / "once", "duplicate_rows", without_id(seed=1), without_id(), BARE)
    assert (found.passed, found.unexpected_share) == (True, 0.0)
    with_id = all_on(tmp_path / "id", pd.concat([people(seed=1)] * 2))
    assert {item.check for item in with_id.failures} >= {"duplicate_id"}
    assert made_by(with_id, "duplicate_rows") == []


def test_rows_repeat_as_often_as_in_the_reference(tmp_path: Path) -> None:
    def codes(rows: int, seed: int) -> pd.DataFrame:
        random = np.random.default_rng(seed)
        values = {name: random.choice([1.0, 2.0, np.nan], rows) for name in "abcdef"}
        return pd.DataFrame(values).assign(word=random.choice(["x", "y", ""], rows), label=0)

    for place, (rows, reference) in enumerate([(300, 2_000), (2_000, 2_000), (1_500, 500)]):
        same = check(tmp_path / str(place), "duplicate_rows", codes(rows, 1), codes(reference, 0), {})
        assert failed(same) == []
    (twice,) = check(tmp_path / "twice", "duplicate_rows", pd.concat([codes(300, 1)] * 2), codes(2_000, 0), {})
    assert not twice.passed
    assert (twice.unexpected_share or 0) > 0.5


@pytest.mark.parametrize("rows", [0, 1])
def test_repeated_rows_of_hardly_any(tmp_path: Path, rows: int) -> None:
    assert failed(check(tmp_path, "duplicate_rows", without_id(rows, 1), without_id(), BARE)) == []
