"""Single steps of a night, on files of a project."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.errors import ResultMissing
from pipeline.results import NightProfile, PerformanceResult
from pipeline.steps import nightly as steps
from tests.project import Project, people
from tests.steps.publishing import DAY, publish


def counted(rows: int, seed: int) -> pd.DataFrame:
    """People whose label is a count, of which the model knows all but two."""
    found = people(rows, seed)
    found["label"] = [row % 70 for row in range(rows)]
    found["prediction"] = found["label"] + 2.0
    return found


def measured(project: Project, labelled: int, task: str) -> PerformanceResult:
    """Performance of a night with so many labelled rows, of a monitor whose `task` says this."""
    night = project.complete(retrain={"task": task})
    night_before = counted(40, 5)
    project.write_parquet("reference/part-0.parquet", counted(200, 0))
    project.write_parquet("production/dt=2026-01-07/part-0.parquet", night_before)
    project.write_parquet("labels/dt=2026-01-07/part-0.parquet", night_before[["id", "label"]].head(labelled))
    steps.pull_snapshots(night)
    return steps.measure_performance(night)


@pytest.mark.parametrize("labelled", [1, 12, 40])
def test_whole_number_targets_are_measured_as_numbers_on_a_night_of_any_size(labelled: int, project: Project) -> None:
    found = measured(project, labelled, "auto")
    assert (found.status, found.labelled_rows) == ("measured", labelled)
    assert found.realised["mean_absolute_error"] == found.reference["mean_absolute_error"] == 2.0
    assert ("r2" in found.realised) == (labelled > 1)


def test_the_task_of_the_monitor_counts_for_nights_too(project: Project) -> None:
    found = measured(project, 40, "classification").realised
    assert "accuracy" in found
    assert "mean_absolute_error" not in found


# -- labels that cannot be used ---------------------------------------------------------------------------------------

LABELS = "labels/dt=2026-01-07/part-0.parquet"
KNOWN = people(200, 5)


def with_labels(project: Project, labels: pd.DataFrame, production: pd.DataFrame = KNOWN) -> PerformanceResult:
    night = project.complete()
    project.write_parquet("production/dt=2026-01-07/part-0.parquet", production)
    project.write_parquet(LABELS, labels)
    steps.pull_snapshots(night)
    return steps.measure_performance(night)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (KNOWN[["id"]], "data/labels/dt=2026-01-07 has no column 'label', only id"),
        (KNOWN[["label"]], "data/labels/dt=2026-01-07 has no column 'id', only label"),
        (KNOWN[["label"]].assign(id=range(200)), "data/labels/dt=2026-01-07, so no row can be told by it"),
        (KNOWN[["id"]].assign(label="yes"), "label is string in"),
        (KNOWN[["id"]].assign(label=pd.Series([[1]] * 200)), "whose values are no classes"),
        (KNOWN[["id"]].assign(label=None), "none of its ids is in"),
        (KNOWN[["id", "label"]].assign(id="nobody"), "none of its ids is in"),
    ],
)
def test_labels_that_cannot_be_used_are_a_reason_that_names_their_file(
    project: Project, labels: pd.DataFrame, words: str
) -> None:
    found = with_labels(project, labels)
    assert found.status == "not_evaluable"
    assert words in str(found.reason)
    assert "data/labels/dt=2026-01-07" in str(found.reason)


@pytest.mark.parametrize("damaged", [LABELS, "production/dt=2026-01-07/part-0.parquet"])
def test_labels_that_cannot_be_read_stop_no_night(project: Project, damaged: str) -> None:
    night = project.complete()
    project.write_labels()
    (project.root / "data" / damaged).write_bytes(b"PAR1 but cut off")
    pair = steps.pull_snapshots(night)
    assert (pair.labels, pair.labelled) == (None, None)
    found = steps.measure_performance(night)
    assert found.status == "not_evaluable"
    assert f"data/{damaged}: not a readable parquet file" in str(found.reason)


def test_a_damaged_page_of_the_labels_is_a_reason_too(project: Project) -> None:
    night = project.complete()
    project.write_labels()
    path = project.root / "data" / LABELS
    content = bytearray(path.read_bytes())
    content[4:2000] = bytes(1996)
    path.write_bytes(content)
    steps.pull_snapshots(night)
    found = steps.measure_performance(night)
    assert found.status == "not_evaluable"
    assert f"data/{LABELS}: cannot be decoded" in str(found.reason)


def test_an_id_that_pandas_made_the_index_is_found(project: Project) -> None:
    night = project.complete()
    for place, frame in (("production/dt=2026-01-07", KNOWN), ("labels/dt=2026-01-07", KNOWN[["id", "label"]])):
        path = project.write_parquet(f"{place}/part-0.parquet", frame)
        frame.set_index("id").to_parquet(path)
    steps.pull_snapshots(night)
    assert steps.measure_performance(night).labelled_rows == 200


def test_only_known_labels_count(project: Project) -> None:
    ids, labels = KNOWN["id"].tolist(), [*KNOWN["label"].tolist()[:30], *[None] * 370]
    found = with_labels(project, pd.DataFrame({"id": ids * 2, "label": pd.array(labels, dtype="Int64")}))
    assert (found.status, found.labelled_rows) == ("measured", 30)


def test_an_unreadable_score_leaves_what_predictions_tell(project: Project) -> None:
    words = KNOWN["score"].map("{:.1%}".format)
    found = with_labels(project, KNOWN[["id", "label"]], KNOWN.assign(score=words))
    assert {"accuracy", "precision", "recall", "f1"} < set(found.realised)
    assert "roc_auc" not in found.realised
    assert found.reference["roc_auc"] > 0.5
    assert "score in " in found.notes[0]
    assert "data/production/dt=2026-01-07 is string, and not all of it can be read as numbers" in found.notes[0]


def test_a_night_of_parts_as_people_have_them(project: Project) -> None:
    """Folders of a column and of the date, an index, other widths, parts without rows, ids beyond 2**53 with a gap."""
    sources = {"reference": "data/p", "production": "data/p/dt={date}/", "labels": "data/l/dt={date}/"}
    night = project.complete(snapshots=sources)
    for day, countries in (("2026-01-07", ("DE", "FR")), ("2026-01-14", ("DE",))):
        for place, country in enumerate(countries):
            found = people(60, place)
            found["id"] = [2**53 + 1 + 2 * (100 * place + row) for row in range(60)]
            found["age"] = found["age"].astype("int32" if place else "int64")
            indexed(project, f"p/dt={day}/country={country}/part-{place}", found.sample(frac=1, random_state=0))
            indexed(project, f"l/dt={day}/{place}.parquet", found.set_index("id")[["label"]])
        indexed(project, f"l/dt={day}/gap.parquet", pd.DataFrame({"id": [None], "label": [None]}))
        indexed(project, f"l/dt={day}/empty.parquet", pd.DataFrame({"id": [], "label": []}))

    pair = steps.pull_snapshots(night)

    assert [field.name for field in pair.reference.fields] == [field.name for field in pair.production.fields]
    assert pair.reference.fields[-1].name == "country"
    drift = {column.name: column for column in steps.measure_drift(night).columns}
    assert [item.label for item in drift["country"].vanished_categories] == ["FR"]
    assert set(drift) == {"age", "income", "city", "score", "prediction", "country"}
    performance = steps.measure_performance(night)
    assert (performance.status, performance.labelled_rows) == ("measured", 120)
    assert steps.validate_quality(night).passed


def indexed(project: Project, relative: str, frame: pd.DataFrame) -> None:
    """As `to_parquet` writes it unless told otherwise."""
    path = project.root / "data" / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path)


def test_a_profile_that_another_run_of_the_night_kept_of_other_data_is_not_published(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    project.write_suite()
    project.write_monitor("people")
    publish(project, "people")
    night = project.night(str(DAY))
    before, other = night.published(), night.load(NightProfile).model_copy(update={"snapshots": "of newer files"})
    night.save(other)
    with pytest.raises(ResultMissing, match=r"NightProfile is about other snapshots .* run the night again"):
        steps.render_report(night)
    assert night.published() == before
