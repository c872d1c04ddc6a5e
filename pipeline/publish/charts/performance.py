"""A metric over nights: realised with its intervals, estimated with its band, and what it is held against."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby, pairwise

from markupsafe import Markup

from pipeline.publish.charts.nights import BACK, Link, Slot, sign
from pipeline.publish.charts.svg import across_of, middle_of, percent, px, row, svg, ticks
from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.performance import kind_of, with_interval
from pipeline.publish.facts.retraining import PastRetraining
from pipeline.results import Estimate, NightPerformance
from pipeline.wording import metric_name, number, share

_TOP = 18  # px above the plot: room for the sign of a promotion
_COVERAGE = 22  # px: a bar of a day all of whose predictions have labels
_MANY = 45  # from so many days on points are small


@dataclass(frozen=True)
class Point:
    """A day on the time line: its predictions as estimated and as realised, and what they were held against then."""

    day: date
    night: PastNight | None = None
    realised: Estimate | None = None
    estimated: Estimate | None = None
    final: bool = False
    labelled_share: float | None = None
    before: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class _Scale:
    """What is drawn between which values: `low` at the bottom, `high` at the top of `plot` px."""

    low: float
    high: float
    plot: float

    def y(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        return _TOP + self.plot * (1 - (inside - self.low) / (self.high - self.low))


def points(places: Sequence[Slot], metric: str, seen: Iterable[NightPerformance] = ()) -> list[Point]:
    """A metric of every day of a time line.

    Nights of an earlier version remember what they measured then, of the predictions of `labels_date`. `seen` are days
    as the newest night saw them: they fill in what history does not know.
    """
    by_day = {item.day: item for item in seen}
    old = {
        slot.night.labels_date: slot.night.performance[metric]
        for slot in places
        if slot.night is not None and slot.night.labelled_share is None and metric in slot.night.performance
    }
    return [_filled(_point(slot, metric, old.get(slot.day)), metric, by_day.get(slot.day)) for slot in places]


def _filled(day: Point, metric: str, seen: NightPerformance | None) -> Point:
    if seen is None:
        return day
    if day.realised is None and metric in seen.realised:
        covered = seen.labelled_rows / seen.rows if seen.rows else None
        day = replace(day, realised=seen.realised[metric], final=seen.final, labelled_share=covered)
    return day if day.estimated is not None else replace(day, estimated=seen.estimated.get(metric))


def _point(slot: Slot, metric: str, old: float | None) -> Point:
    night = slot.night
    realised = None if old is None else Estimate(value=old)
    if night is None:
        return Point(slot.day, None, realised, final=realised is not None)
    judged = night.metric == metric
    if judged and night.realised is not None:
        realised = night.realised
    elif night.labelled_share is not None and metric in night.performance:
        realised = Estimate(value=night.performance[metric])
    return Point(
        slot.day,
        night,
        realised,
        night.estimated if judged else None,
        night.final if night.labelled_share is not None else realised is not None,
        night.labelled_share,
        night.metric_before if judged else None,
        night.metric_limit if judged else None,
    )


def performance_chart(
    days: Sequence[Point],
    metric: str,
    link: Link,
    *,
    height: int = 200,
    retrainings: Mapping[date, PastRetraining] | None = None,
    base: str = "",
    small: bool = False,
) -> Markup:
    """A metric over nights with an axis: two pictures side by side, the axis of fixed width and the time line.

    Args:
        days: of `points`, oldest first.
        metric: what they are about.
        link: the page of a day.
        height: px of the plot.
        retrainings: by date; a promotion is a line through the plot, as what comes after it is another model. So is a
            rollback, which a night remembers: dashed, with an arrow back.
        base: leads from the page to the monitor's folder.
        small: values and axis only.
    """
    scale = _scale(days, metric, height)
    if scale is None:
        return Markup("")
    marked = ticks(scale.low, scale.high, 3 if small else 6)
    covered = not small and any(day.labelled_share is not None for day in days)
    retrainings = {day.day: retrainings[day.day] for day in days if day.day in retrainings} if retrainings else {}
    asked = any(day.night is not None and day.night.retrain for day in days)
    signs = not small and (asked or bool(retrainings))
    bottom = _TOP + height + (14 if signs else 0)
    full = bottom + (_COVERAGE + 10 if covered else 2)
    parts = [row(scale.y(tick), "grid") for tick in marked]
    parts += [*_promotions(days, retrainings, scale), *_rollbacks(days, scale)]
    parts += [_lines(days, scale), *_dots(days, scale, small=small)]
    if signs:
        parts += _signs(days, retrainings, _TOP + height + 4, base)
    if covered:
        parts += [*_coverage(days, bottom + 8), row(bottom + 8 + _COVERAGE, "axis")]
    parts += _targets(days, metric, link, _TOP + height)
    axis = Markup('<svg class="ticks" width="52" height="{}" aria-hidden="true">{}</svg>').format(
        px(full), Markup("").join(_tick(tick, scale) for tick in marked)
    )
    return Markup('<div class="plot{}">{}{}</div>').format(" small" if small else "", axis, svg(parts, full, "chart"))


def metric_spark(nights: Sequence[PastNight], last: int = 30) -> Markup:
    """The main metric as the newest nights judged it, in whole steps, so that hundreds of such lines stay small."""
    shown = [night for night in nights[-last:] if night.metric is not None and night.value is not None]
    shown = [night for night in shown if night.metric == shown[-1].metric]
    values = [night.value.value for night in shown if night.value is not None]
    if len(values) < 2:
        return Markup("")
    limit = shown[-1].metric_limit
    low, high = min([*values, *([] if limit is None else [limit])]), max([*values, *([] if limit is None else [limit])])
    spread = (high - low) or 1.0

    def y(value: float) -> int:
        return round(42 - 36 * (value - low) / spread)

    across = [round(180 * place / (len(values) - 1)) for place in range(len(values))]
    steps = [
        f"{right - left} {y(after) - y(before)}"
        for (left, right), (before, after) in zip(pairwise(across), pairwise(values), strict=True)
    ]
    look = "line worse" if shown[-1].degraded else "line"
    paths = [Markup('<path class="{}" d="M0 {}l{}"/>').format(look, y(values[0]), " ".join(steps).replace(" -", "-"))]
    if limit is not None:
        paths.append(Markup('<path class="limit" d="M0 {}h180"/>').format(y(limit)))
    return Markup('<svg class="spark" viewBox="0 0 180 48" aria-hidden="true">{}</svg>').format(Markup("").join(paths))


def _scale(days: Sequence[Point], metric: str, plot: float) -> _Scale | None:
    """From the smallest to the largest value with some room; wide intervals of small nights reach out of it."""
    found = [item for day in days for item in (day.realised, day.estimated) if item is not None]
    held = [value for day in days for value in (day.before, day.limit) if value is not None]
    values = [item.value for item in found] + held
    if not found:
        return None
    low, high = min(values), max(values)
    room = (high - low) * 0.6 or max(abs(high) * 0.1, 1e-6)
    ends = [end for item in found for end in (item.low, item.high) if end is not None]
    low, high = max(min([*ends, low]), low - room), min(max([*ends, high]), high + room)
    kind, edge = kind_of(metric), (high - low) * 0.06 or room
    low, high = max(low - edge, min(kind.low, low)), min(high + edge, max(kind.high, high))
    return _Scale(low, high, plot) if high > low else _Scale(low - edge, high + edge, plot)


def _tick(value: float, scale: _Scale) -> Markup:
    return Markup('<text x="44" y="{}" text-anchor="end">{}</text>').format(px(scale.y(value) + 4), number(value, 6))


def _x(place: int, places: int) -> str:
    return percent(middle_of(place, places))


def _lines(days: Sequence[Point], scale: _Scale) -> Markup:
    """What is drawn without a break: the estimate's band and line, the line through realised values, and the steps of
    reference and limit. In units of the chart's width, which paths cannot have otherwise.
    """
    places = len(days)
    parts = [*_band(days, scale)]
    parts += [
        Markup('<path class="{}" d="M{}"/>').format(
            look, "L".join(f"{_x(at, places)} {px(scale.y(value))}" for at, value in run)
        )
        for look, of in (("estimated", _estimated), ("realised", _realised))
        for run in _runs(days, of, across_gaps=look == "realised")
    ]
    parts += [_steps(days, _before, "own", scale), _steps(days, _limit, "limit", scale)]
    return Markup(
        '<svg x="0" y="0" width="100%" height="{0}" viewBox="0 0 100 {0}" preserveAspectRatio="none">{1}</svg>'
    ).format(px(_TOP + scale.plot), Markup("").join(parts))


def _realised(day: Point) -> float | None:
    return None if day.realised is None else day.realised.value


def _estimated(day: Point) -> float | None:
    return None if day.estimated is None else day.estimated.value


def _before(day: Point) -> float | None:
    return day.before


def _limit(day: Point) -> float | None:
    return day.limit


def _runs(
    days: Sequence[Point], of: Callable[[Point], float | None], *, across_gaps: bool
) -> Iterator[list[tuple[int, float]]]:
    """Places and values that a line goes through: one line, or one for each run of days that have a value."""
    known = [(place, value) for place, day in enumerate(days) if (value := of(day)) is not None]
    if across_gaps:
        yield from [known] if len(known) > 1 else []
        return
    for _, run in groupby(enumerate(known), lambda item: item[1][0] - item[0]):
        yield [item for _, item in run]


def _band(days: Sequence[Point], scale: _Scale) -> Iterator[Markup]:
    """The estimate's interval; a day alone is as wide as its bar."""
    places = len(days)
    for run in _runs(days, lambda day: None if day.estimated is None else day.estimated.low, across_gaps=False):
        found = [(at, days[at].estimated) for at, _ in run]
        ends = [
            (at, item.low, item.high) for at, item in found if item and item.low is not None and item.high is not None
        ]
        if not ends:
            continue
        if len(ends) == 1:
            at, low, high = ends[0]
            left, wide = across_of(at, places)
            yield Markup('<path class="band" d="M{} {}h{}V{}h-{}z"/>').format(
                left, px(scale.y(low)), wide, px(scale.y(high)), wide
            )
            continue
        there = [f"{_x(at, places)} {px(scale.y(high))}" for at, _, high in ends]
        back = [f"{_x(at, places)} {px(scale.y(low))}" for at, low, _ in reversed(ends)]
        yield Markup('<path class="band" d="M{}z"/>').format("L".join([*there, *back]))


