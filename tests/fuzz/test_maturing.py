"""Labels that come in random parts on random nights end at what they are all at once, and at what scikit-learn says."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.results import LabelledDay, PerformanceResult
from pipeline.steps import nightly as steps
from tests.fuzz.examples import examples
from tests.fuzz.night_oracle import classified
from tests.project import Project

pytestmark = pytest.mark.slow

FIRST = date(2026, 1, 5)
DAYS, LAST = 3, 5
ON_A_GRID = {"roc_auc": 1e-3, "average_precision": 5e-3}  # of several nights together, scores are rounded


@dataclass(frozen=True)
class Part:
    """A file of labels of a day: the night on which it comes, the share of rows, and how many of them are wrong."""

    night: int
    share: float
    wrong: float


parts = st.builds(Part, st.integers(0, LAST), st.sampled_from([0.2, 0.6, 1.0]), st.sampled_from([0.0, 0.1]))
arrivals = st.lists(st.lists(parts, max_size=3), min_size=DAYS, max_size=DAYS)


def predictions(seed: int, day: int) -> pd.DataFrame:
    random = np.random.default_rng([seed, day])
    score = random.random(int(random.integers(1, 150)))
    ids = [f"{day}-{row}" for row in range(len(score))]
    return pd.DataFrame({"id": ids, "score": score, "prediction": np.where(score > 0.5, "yes", "no")})


def truth(rows: pd.DataFrame, seed: int) -> pd.Series:
    noise = np.random.default_rng(seed).normal(0, 0.4, len(rows))
    return pd.Series(np.where(rows["score"] + noise > 0.5, "yes", "no"), index=rows.index)


def files(seed: int, day: int, wanted: list[Part]) -> list[pd.DataFrame]:
    """In each a random choice of rows, some with a label that another file contradicts."""
    rows, found = predictions(seed, day), []
    for place, part in enumerate(wanted):
        random = np.random.default_rng([seed, day, place])
        entries = rows.assign(label=truth(rows, seed))[random.random(len(rows)) < part.share]
        other = np.where(entries["label"] == "yes", "no", "yes")
        entries["label"] = np.where(random.random(len(entries)) < part.wrong, other, entries["label"])
        found.append(entries[["id", "label"]].sample(frac=1, random_state=place))
    return found


def begin(project: Project, seed: int) -> None:
    for place in (project.store, project.root / "data"):
        shutil.rmtree(place, ignore_errors=True)
    if not (project.root / "monitors/people.yaml").exists():
        project.write_suite()
        columns = {"id": "id", "label": "label", "prediction": "prediction", "score": "score", "positive": "yes"}
        project.write_monitor(columns=columns, performance={"label_delay_days": 1})
    before = pd.concat([predictions(seed, 99), pd.DataFrame({"id": ["a", "b"], "score": 0.5, "prediction": "no"})])
    before = before.reset_index(drop=True)
    before["label"] = truth(before, seed)
    before.loc[before.index[-2:], "label"] = ["yes", "no"]  # it says which classes there are
    project.write_parquet("reference/part-0.parquet", before)
    for day in range(LAST + 1):
        project.write_parquet(f"production/dt={FIRST + timedelta(days=day)}/part-0.parquet", predictions(seed, day))


def write(project: Project, day: int, place: int, frame: pd.DataFrame) -> None:
    project.write_parquet(f"labels/dt={FIRST + timedelta(days=day)}/part-{place}.parquet", frame)


def look(project: Project, night: int) -> PerformanceResult:
    opened = project.night(str(FIRST + timedelta(days=night)))
    steps.pull_snapshots(opened)
    return steps.measure_performance(opened)


def kept(project: Project) -> list[LabelledDay | None]:
    night = project.night(str(FIRST))
    return [night.read_labelled(FIRST + timedelta(days=day)) for day in range(DAYS)]


def without_history(days: list[LabelledDay | None]) -> list[object]:
    return [None if day is None else day.model_dump(exclude={"state", "grew"}) for day in days]


@examples(4)
@given(seed=st.integers(0, 2**32 - 1), arrival=arrivals)
def test_labels_in_any_parts_on_any_nights_end_as_all_at_once(
    project: Project, seed: int, arrival: list[list[Part]]
) -> None:
    begin(project, seed)
    every = [files(seed, day, wanted) for day, wanted in enumerate(arrival)]
    for night in range(LAST + 1):
        for day, wanted in enumerate(arrival):
            for place, part in enumerate(wanted):
                if part.night == night:
                    write(project, day, place, every[day][place])
        bit_by_bit = look(project, night)
    matured = kept(project)

    begin(project, seed)
    for day, found in enumerate(every):
        for place, frame in enumerate(found):
            write(project, day, place, frame)
    at_once = look(project, LAST)
    assert without_history(matured) == without_history(kept(project))
    assert (bit_by_bit.spans, bit_by_bit.nights) == (at_once.spans, at_once.nights)
    assert (bit_by_bit.verdict, bit_by_bit.failure) == (at_once.verdict, None)
    check(matured, bit_by_bit, [joined(seed, day, found) for day, found in enumerate(every)])


def joined(seed: int, day: int, entries: list[pd.DataFrame]) -> pd.DataFrame:
    """The rows of a day with their labels: the last file in order of names, and the last entry there, count."""
    told: dict[str, str] = {}
    for frame in entries:
        told |= dict(zip(frame["id"], frame["label"], strict=True))
    rows = predictions(seed, day)
    rows["label"] = rows["id"].map(told)
    return rows[rows["label"].notna()]


def check(days: list[LabelledDay | None], found: PerformanceResult, wanted: list[pd.DataFrame]) -> None:
    for day, rows in zip(days, wanted, strict=True):
        if day is None or day.status != "measured":
            assert rows.empty
            continue
        assert day.labelled_rows == len(rows)
        expected = metrics(rows)
        assert {name: day.metrics[name].value for name in expected} == pytest.approx(expected, abs=1e-7)
    together = pd.concat(wanted)
    if sum(not rows.empty for rows in wanted) < 2:  # one night alone is no span
        assert found.spans == {}
        return
    span, expected = found.spans["7"], metrics(together)
    assert (span.nights, span.labelled_rows) == (sum(not rows.empty for rows in wanted), len(together))
    for name, value in expected.items():
        assert span.metrics[name].value == pytest.approx(value, abs=ON_A_GRID.get(name, 1e-7)), name


def metrics(rows: pd.DataFrame) -> dict[str, float]:
    return classified(rows["label"].to_numpy(str), rows["prediction"].to_numpy(str), rows["score"].to_numpy())
