"""When a night that is over the limit asks for a retraining, and why it does not."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.checks.policy import Circumstances, decide
from pipeline.config.retrain_policy import RetrainPolicy
from pipeline.publish.facts.night import Runs
from pipeline.results import (
    Decision,
    DriftResult,
    Kept,
    QualityResult,
    RetrainResult,
    SnapshotPair,
)
from pipeline.steps import standing
from pipeline.steps.night import Night
from tests.checks.test_policy import drift, quality
from tests.project import Project, people

DAY = date(2026, 1, 14)
SOUND: dict[str, Any] = {
    "rows": 1000,
    "labelled_rows": 1000,
    "asked_before": (True, True),
    "last_request": None,
    "backfill": False,
}


def verdict(policy: dict[str, Any] | None = None, drifted: int = 4, **found: Any) -> Decision:
    circumstances = Circumstances(run_date=DAY, **(SOUND | found))
    return decide(quality(), drift(drifted, 10), RetrainPolicy.model_validate(policy or {}), circumstances)


@pytest.mark.parametrize(
    ("policy", "found", "hold"),
    [
        ({}, {}, None),
        ({}, {"backfill": True}, "backfill"),
        ({"min_rows": 1000}, {}, None),
        ({"min_rows": 1001}, {}, "too_few_rows"),
        ({"min_labelled_rows": 1000}, {}, None),
        ({"min_labelled_rows": 1001}, {}, "too_few_labels"),
        ({"min_labelled_rows": 1001}, {"labelled_rows": None}, None),  # no labels configured
        ({"nights_over": {"at_least": 3, "of": 3}}, {}, None),
        ({"nights_over": {"at_least": 3, "of": 3}}, {"asked_before": (True, False)}, "not_enough_nights"),
        ({"nights_over": {"at_least": 2, "of": 3}}, {"asked_before": (True, False)}, None),
        ({"nights_over": {"at_least": 2, "of": 2}}, {"asked_before": (True, False)}, "not_enough_nights"),
        ({"nights_over": {"at_least": 2, "of": 3}}, {"asked_before": ()}, "not_enough_nights"),
        ({"cooldown_days": 7}, {"last_request": DAY - timedelta(days=7)}, None),
        ({"cooldown_days": 7}, {"last_request": DAY - timedelta(days=6)}, "cooldown"),
        ({"cooldown_days": 0}, {"last_request": DAY - timedelta(days=1)}, None),
        ({"cooldown_days": 7}, {"later": DAY + timedelta(days=1)}, "cooldown"),
        ({"min_rows": 1001}, {"backfill": True, "last_request": DAY - timedelta(days=1)}, "too_few_rows"),
        ({"cooldown_days": 7}, {"backfill": True, "last_request": DAY - timedelta(days=1)}, "cooldown"),
    ],
)
def test_the_holds(policy: dict[str, Any], found: dict[str, Any], hold: str | None) -> None:
    decision = verdict(policy, **found)

    assert (decision.status, decision.retrain, decision.hold) == ("drifted", hold is None, hold)


def test_every_reason_to_hold_is_told() -> None:
    reason = verdict({"min_rows": 1001}, last_request=DAY - timedelta(days=1)).reason

    assert reason == (
        "4 of 10 columns drifted (40%), over the limit of 30%; retraining held: "
        "1,000 production rows, at least 1,001 are needed; "
        "the last request was on 2026-01-13, the next may be on 2026-01-20"
    )


def test_a_night_within_the_limit_is_not_held_but_healthy() -> None:
    decision = verdict({"min_rows": 1001}, drifted=3)

    assert (decision.status, decision.retrain, decision.hold) == ("healthy", False, None)


def test_broken_data_is_held_by_name() -> None:
    assert decide(quality("critical"), drift(9, 10)).hold == "quality_failed"
    assert decide(quality(), drift(0, 0)).hold == "not_comparable"


def publish(night: Night, drifted: bool = False, requested: bool = False, pair: SnapshotPair | None = None) -> None:
    results: dict[str, Kept] = {} if pair is None else {"snapshots": pair}
    results |= {
        "drift": DriftResult(snapshots="s", drift_share=0.0, limit=0.3, drifted=drifted, columns=()),
        "decision": Decision(snapshots="s", status="drifted", retrain=requested, reason="r"),
    }
    files = {f"{name}.json": result.to_json() for name, result in results.items()}
    night.store.publish_night(night.name, night.run_date, files)


def pair_of(night: Night) -> SnapshotPair:
    return SnapshotPair.model_validate(
        {
            "monitor": "people",
            "run_date": night.run_date,
            "reference": {"uri": "r", "objects": [], "fields": [], "rows": 10},
            "production": {"uri": "p", "objects": [], "fields": [], "rows": 20},
        }
    )


def circumstances(night: Night, over: bool = True, backfill: bool = False) -> Circumstances:
    return standing.circumstances(night, pair_of(night), over, backfill)


def test_circumstances_are_read_from_earlier_nights_only(project: Project) -> None:
    project.write_suite()
    project.write_monitor(retrain={"nights_over": {"at_least": 2, "of": 3}, "window_days": 3, "cooldown_days": 5})
    publish(project.night("2026-01-08"), requested=True)  # out of every window
    publish(project.night("2026-01-11"), drifted=True, requested=True)
    publish(project.night("2026-01-12"), drifted=False)
    publish(project.night("2026-01-13"), drifted=True)
    publish(project.night("2026-01-15"), drifted=True, requested=True)

    found = circumstances(project.night())

    assert found == Circumstances(
        run_date=DAY,
        rows=20,
        labelled_rows=0,
        asked_before=(False, True),
        last_request=date(2026, 1, 11),
        later=date(2026, 1, 15),
        backfill=False,
    )
    publish(project.night(), drifted=True)  # of other data: a rerun of tonight decides the same
    assert circumstances(project.night()) == found


def test_a_night_that_was_told_is_decided_on_what_was_known_of_later_ones_then(project: Project) -> None:
    project.write_suite()
    project.write_monitor(retrain={"cooldown_days": 5})
    publish(project.night("2026-01-15"), drifted=True, requested=True)
    publish(project.night("2026-01-18"), drifted=True, requested=True)
    publish(project.night("2026-01-19"), drifted=True, requested=True)
    assert circumstances(project.night("2026-01-12")).later == date(2026, 1, 15)
    assert circumstances(project.night("2026-01-10")).later is None  # its cooldown is over by then

    about = pair_of(project.night())
    publish(project.night(), requested=True, pair=about)
    found = circumstances(project.night(), backfill=True)
    assert (found.later, found.asked, found.backfill) == (None, True, False)
    publish(project.night(), pair=about)
    found = circumstances(project.night(), backfill=True)
    assert (found.later, found.asked, found.backfill) == (None, False, True)


def test_what_a_night_asked_for_is_not_taken_back() -> None:
    policy = {"min_rows": 1001, "min_labelled_rows": 1001}
    told = verdict(policy, asked=True, backfill=True, last_request=DAY - timedelta(days=1), later=DAY)
    assert (told.retrain, told.hold) == (True, None)
    assert told.reason == "4 of 10 columns drifted (40%), over the limit of 30%"
    assert not verdict(policy, drifted=3, asked=True).retrain


def test_a_retraining_by_hand_counts_as_a_request(project: Project, tmp_path: Path) -> None:
    project.write_suite()
    project.write_monitor()
    night = project.night("2026-01-12")
    result = RetrainResult(monitor="people", run_date=DAY, status="rejected", reason="r", verdict="v")
    night.store.publish_night("people/retraining", night.run_date, {"retrain.json": result.to_json()})

    assert circumstances(project.night()).last_request == date(2026, 1, 12)
    assert circumstances(project.night("2026-01-12")).last_request is None
    assert night.store.nights("people") == []  # retrainings are no nights


def test_without_labels_nobody_waits_for_them(project: Project) -> None:
    project.write_suite()
    project.write_monitor(columns={"id": "id"})

    assert circumstances(project.night()).labelled_rows is None


def test_a_request_that_nothing_started_holds_nothing_back(project: Project) -> None:
    project.write_suite()
    project.write_monitor()
    night = project.night("2026-01-12")
    publish(night, drifted=True, requested=True)
    assert circumstances(project.night()).last_request == date(2026, 1, 12)  # an older version does not say
    for runs, last in ((Runs(), None), (Runs(airflow="a"), night.run_date), (Runs(retrains=True), night.run_date)):
        files = night.published() | {"runs.json": runs.to_json()}
        night.publish(files)
        assert circumstances(project.night()).last_request == last


# -- labels on disk ---------------------------------------------------------------------------------------------------


def with_nights(project: Project, *numbers: int, known: int = 10, **retrain: Any) -> Night:
    """Nights that nobody ran, by days before `DAY`, each with so many labels of new customers."""
    project.write_suite()
    project.write_monitor(performance={"label_delay_days": 1}, retrain={"window_days": 5, **retrain})
    for number in numbers:
        day = DAY - timedelta(days=number)
        rows = people(40, number)
        project.write_parquet(f"production/dt={day}/part-0.parquet", rows)
        labels = rows[["id", "label"]].assign(label=rows["label"].where(rows.index < known).astype("Int64"))
        project.write_parquet(f"labels/dt={day}/part-0.parquet", labels)
    return project.night()


def test_labels_count_whether_or_not_somebody_ran_their_nights(project: Project) -> None:
    night = with_nights(project, 1, 2, 5, 6)  # the sixth is out of the window

    assert circumstances(night).labelled_rows == 30
    assert circumstances(night, over=False).labelled_rows is None


def test_it_is_counted_no_further_than_is_asked_for(project: Project) -> None:
    night = with_nights(project, 1, 2, 3, min_labelled_rows=15)
    (project.root / "data" / f"labels/dt={DAY - timedelta(days=3)}/part-0.parquet").write_bytes(b"never read")

    assert circumstances(night).labelled_rows == 20


def test_what_a_training_set_leaves_out_does_not_count(project: Project) -> None:
    night = with_nights(project, 1, 2, 3, 4, 5)
    broken, twin = (project.root / "data" / f"labels/dt={DAY - timedelta(days=back)}/part-0.parquet" for back in (2, 3))
    broken.write_bytes(b"cut off")
    for place in ("production", "labels"):  # the same customers as the day before
        source = project.root / "data" / place / f"dt={DAY - timedelta(days=4)}/part-0.parquet"
        (project.root / "data" / place / twin.parent.name / "part-0.parquet").write_bytes(source.read_bytes())
    day = DAY - timedelta(days=5)
    quality = QualityResult(snapshots="s", suite="people", passed=False, outcomes=())
    pair = SnapshotPair.model_validate(
        {"monitor": "people", "run_date": day, "reference": {"uri": "r", "objects": [], "fields": [], "rows": 1},
         "production": night.pin(night.monitor.snapshots.production, day, night.cache())}
    )  # fmt: skip
    night.store.publish_night("people", day, {"quality.json": quality.to_json(), "snapshots.json": pair.to_json()})

    assert circumstances(night).labelled_rows == 20

    from pipeline.retrain.data.gather import gather
    from pipeline.steps.sources import Snapshots

    source_of = Snapshots(night, night.cache())
    base = night.pin(night.monitor.snapshots.production, DAY - timedelta(days=1), night.cache())
    assert gather(night.monitor, DAY, base, source_of, lambda _: None).found.counts.labelled_rows == 20