def _steps(days: Sequence[Point], of: Callable[[Point], float | None], look: str, scale: _Scale) -> Markup:
    """A line that keeps its value until a later night has another one; from the first night that has one."""
    path, last = "", None
    for place, day in enumerate(days):
        value = of(day)
        if value is None or value == last:
            continue
        edge = 100 * (place + max(12 - len(days), 0)) / max(len(days), 12)
        if last is None:
            edge = edge if any(day.night is not None for day in days[:place]) else 0.0
            path = f"M{percent(edge)} {px(scale.y(value))}"
        else:
            path += f"H{percent(edge)}V{px(scale.y(value))}"
        last = value
    return Markup('<path class="{}" d="{}H100"/>').format(look, path) if path else Markup("")


def _dots(days: Sequence[Point], scale: _Scale, *, small: bool) -> Iterator[Markup]:
    """Realised values: solid where they are final, hollow where labels are waited for; with their intervals."""
    radius = 2.2 if small or len(days) > _MANY else 3.5
    for place, day in enumerate(days):
        found = day.realised
        if found is None:
            continue
        x = _x(place, len(days))
        if found.low is not None and found.high is not None:
            yield Markup('<line class="noise" x1="{0}%" x2="{0}%" y1="{1}" y2="{2}"/>').format(
                x, px(scale.y(found.low)), px(scale.y(found.high))
            )
        look = "point" if day.final else "point waiting"
        yield Markup('<circle class="{}" cx="{}%" cy="{}" r="{}"/>').format(look, x, px(scale.y(found.value)), radius)


