"""Days as calendars have them, nights in any order, and days that have not begun."""

from __future__ import annotations

import json
import os
import random
import shutil
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli import main
from pipeline.config import resolve_location
from pipeline.config.schedule import day_that_ended, newest_day, next_moment
from pipeline.errors import ExitCode
from pipeline.publish.facts.night import Runs
from pipeline.results import Decision, DriftResult, PerformanceResult, QualityResult, SnapshotPair
from pipeline.steps import nightly
from pipeline.steps.night import Night
from tests.project import Project, people

SEEDS = range(int(os.environ.get("NIGHTJAR_ORDERS", "2")))
FIRST = date(2024, 2, 27)
# Two quiet nights; the leap day and the day after it drifted.
OLDER = (0.0, 0.0, 30.0, 30.0)
DAYS = [FIRST + timedelta(days=place) for place in range(len(OLDER))]
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2999, 12, 30), timezones=st.just(UTC))
ZONES = st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours)))


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2024-03-01T02:00Z", "2024-02-29"),
        ("2023-03-01T02:00Z", "2023-02-28"),
        ("2024-02-29T23:59Z", "2024-02-28"),
        ("2026-01-01T00:00Z", "2025-12-31"),
        ("2026-01-01T01:00+02:00", "2025-12-30"),  # still the last evening of the year in UTC
        ("2025-12-31T23:00-05:00", "2025-12-31"),
        ("2026-03-29T02:30+01:00", "2026-03-28"),  # where clocks go forward
    ],
)
def test_a_night_is_about_the_last_whole_day_in_utc(moment: str, day: str) -> None:
    assert str(day_that_ended(datetime.fromisoformat(moment))) == day


@given(moment=MOMENTS, zone=ZONES)
def test_a_zone_changes_no_day(moment: datetime, zone: timezone) -> None:
    assert day_that_ended(moment.astimezone(zone)) == day_that_ended(moment)
    assert newest_day(moment.astimezone(zone)) == newest_day(moment) >= moment.astimezone(zone).date()


@given(day=st.dates(date(1970, 1, 2), date(2999, 12, 30)))
def test_nightly_nights_are_about_each_day_once_and_a_second_run_of_a_day_about_the_same(day: date) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    first, second = next_moment("0 2,14 * * *", start), next_moment("0 14 * * *", start)
    assert day_that_ended(first) == day_that_ended(second) == day - timedelta(days=1)
    assert day_that_ended(next_moment("0 2,14 * * *", second)) == day


@pytest.mark.parametrize("day", ["2024-02-29", "2023-02-28", "2025-12-31", "2026-01-01"])
def test_an_address_has_the_day_in_any_form(day: str) -> None:
    found = resolve_location("s3://b/y={date:%Y}/m={date:%m}/{date:%d}/dt={date}/", date.fromisoformat(day), Path("/"))
    year, month, number = day.split("-")
    assert found == f"s3://b/y={year}/m={month}/{number}/dt={day}/"


def write(project: Project, folder: str, day: date) -> None:
    rows = people(300, seed=DAYS.index(day) + 1, older=OLDER[DAYS.index(day)])
    frame = rows.drop(columns="label") if folder == "production" else rows[["id", "label"]]
    path = project.write_parquet(f"{folder}/dt={day}/part-0.parquet", frame)
    written = datetime(day.year, day.month, day.day, 23, tzinfo=UTC).timestamp()
    os.utime(path, (written, written))


def with_data(project: Project) -> None:
    project.write_suite()
    project.write_parquet("reference/part-0.parquet", people(1_000, seed=0))
    for day in DAYS:
        write(project, "production", day)
    project.write_monitor(
        quality={"suite": "people", "checks": {"row_history": None}},  # looks at the nights that were published
        performance={"label_delay_days": 1},
        retrain={"min_labelled_rows": 0},
    )


def tell(project: Project, day: date) -> Night:
    """A night as far as its publication, of which something starts what it asks for."""
    night = project.night(str(day))
    for labelled in DAYS:  # those that have come by the newest night
        if labelled < max([day, *night.nights()]):
            write(project, "labels", labelled)
    nightly.pull_snapshots(night)
    nightly.validate_quality(night)
    nightly.measure_drift(night)
    nightly.measure_performance(night)
    nightly.decide(night)
    nightly.render_report(night, retrains=True)
    return night


