"""Generated nights through `run` come to what a small oracle of other libraries comes to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli import main
from tests.fuzz.examples import examples
from tests.fuzz.night_oracle import LIMIT, Expected, expected
from tests.project import Project

pytestmark = pytest.mark.slow

DAY = "2026-01-14"
KINDS = {"number": "num", "whole": "num", "text": "cat", "flag": "cat"}
SUITE = [
    {"type": "expect_column_values_to_be_between", "kwargs": {"column": "number", "min_value": -2, "max_value": 2}},
    {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "text", "value_set": ["a", "b"]}},
]


@st.composite
def nights(draw: st.DrawFn) -> dict[str, Any]:
    """A seed, sizes around Evidently's change of methods, how far production moved, shares of gaps."""
    return {
        "seed": draw(st.integers(0, 2**32 - 1)),
        "reference": draw(st.sampled_from([2, 5, 40, 300, 1000, 1001, 1500])),
        "production": draw(st.sampled_from([1, 2, 17, 250, 1200])),
        "shift": draw(st.sampled_from([0.0, 0.05, 0.3, 1.0])),
        "gaps": draw(st.sampled_from([0.0, 0.1, 0.9, 1.0])),
        "labelled": draw(st.sampled_from([0.0, 0.5, 1.0])),
        "files": draw(st.integers(1, 3)),
    }


def frame(rows: int, random: np.random.Generator, shift: float, gaps: float) -> pd.DataFrame:
    score = random.random(rows)
    made = pd.DataFrame(
        {
            "id": [f"r{row}" for row in range(rows)],
            "number": random.normal(shift, 1, rows),
            "whole": pd.array(random.poisson(3 + 5 * shift, rows), dtype="Int64"),
            "text": random.choice(["a", "b", "c"], rows, p=[0.5, 0.3 - 0.2 * shift, 0.2 + 0.2 * shift]),
            "flag": pd.array(random.random(rows) < 0.4 + shift / 3, dtype="boolean"),
            "score": score,
            "said": np.where(score > 0.5, "yes", "no"),
        }
    )
    for name in KINDS:
        made[name] = made[name].where(random.random(rows) >= gaps)
    return made


def labels_of(production: pd.DataFrame, random: np.random.Generator, share: float) -> pd.DataFrame:
    """Labels of some rows, some twice, some empty, some of nobody, in any order."""
    rows = production[random.random(len(production)) < share]
    first = pd.DataFrame(
        {"id": rows["id"], "label": np.where(rows["score"] + random.normal(0, 0.4, len(rows)) > 0.5, "yes", "no")}
    )
    again = first.sample(frac=0.3, random_state=int(random.integers(1 << 31)))
    again["label"] = random.choice(np.array(["yes", "no", None], dtype=object), len(again))
    nobody = pd.DataFrame({"id": ["nobody", None], "label": ["yes", "no"]})
    return pd.concat([first, again, nobody], ignore_index=True).astype(object)


def write(project: Project, folder: str, rows: pd.DataFrame, files: int) -> None:
    path = project.root / "data" / folder
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    table = pa.Table.from_pandas(rows, preserve_index=False)
    cuts = np.linspace(0, len(rows), files + 1).astype(int)
    for place, (start, end) in enumerate(pairwise(cuts)):
        pq.write_table(table.slice(start, end - start), path / f"part-{place}.parquet", row_group_size=100)


def same(one: float | None, other: float | None) -> bool:
    return one == other or (one is not None and other is not None and abs(one - other) <= 1e-7 + 1e-9 * abs(other))


def differences(project: Project, night: dict[str, Any]) -> list[str]:
    random = np.random.default_rng(night["seed"])
    reference = frame(night["reference"], random, 0.0, min(night["gaps"], 0.1))
    production = frame(night["production"], random, night["shift"], night["gaps"])
    reference["label"] = np.where(reference["score"] > 0.3, "yes", "no")
    reference.loc[:1, "label"] = ["yes", "no"]  # it says which classes there are
    labels = labels_of(production, random, night["labelled"])
    write(project, "reference", reference, night["files"])
    write(project, f"production/dt={DAY}", production, night["files"])
    write(project, f"labels/dt={DAY}", labels, 1)
    shutil.rmtree(project.store, ignore_errors=True)
    code = main(["run", "people", "--date", DAY])
    wanted, found = expected(reference, production, labels, KINDS), {"exit code": code, **read(project)}
    return [
        *drift_differs(wanted, found["drift"], len(production)),
        *quality_differs(wanted, found),
        *performance_differs(wanted, found),
    ]


def read(project: Project) -> dict[str, Any]:
    folder = project.store / "people" / DAY
    return {
        name: json.loads((folder / f"{name}.json").read_text())
        for name in ("drift", "quality", "performance", "decision")
    }


def drift_differs(wanted: Expected, drift: dict[str, Any], rows: int) -> Iterator[str]:
    """A handful of values past the threshold may be chance: then there is no score, and no drift in the share."""
    columns = {column["name"]: column for column in drift["columns"]}
    drifted = dict(wanted.drifted)
    for name, score in wanted.scores.items():
        column, verdict, values = columns[name], wanted.drifted[name], round(rows * (1 - wanted.missing[name]))
        if column["few"] is not None and verdict and values < 10:
            drifted[name] = False
            if column["few"] != values or column["drifted"] or column["status"] != "not_evaluable":
                yield f"{name}: {column}"
        elif not same(column["score"], score) or column["drifted"] != verdict:
            yield f"{name}: {column['method']} {column['score']} {column['drifted']}, not {score} {verdict}"
        if not same(column["missing_production_share"], wanted.missing[name]):
            yield f"{name}: {column['missing_production_share']} missing, not {wanted.missing[name]}"
    evaluated = sum(score is not None for score in wanted.scores.values())
    if drift["drifted"] != (evaluated > 0 and 10 * sum(drifted.values()) > 3 * evaluated):
        yield f"drifted is {drift['drifted']}"


def quality_differs(wanted: Expected, found: dict[str, Any]) -> Iterator[str]:
    outcomes = found["quality"]["outcomes"]
    for outcome in outcomes:
        rows = outcome["unexpected_rows"] or 0
        if outcome["check"] is None and rows != wanted.bad_rows[outcome["column"]]:
            yield f"{outcome['sentence']}: {rows}, not {wanted.bad_rows[outcome['column']]}"
    broken = any(not outcome["passed"] and outcome["severity"] == "critical" for outcome in outcomes)
    if found["exit code"] != (4 if broken else 0):
        yield f"exit code {found['exit code']}"


def performance_differs(wanted: Expected, found: dict[str, Any]) -> Iterator[str]:
    performance = found["performance"]
    if (performance["status"] == "measured") != (wanted.metrics is not None):
        yield f"performance is {performance['status']}: {performance['reason']}"
    for metric, value in (wanted.metrics or {}).items():
        if not same(performance["realised"].get(metric), value):
            yield f"{metric} is {performance['realised'].get(metric)}, not {value}"


@examples(8)
@given(night=nights())
def test_a_night_comes_to_what_other_libraries_come_to(project: Project, night: dict[str, Any]) -> None:
    if not (project.root / "monitors" / "people.yaml").exists():
        project.write_suite(expectations=SUITE)
        project.write_monitor(
            columns={
                "id": "id", "label": "label", "prediction": "said", "score": "score", "positive": "yes",
                "numerical": ["number", "whole"], "categorical": ["text", "flag"],
            },
            drift={"limit": LIMIT},
            performance={"label_delay_days": 0},
        )  # fmt: skip
    assert differences(project, night) == []