def _promotions(days: Sequence[Point], retrainings: Mapping[date, PastRetraining], scale: _Scale) -> Iterator[Markup]:
    for place, day in enumerate(days):
        if day.day in retrainings and retrainings[day.day].served:
            yield Markup('<line class="promotion" x1="{0}%" x2="{0}%" y1="{1}" y2="{2}"/>').format(
                _x(place, len(days)), _TOP - 12, px(_TOP + scale.plot)
            )


def _rollbacks(days: Sequence[Point], scale: _Scale) -> Iterator[Markup]:
    """A nested svg holds the arrow, as paths cannot be placed by per cent."""
    for place, day in enumerate(days):
        if day.night is not None and day.night.rolled_back:
            yield Markup(
                '<line class="rollback" x1="{0}%" x2="{0}%" y1="{1}" y2="{2}"/>'
                '<svg class="back" x="{0}%" y="{1}" width="9" height="9" overflow="visible"><path d="{3}"/></svg>'
            ).format(_x(place, len(days)), _TOP - 12, px(_TOP + scale.plot), BACK)


def _signs(days: Sequence[Point], retrainings: Mapping[date, PastRetraining], y: float, base: str) -> Iterator[Markup]:
    for place, day in enumerate(days):
        yield sign(across_of(place, len(days)), y, day.night, retrainings.get(day.day), base)