def found_on(night: Night) -> list[Any]:
    """What a night found, without the addresses and times of files. What was estimated of days before it is of nights
    that were run by then.
    """
    pair, quality, drift = night.read(SnapshotPair), night.read(QualityResult), night.read(DriftResult)
    performance, decision = night.read(PerformanceResult), night.read(Decision)
    assert pair is not None
    assert performance is not None
    assert decision is not None
    labelled = [(past.day, past.labelled_rows, past.realised) for past in performance.nights]
    realised = [performance.realised, performance.degraded, performance.labelled_rows, labelled]
    return [decision.status, decision.causes, pair.digest, quality, drift, realised, night.read(Runs)]


def remembered(project: Project) -> Any:
    """What pages over many nights are made of, but for what was asked for."""
    nights = json.loads((project.store / "people/history.json").read_text())["nights"]
    return [
        {key: value for key, value in night.items() if key not in ("retrain", "hold", "reason")} for night in nights
    ]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")


@pytest.fixture
def in_order(quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = Project(tmp_path / "in order")
    with_data(made)
    with monkeypatch.context() as patch:
        patch.setenv("PIPELINE_HOME", str(made.root))
        for day in DAYS:
            tell(made, day)
    return made


def test_nights_in_any_order_find_the_same_and_ask_once(
    in_order: Project, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("PIPELINE_HOME", str(in_order.root))
        wanted = [found_on(in_order.night(str(day))) for day in DAYS]
    with_data(project)
    for seed in SEEDS:
        order = random.Random(seed).sample(DAYS, len(DAYS))
        for day in order:
            tell(project, day)
        decisions = [project.night(str(day)).read(Decision) for day in DAYS]
        assert [str(day) for day, told in zip(DAYS, decisions, strict=True) if told and told.retrain] == [
            str(next(day for day in order if OLDER[DAYS.index(day)]))
        ], order
        assert [told and told.status for told in decisions] == [items[0] for items in wanted], order
        assert [found_on(project.night(str(day))) for day in DAYS] == wanted, order
        assert remembered(project) == remembered(in_order), order
        (project.store / "people").rename(project.root / f"told-{seed}")
        shutil.rmtree(project.root / "data/labels")


def test_a_skipped_night_leaves_a_gap_and_stops_nothing(quick: None, project: Project) -> None:
    with_data(project)
    for day in (DAYS[0], DAYS[2]):
        tell(project, day)
    night = project.night(str(DAYS[2]))
    assert night.nights() == [DAYS[0], DAYS[2]]
    page = (project.store / "people" / str(DAYS[2]) / "index.html").read_text()
    assert f"../{DAYS[0]}/index.html" in page
    assert f"../{DAYS[1]}/index.html" not in page


def test_a_second_run_of_a_day_is_the_same_night_with_what_has_come_since(quick: None, project: Project) -> None:
    with_data(project)
    night = tell(project, DAYS[0])
    project.write_parquet(f"production/dt={DAYS[0]}/part-1.parquet", people(200, seed=9).drop(columns="label"))
    tell(project, DAYS[0])
    pair = night.read(SnapshotPair)
    assert pair is not None
    assert (pair.production.rows, night.nights()) == (500, DAYS[:1])


def test_what_lies_at_an_address_without_a_date_is_no_night_of_the_future(
    quick: None, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.complete()
    newest = newest_day(datetime.now(UTC))
    ahead = str(newest + timedelta(days=2))
    project.write_monitor(snapshots={"reference": "data/reference/", "production": "data/production/*/"})
    for command in ("run", "retrain", "backfill"):
        dates = ["--from", ahead, "--to", ahead] if command == "backfill" else ["--date", ahead]
        assert main([command, "people", *dates]) == ExitCode.USAGE
        told = capsys.readouterr().err
        assert f"the run date {ahead}: that day has not begun" in told
        assert "allowed: up to " in told
    assert not project.store.exists()
    assert nightly.pull_snapshots(project.night(str(newest))).production.rows == 1_500
    project.write_monitor()
    assert main(["run", "people", "--date", ahead]) == ExitCode.SNAPSHOT  # its data says that it has not come
