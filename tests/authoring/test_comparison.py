"""What nights of a new monitor are held against: seen in its columns, said with why, and quiet on quiet nights."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.authoring.comparison import Fitting, fitting
from pipeline.authoring.roles import Known, guess_columns
from pipeline.checks.alarms.past import PastNight
from pipeline.checks.drift.measure import measure
from pipeline.cli import main
from pipeline.config import monitor_files
from pipeline.results import Snapshot, SnapshotPair
from tests.authoring.shapes import BIKES, CREDIT, ORDERS, SURVEY, Shape, day_of
from tests.authoring.test_roles import look
from tests.project import Project

FIRST = date(2026, 1, 5)
SEEN = 14


def shop(
    place: int, *, weekend: float = 0.0, price: float = 0.0, restless: float = 0.03, rows: int = 250
) -> pd.DataFrame:
    """A day of a shop, counted from a Monday: baskets differ on weekends, prices rise by so much a day."""
    random, day = np.random.default_rng([7, place + 1_000]), FIRST + timedelta(days=place)
    free, moved = day.weekday() > 4, random.normal(0, restless, 4)
    many = int(rows * (1.4 if free else 1.0))
    return pd.DataFrame(
        {
            "sold_on": pd.Timestamp(day),
            "weekday": day.weekday(),
            "month": day.month,
            "hour": random.permutation(np.arange(many) % 14 + 8),
            "basket": random.normal(3 + weekend * free + moved[0], 1, many),
            "items": random.poisson(4 * (1 + weekend * free / 2), many),
            "price": np.exp(random.normal(2 + price * place + moved[1], 0.5, many)),
            "age": random.normal(40 + 10 * moved[2], 10, many),
            "branch": random.choice(list("ABCDE"), many),
        }
    )


def fits(
    folder: Path, night: Callable[[int], pd.DataFrame], reference: pd.DataFrame | None = None, nights: int = SEEN
) -> Fitting:
    before = pd.concat([night(place) for place in range(-182, 0)]) if reference is None else reference
    evidence = look(folder, before, {FIRST + timedelta(days=place): night(place) for place in range(nights)})
    return fitting(evidence, guess_columns(evidence, Known()))


def without_dates(night: Callable[[int], pd.DataFrame]) -> Callable[[int], pd.DataFrame]:
    return lambda place: night(place).drop(columns="sold_on")


@pytest.mark.parametrize(
    ("changes", "against", "why"),
    [
        ({}, None, "no column moves slowly or by weekday (196 days seen)"),
        ({"weekend": 0.6}, "[{same_weekday: 8}, reference]", "basket, items move by up to 0."),
        ({"price": 0.002}, "[{trailing: 28}, reference]", "price moves by up to 0.1"),
        ({"weekend": 0.6, "price": 0.002}, "[{trailing: 28}, reference]", "price moves by up to 0.1"),
        ({"restless": 0.2}, None, "no column moves"),
    ],
)
def test_the_comparison_fits_what_days_of_the_reference_and_nights_do(
    tmp_path: Path, changes: dict[str, float], against: str | None, why: str
) -> None:
    found = fits(tmp_path, lambda place: shop(place, **changes))  # type: ignore[arg-type]
    assert found.against == against
    assert found.why.startswith(why)


@pytest.mark.parametrize(
    ("changes", "against"),
    [
        ({}, None),
        ({"weekend": 0.8}, "[{same_weekday: 8}, reference]"),
        ({"price": 0.03}, "[{trailing: 28}, reference]"),
    ],
)
def test_without_dates_in_the_reference_two_weeks_of_nights_tell(
    tmp_path: Path, changes: dict[str, float], against: str | None
) -> None:
    night = without_dates(lambda place: shop(place, **changes))  # type: ignore[arg-type]
    found = fits(tmp_path, night)
    assert found.against == against
    assert "(14 days seen)" in found.why


def test_a_few_nights_tell_nothing(tmp_path: Path) -> None:
    found = fits(tmp_path, without_dates(lambda place: shop(place, weekend=5.0)), nights=13)
    assert found == Fitting(None, "how columns move from day to day is not known from 13 days")


@pytest.mark.parametrize(
    ("shape", "against"),
    [(CREDIT, None), (ORDERS, None), (SURVEY, None), (BIKES, "[reference, {trailing: 28}]")],
    ids=lambda item: item.name if isinstance(item, Shape) else "",
)
def test_public_shaped_data_is_held_against_the_reference_which_knows_its_seasons(
    tmp_path: Path, shape: Shape, against: str | None
) -> None:
    nights = {day_of(place): shape.production(place) for place in range(SEEN)}
    evidence = look(tmp_path, shape.reference(), nights)
    found = fitting(evidence, guess_columns(evidence, Known()))
    assert found.against == against
    if against:
        assert found.why.startswith("temp, ")
        assert found.why.endswith("(379 days seen), as the reference shows by itself")
        shuffled = shape.reference().sample(frac=1, random_state=0)
        evidence = look(tmp_path, shuffled, nights)
        assert fitting(evidence, guess_columns(evidence, Known())).against == "[{trailing: 28}, reference]"


# -- columns of the calendar ------------------------------------------------------------------------------------------


def test_columns_of_the_calendar_are_left_out_and_hours_that_every_night_has_are_not(tmp_path: Path) -> None:
    before = pd.concat([shop(place) for place in range(-182, 0)])
    weeks = {FIRST + timedelta(days=7 * week): pd.concat([shop(7 * week + x) for x in range(7)]) for week in range(6)}
    found = guess_columns(look(tmp_path, before, weeks), Known())
    assert found.ignore["month"] == "moves with the calendar: 2 of 7 values on a night, at most"
    assert {"hour", "weekday"} <= set(found.numerical)  # a week has all of both
    days = {FIRST + timedelta(days=place): shop(place) for place in range(SEEN)}
    (tmp_path / "days").mkdir()
    daily = guess_columns(look(tmp_path / "days", before, days), Known())
    assert {"weekday", "month"} <= set(daily.ignore)
    assert "hour" in daily.numerical


@pytest.mark.parametrize(
    ("name", "values"),
    [("size", range(1, 13)), ("month", range(2010, 2022))],  # by its values alone, or by its name alone, it is none
)
def test_a_cycle_is_recognised_by_its_name_and_its_values(tmp_path: Path, name: str, values: range) -> None:
    random = np.random.default_rng(0)
    before = pd.DataFrame({name: random.choice(list(values), 600), "x": random.normal(size=600)})
    nights = {
        FIRST + timedelta(days=place): pd.DataFrame(
            {name: random.choice(list(values)[place : place + 3], 100), "x": random.normal(size=100)}
        )
        for place in range(6)
    }
    assert guess_columns(look(tmp_path, before, nights), Known()).ignore == {}


# -- what `init` writes -----------------------------------------------------------------------------------------------


def begun(project: Project, monkeypatch: pytest.MonkeyPatch, night: Callable[[int], pd.DataFrame]) -> dict[str, Any]:
    monkeypatch.chdir(project.root)
    project.write_parquet("reference/part-0.parquet", pd.concat([night(place) for place in range(-182, 0)]))
    for place in range(SEEN):
        project.write_parquet(f"production/dt={FIRST + timedelta(days=place)}/part-0.parquet", night(place))
    assert main(["init", "shop", "--reference", "data/reference/", "--production", "data/production/dt={date}/"]) == 0
    read: dict[str, Any] = yaml.safe_load((project.root / "monitors/shop.yaml").read_text())
    return read


def test_the_comparison_and_why_are_in_the_file_and_in_what_is_said(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written = begun(project, monkeypatch, lambda place: shop(place, weekend=0.6))
    assert written["drift"]["alarms"] == {"per_nights": 365, "against": [{"same_weekday": 8}, "reference"]}
    said = capsys.readouterr().out
    assert "  alarms        at most one in 365 quiet nights\n" in said
    assert "  held against  the last 8 quiet nights of the same weekday: basket, items move by up to 0." in said
    text = (project.root / "monitors/shop.yaml").read_text()
    comment = " ".join(line.strip(" #") for line in text.splitlines() if line.startswith("  # "))
    assert "Held against the last 8 quiet nights of the same weekday, as basket, items move by up to 0." in comment
    assert max(map(len, text.splitlines())) < 130


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"weekend": 0.6}, {"price": 0.002}, {}])
def test_quiet_weeks_of_a_shop_give_no_alarm_and_a_day_that_changed_does(
    project: Project, monkeypatch: pytest.MonkeyPatch, changes: dict[str, float]
) -> None:
    def night(place: int) -> pd.DataFrame:
        return shop(place, **changes)  # type: ignore[arg-type]

    begun(project, monkeypatch, night)
    monitor = monitor_files.load("shop", project.settings)
    reference = [project.root / "data/reference/part-0.parquet"]
    past: list[PastNight] = []
    alarms = []
    for place in range(8 * 7 + 1):
        frame = night(place)
        if place == 8 * 7:
            frame["basket"] += 0.8
        path = project.write_parquet("tonight.parquet", frame)
        day = FIRST + timedelta(days=place)
        side = Snapshot(uri="data", objects=(), fields=(), rows=len(frame))
        pair = SnapshotPair(monitor="shop", run_date=day, reference=side, production=side)
        found = measure(monitor, reference, [path], pair, budget_bytes=2**28, past=past)
        past.append(PastNight(day, found.profile))
        alarms += [(place, item.name) for item in found.drift.drifted_columns]
    assert alarms == [(8 * 7, "basket")]