def _coverage(days: Sequence[Point], top: float) -> Iterator[Markup]:
    """A bar for each day: the share of its predictions that have a label."""
    for place, day in enumerate(days):
        if day.labelled_share is None:
            continue
        left, wide = across_of(place, len(days))
        tall = max(_COVERAGE * min(day.labelled_share, 1.0), 1.0)
        yield Markup('<rect class="covered{}" x="{}%" y="{}" width="{}%" height="{}"/>').format(
            "" if day.final else " waiting", left, px(top + _COVERAGE - tall), wide, px(tall)
        )


def _targets(days: Sequence[Point], metric: str, link: Link, height: float) -> Iterator[Markup]:
    """What is pointed at: a column for each day, which says its values and opens its night."""
    for place, day in enumerate(days):
        if day.night is None and day.realised is None:
            continue
        left, wide = across_of(place, len(days))
        target = Markup('<rect class="target" x="{}%" y="0" width="{}%" height="{}"><title>{}</title></rect>').format(
            left, wide, px(height), _words(day, metric)
        )
        yield target if day.night is None else Markup('<a href="{}" tabindex="-1">{}</a>').format(link(day.day), target)


def _words(day: Point, metric: str) -> str:
    """`2026-01-07: ROC AUC 0.812 (0.801 to 0.823), provisional, labels of 35%; estimated 0.82 (0.80 to 0.84)`."""
    labels = "" if day.labelled_share is None else f", labels of {share(day.labelled_share)}"
    told = (
        [] if day.realised is None else [with_interval(day.realised) + ("" if day.final else ", provisional") + labels]
    )
    told += [] if day.estimated is None else [f"estimated {with_interval(day.estimated)}"]
    words = f"{day.day}: {metric_name(metric)} {'; '.join(told) or 'not known'}"
    rolled_back = day.night.probation.told if day.night is not None and day.night.probation is not None else ""
    return f"{words}. {rolled_back[:1].upper()}{rolled_back[1:]}" if rolled_back else words
