"""Suites by example: what is suggested holds on the reference, says what it saw, and names no private value."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline.authoring.evidence import gather
from pipeline.authoring.formats import describe_texts
from pipeline.authoring.roles import Known, guess_columns
from pipeline.authoring.suggest import suggest_suite
from pipeline.checks.quality import Limits, validate_suite
from pipeline.checks.quality.suite.read import Suite
from pipeline.checks.quality.validate import open_files
from pipeline.config import ColumnRoles
from tests.checks.quality.samples import write_parts
from tests.checks.quality.test_parity import snapshot

LIMITS = Limits(threads=1)
ROWS = 500


def customers() -> pd.DataFrame:
    random = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "customer_id": [f"C{row:06d}" for row in range(ROWS)],
            "age": np.where(random.random(ROWS) < 0.1, np.nan, random.normal(40, 10, ROWS).round()),
            "visits": random.poisson(30, ROWS),
            "city": random.choice(["Bern", "Graz", "Lyon"], ROWS),
            "rare": ["common"] * (ROWS - 1) + ["once"],
            "probability": random.random(ROWS),
            "prediction": random.integers(0, 2, ROWS),
            "churned": random.integers(0, 2, ROWS),
            "scored_at": pd.Timestamp("2026-01-01"),
        }
    )


def suggested(tmp_path: Path, data: pd.DataFrame | pa.Table, **roles: Any) -> dict[tuple[str, str | None], Any]:
    """Entries by type without its prefix, and column."""
    paths = write_parts(tmp_path, data, parts=2)
    suggestion = suggest_suite("s", ColumnRoles(**roles), paths, LIMITS)
    assert suggestion.left_out == 0
    entries = suggestion.content["expectations"]
    return {(item["type"].removeprefix("expect_"), item["kwargs"].get("column")): item for item in entries}


def test_each_column_gets_what_was_seen_of_it(tmp_path: Path) -> None:
    found = suggested(tmp_path, customers(), id="customer_id", label="churned", prediction="prediction")
    kwargs = {key: {k: v for k, v in item["kwargs"].items() if k != "column"} for key, item in found.items()}
    assert kwargs["table_row_count_to_be_between", None] == {"min_value": 1, "max_value": 5_000}
    assert kwargs["column_values_to_not_be_null", "visits"] == {}
    assert 0.7 < kwargs["column_values_to_not_be_null", "age"]["mostly"] < 0.9  # a night may have 100 rows
    assert kwargs["column_values_to_match_regex", "customer_id"] == {"regex": "^C[0-9]{6}$"}
    assert kwargs["column_values_to_be_in_set", "prediction"]["value_set"] in ([0, 1], [1, 0])
    assert set(kwargs["column_values_to_be_in_set", "city"]["value_set"]) == {"Bern", "Graz", "Lyon"}
    assert kwargs["column_values_to_be_between", "probability"] == {"min_value": 0.0, "max_value": 1.0}
    assert kwargs["column_values_to_be_in_type_list", "visits"] == {
        "type_list": ["float32", "float64", "int32", "int64"]
    }
    assert {name for _, name in found} == {None, *customers().columns} - {"churned"}
    visits = kwargs["column_values_to_be_between", "visits"]
    assert visits["min_value"] >= 0
    assert isinstance(visits["max_value"], int)
    assert found["column_values_to_be_unique", "customer_id"]["severity"] == "critical"
    assert found.keys() >= {("column_mean_to_be_between", "age"), ("column_quantile_values_to_be_between", "age")}


def drawn(seed: int) -> dict[str, np.ndarray]:
    """Columns with tails of every length, ten of each kind."""
    random = np.random.default_rng(seed)
    made: dict[str, np.ndarray] = {}
    for place in range(10):
        made |= {
            f"uniform {place}": random.uniform(3, 5, 2_000),
            f"normal {place}": random.normal(5, 1, 2_000),
            f"exponential {place}": random.exponential(1, 2_000) + 2,
            f"log-normal {place}": random.lognormal(2, 1, 2_000),
            f"Student {place}": random.standard_t(3, 2_000),
            f"Pareto {place}": random.pareto(2, 2_000) + 1,
            f"counts {place}": random.poisson(3, 2_000),
        }
    return made


def test_ranges_hold_on_more_of_the_same_however_long_the_tails(tmp_path: Path) -> None:
    """A tenth of the range as margin would not hold in about every third of these columns."""
    found, later = suggested(tmp_path, pd.DataFrame(drawn(0))), drawn(1)
    limits = {name: item["kwargs"] for (kind, name), item in found.items() if kind == "column_values_to_be_between"}
    assert len(limits) == 70
    left = [
        name
        for name, values in later.items()
        if values.min() < limits[name]["min_value"] or values.max() > limits[name]["max_value"]
    ]
    assert len(left) <= 2, left


def test_a_short_tail_gets_a_narrow_margin_and_a_long_one_at_most_ten_times_its_length(tmp_path: Path) -> None:
    spread = np.linspace(1_000, 2_000, 1_001)
    one_far = np.append(np.linspace(1_000, 2_000, 1_000), 10**9)
    found = suggested(tmp_path, pd.DataFrame({"even": spread, "far": one_far}))
    even = found["column_values_to_be_between", "even"]["kwargs"]
    assert (even["min_value"], even["max_value"]) == (890, 2_110)
    far = found["column_values_to_be_between", "far"]["kwargs"]
    assert 9 * 10**9 < far["max_value"] < 11 * 10**9


def test_a_column_that_is_nearly_always_the_same_may_go_as_far_again(tmp_path: Path) -> None:
    found = suggested(tmp_path, pd.DataFrame({"fee": [10.0] * 970 + [10.5, 11.0, 14.0] * 10}))
    limits = found["column_values_to_be_between", "fee"]["kwargs"]
    assert 17.9 < limits["max_value"] < 18.5
    assert 9.5 < limits["min_value"] < 9.7


def test_what_differs_in_every_row_by_chance_need_not_do_so_again(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "cents": np.random.default_rng(0).permutation(10**6)[:2_000],
            "remark": [f"remark {row} of a customer" for row in range(2_000)],
            "account_id": range(2_000),
            "code": [f"A-{row:05d}" for row in range(2_000)],
        }
    )
    found = suggested(tmp_path, frame)
    assert {name for kind, name in found if kind == "column_values_to_be_unique"} == {"account_id", "code"}
    assert not [kind for kind, name in found if name == "account_id" and "mean" in kind]


def test_a_column_without_a_name_is_left_out(tmp_path: Path) -> None:
    found = suggested(tmp_path, pa.table({"": [1, 2, 3], "x": [1, 2, 3]}))
    assert {name for _, name in found} == {None, "x"}


def test_a_value_seen_only_once_leaves_room_for_others(tmp_path: Path) -> None:
    rare = customers()[["rare", "city"]].assign(rare=["a"] * 490 + ["b"] * 9 + ["once"])
    found = suggested(tmp_path, rare)
    assert found["column_values_to_be_in_set", "rare"]["kwargs"]["mostly"] == 0.935  # of 100 rows
    assert "mostly" not in found["column_values_to_be_in_set", "city"]["kwargs"]


def test_every_entry_says_what_it_saw(tmp_path: Path) -> None:
    found = suggested(tmp_path, customers(), id="customer_id")
    assert all(item["meta"]["notes"].endswith(".") for item in found.values())
    note = found["column_values_to_be_unique", "customer_id"]["meta"]["notes"]
    assert note == "All 500 values of the reference differ."


def test_a_private_column_gets_nothing_that_names_a_value(tmp_path: Path) -> None:
    found = suggested(tmp_path, customers(), private=["customer_id", "age", "city"])
    kinds = {kind for kind, name in found if name in ("customer_id", "age", "city")}
    assert kinds == {"column_values_to_not_be_null", "column_values_to_be_in_type_list", "column_values_to_be_unique"}


def test_ignored_columns_and_the_model_version_are_left_to_change(tmp_path: Path) -> None:
    found = suggested(tmp_path, customers().assign(version="1"), ignore=["city"], model_version="version")
    assert not [kind for kind, name in found if name == "city"]
    assert ("column_values_to_be_in_set", "version") not in found


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_a_tiny_reference_gives_a_suite_that_holds(tmp_path: Path, rows: int) -> None:
    suggested(tmp_path, customers().head(rows), id="customer_id")


def test_a_suite_for_columns_of_every_type_holds_on_them(tmp_path: Path) -> None:
    odd = pa.table(
        {
            "list": pa.array([[1, 2]] * 40),
            "binary": pa.array([b"x"] * 40),
            "infinite": pa.array([float("inf"), 1.0, 2.0, 3.0] * 10),
            "constant": pa.array([7] * 40),
            "big": pa.array([2**62 + row for row in range(40)]),
            "tiny": pa.array([1e-300 * row for row in range(40)]),
            "huge": pa.array([1e308, -1e308] * 20),
            'na"me; DROP': pa.array(["a", None] * 20),
        }
    )
    for place, table in enumerate((snapshot(), odd)):
        paths = write_parts(tmp_path / str(place), table)
        suggestion = suggest_suite("s", ColumnRoles(), paths, LIMITS)
        suite = Suite("s", tmp_path / "s.json", tuple(suggestion.content["expectations"]))
        result = validate_suite(suite, paths, "reference")
        assert [item.sentence for item in result.failures] == []
        assert suggestion.left_out == 0


@pytest.mark.parametrize(
    ("values", "pattern"),
    [
        ([f"A-{row:03d}" for row in range(50)], "^A\\-[0-9]{3}$"),
        ([str(row) for row in range(50)], "^[0-9]+$"),
        ([uuid.UUID(int=row * 7**40).hex for row in range(1, 50)], "^[0-9a-f]{32}$"),
        ([f"user{row}@example.com" for row in range(50)], "^[^@\\s]+@[^@\\s]+[.][^@\\s]+$"),
        ([f"2026-01-{row % 28 + 1:02d}" for row in range(50)], "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
        ([f"note number {row}" for row in range(50)], None),
        (["", "a", "b"], None),
    ],
)
def test_regular_formats_are_found_where_they_are_clear(tmp_path: Path, values: list[str], pattern: str | None) -> None:
    files = open_files(write_parts(tmp_path, pa.table({"x": values})))
    assert describe_texts(files, ["x"], LIMITS)["x"].pattern == pattern


def test_roles_are_guessed_from_names_types_and_what_arrives_later(tmp_path: Path) -> None:
    frame = customers().assign(model_version="3", flag=1, note=[f"n{row}" for row in range(ROWS)])
    paths = write_parts(tmp_path, frame)
    production = [name for name in frame.columns if name != "churned"]
    evidence = gather(paths, LIMITS, production=production, labels=["customer_id", "churned"])
    found = guess_columns(evidence, Known())
    assert (found.id, found.label, found.prediction) == ("customer_id", "churned", "prediction")
    assert (found.score, found.model_version) == ("probability", "model_version")
    assert found.numerical == ("age", "visits", "probability")
    assert found.categorical == ("city", "rare", "prediction", "flag")
    assert list(found.ignore) == ["scored_at", "note"]


def test_what_a_person_said_is_not_guessed(tmp_path: Path) -> None:
    paths = write_parts(tmp_path, customers())
    said = Known(label="prediction", prediction="", score="age")
    found = guess_columns(gather(paths, LIMITS), said)
    assert (found.label, found.prediction, found.score, found.id) == ("prediction", None, "age", "customer_id")
