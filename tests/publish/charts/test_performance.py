"""A metric over nights: where it is drawn, and what of it."""

from __future__ import annotations

import re
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.publish import charts
from pipeline.publish.charts.svg import ticks
from pipeline.publish.facts.history import PastNight
from pipeline.results import METRICS, Estimate, NightPerformance
from tests.publish import performances, samples
from tests.publish.nights import past


def page_of(day: date) -> str:
    return f"{day}/index.html"


def drawn(nights: tuple[PastNight, ...], metric: str = "roc_auc", **options: object) -> str:
    days = charts.points(charts.slots(nights, 90), metric)
    return str(charts.performance_chart(days, metric, page_of, **options))  # type: ignore[arg-type]


def test_final_days_are_solid_and_provisional_ones_hollow_each_with_its_noise() -> None:
    nights = performances.aging(30)
    html = drawn(nights)
    realised = [night for night in nights if night.realised is not None]
    assert html.count('class="point"') == sum(night.final for night in realised)
    assert html.count('class="point waiting"') == sum(not night.final for night in realised)
    assert html.count('class="noise"') == len(realised)
    assert html.count('class="covered') == len(nights)


def test_reference_limit_and_estimate_are_lines_of_their_own() -> None:
    html = drawn(performances.aging(30))
    assert html.count('class="own"') == html.count('class="limit"') == 1
    assert html.count('class="band"') == html.count('class="estimated"') == 2  # one night did not run


def test_a_limit_that_changes_is_a_step() -> None:
    nights = performances.aging(10)
    moved = (*nights[:5], *(night.model_copy(update={"metric_limit": 0.7}) for night in nights[5:]))
    path = re.search(r'class="limit" d="([^"]+)"', drawn(moved))
    assert path is not None
    assert path[1].count("V") == 1


def test_a_promotion_is_a_line_and_leads_to_its_page() -> None:
    html = drawn(performances.aging(60, promoted=24), retrainings={r.run_date: r for r in performances.promotions()})
    assert html.count('class="promotion"') == 1
    assert html.count('class="sign promoted"') == html.count('class="sign tried"') == 1
    assert 'href="retraining/2025-12-21/index.html"' in html


def test_a_retraining_of_another_day_takes_no_room() -> None:
    """A night's page is the same whether later retrainings were known when it was written."""
    nights, known = performances.aging(20), {r.run_date: r for r in performances.promotions()}
    others = {day: item for day, item in known.items() if day < min(night.run_date for night in nights)}
    assert others
    assert drawn(nights, retrainings=others) == drawn(nights)


def test_higher_is_higher_whatever_is_better() -> None:
    for metric in ("roc_auc", "log_loss"):
        first, last = (
            night.model_copy(update={"metric": metric, "realised": Estimate(value=value), "estimated": None})
            for night, value in zip(performances.aging(3)[-2:], (0.2, 0.8), strict=True)
        )
        heights = [float(y) for y in re.findall(r'<circle [^>]*cy="([\d.]+)"', drawn((first, last), metric))]
        assert heights[0] > heights[1]


def test_wide_intervals_of_small_nights_do_not_flatten_the_rest() -> None:
    nights = list(performances.aging(20))
    nights[3] = nights[3].model_copy(update={"realised": Estimate(value=0.85, low=0.1, high=1.0)})
    heights = [float(y) for y in re.findall(r'<circle [^>]*cy="([\d.]+)"', drawn(tuple(nights)))]
    assert max(heights) - min(heights) > 60


def test_nights_of_an_earlier_version_stand_at_the_day_whose_labels_they_measured() -> None:
    days = charts.points(charts.slots(past(20), 30), "roc_auc")
    known = {day.day: day.realised.value for day in days if day.realised is not None}
    assert known
    by_day = {night.labels_date: night.performance["roc_auc"] for night in past(20)}
    assert all(by_day[day] == value for day, value in known.items())


def test_what_the_night_saw_fills_in_what_history_does_not_know() -> None:
    day = samples.RUN_DATE - timedelta(days=3)
    seen = NightPerformance(
        day=day, status="measured", rows=10, labelled_rows=5, realised={"roc_auc": Estimate(value=0.7)}
    )
    places = charts.slots((), 30, [day])
    (point,) = charts.points(places, "roc_auc", [seen])
    assert (point.day, point.labelled_share, point.final) == (day, 0.5, False)
    assert point.realised == Estimate(value=0.7)


def test_nothing_is_drawn_of_what_nobody_knows() -> None:
    assert drawn(past(5), "accuracy_of_another") == ""
    assert str(charts.metric_spark(past(5))) == ""


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 8))
def test_ticks_lie_between_the_ends_and_are_few(low: float, spread: float, most: int) -> None:
    high = low + spread
    if not high > low:
        return
    marked = ticks(low, high, most)
    room = (high - low) * 1e-6
    assert 0 < len(marked) <= most
    assert all(low - room <= tick <= high + room for tick in marked)
    assert marked == sorted(set(marked))


@given(st.sampled_from(sorted(METRICS)), st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_every_history_can_be_drawn(metric: str, values: list[float]) -> None:
    base = performances.aging(1)[0]
    nights = tuple(
        base.model_copy(
            update={
                "run_date": samples.RUN_DATE + timedelta(days=place),
                "metric": metric,
                "realised": Estimate(value=value, low=value, high=value),
                "estimated": None if place % 3 else Estimate(value=value, low=value - 0.1, high=value + 0.1),
            }
        )
        for place, value in enumerate(values)
    )
    html = drawn(nights, metric)
    assert "nan" not in html.lower()
    assert "inf" not in html.lower()
    for height in re.findall(r'cy="(-?[\d.]+)"', html):
        assert 0 <= float(height) <= 240
