"""Time lines of nights, and the small charts of columns and intervals."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from markupsafe import Markup

from pipeline.publish.charts.svg import across_of, percent, px, row, svg
from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.retraining import PastRetraining
from pipeline.publish.facts.verdict import State
from pipeline.results import Shape, Status
from pipeline.wording import exact_share

Link = Callable[[date], str]
BACK = "M-6 4.5 1 0V9z"
"""The sign of a rollback: an arrow to what was before, around the middle of a line."""
_DIAMOND = "M0-1 5 4.5 0 10-5 4.5z"
_UNDER: dict[Status, str] = {
    "data_broken": "M-3.5 1h7v7h-7z",
    "too_few_rows": "M0 .5a4 4 0 1 0 .01 0zM0 2.5a2 2 0 1 1-.01 0z",
}
STRENGTH_FULL = 4.0  # a strength bar is full here; its threshold mark stands at a quarter
_MARKS: dict[State, str] = {
    "too_few_rows": "M6 1a5 5 0 1 0 .01 0zM6 3a3 3 0 1 1-.01 0z",
    "healthy": "M6 1a5 5 0 1 0 .01 0z",
    "drifted": "M6 .8 11.6 11H.4z",
    "degraded": "M.4 1h11.2L6 11.2z",
    "data_broken": "M1.5 1.5h9v9h-9z",
    "stale": "M1.5.5h9L7 6l3.5 5.5h-9L5 6z",
    "absent": "M1 5h10v2H1z",
}


@dataclass(frozen=True)
class Slot:
    """A place on a time line: a day, and the night that was published for it, if any."""

    day: date
    night: PastNight | None


def slots(nights: Sequence[PastNight], last: int, also: Iterable[date] = ()) -> list[Slot]:
    """The newest `last` places of a time line, oldest first.

    Every day has a place, so that a night that did not run is seen, unless nights are rarer than every other day.
    `also` are days that have a place before the last night, whether or not one of them was published.
    """
    by_day: dict[date, PastNight | None] = dict.fromkeys(also)
    by_day |= {night.run_date: night for night in nights}
    by_day = {day: by_day[day] for day in sorted(by_day)[-last:]}
    if not by_day:
        return []
    first, newest = min(by_day), max(by_day)
    days = (newest - first).days + 1
    if days > 2 * len(by_day):
        return [Slot(day, night) for day, night in by_day.items()]
    every_day = (newest - timedelta(days=back) for back in range(min(days, last) - 1, -1, -1))
    return [Slot(day, by_day.get(day)) for day in every_day]


def mark(state: State) -> Markup:
    """The sign of a state, told apart by its form as much as by its colour."""
    return Markup('<svg class="mark {}" viewBox="0 0 12 12" aria-hidden="true"><path d="{}"/></svg>').format(
        state, _MARKS[state]
    )


def share_chart(
    places: Sequence[Slot],
    limit: float,
    tonight: date | None,
    link: Link,
    *,
    height: int = 190,
    retrainings: Mapping[date, PastRetraining] | None = None,
) -> Markup:
    """Drift share night by night against the limit; below are the signs of nights that asked for retraining, and of
    the `retrainings` of their dates, which link to their pages.
    """
    shares = [slot.night.decisive_share for slot in places if slot.night is not None]
    top = min(1.0, max([*shares, limit * 1.25, 0.05])) * 1.06
    plot = height - 42
    parts = []
    for position, slot in enumerate(places):
        across = across_of(position, len(places))
        tall = plot * slot.night.decisive_share / top if slot.night is not None else 0.0
        parts.append(_share_bar(slot, across, max(tall, 1.5), plot, now=slot.day == tonight, link=link))
        parts.append(sign(across, 26 + plot, slot.night, (retrainings or {}).get(slot.day)))
    parts += [row(20 + plot, "axis"), _limit_line(plot * (1 - limit / top) + 20, limit)]
    return svg(parts, height, "chart")


def _share_bar(slot: Slot, across: tuple[str, str], tall: float, plot: float, *, now: bool, link: Link) -> Markup:
    left, width = across
    night = slot.night
    if night is None:
        tip = Markup("<title>{}: no night was published</title>").format(slot.day)
        return Markup('<rect class="gap" x="{}%" y="{}" width="{}%" height="4">{}</rect>').format(
            left, px(16 + plot), width, tip
        )
    look = "bar" + (" over" if night.over or night.critical else "") + (" now" if now else "")
    words = f"{slot.day}: {night.headline}" + (f", {night.action}" if night.action else "")
    bar = Markup('<rect class="{}" x="{}%" y="{}" width="{}%" height="{}"><title>{}</title></rect>').format(
        look, left, px(20 + plot - tall), width, px(tall), words
    )
    target = Markup('<rect class="target" x="{}%" y="20" width="{}%" height="{}"><title>{}</title></rect>').format(
        left, width, px(plot), words
    )
    linked = Markup('<a href="{}" tabindex="-1">{}{}</a>').format(link(slot.day), bar, target)
    value = _over(left, width, 14 + plot - tall, night.share_words) if now and night.few is None else Markup("")
    return linked + value


def _limit_line(y: float, limit: float) -> Markup:
    return row(y, "limit") + Markup('<text class="said" x="0" y="{}">limit {}</text>').format(
        px(y - 6), exact_share(limit)
    )


def sign(
    across: tuple[str, str],
    y: float,
    night: PastNight | None,
    retraining: PastRetraining | None,
    base: str = "",
) -> Markup:
    """A diamond under a retraining, filled if its model served; else a triangle under a night that asked for one, a
    square under broken data and a ring under too few rows. `base` leads to the monitor's folder.

    It is a nested svg because elements can be placed by per cent and paths cannot.
    """
    left, width = across
    middle = percent(float(left) + float(width) / 2)
    if retraining is not None:
        look, form = "promoted" if retraining.served else "tried", _DIAMOND
    elif night is not None and (night.status in _UNDER or night.retrain):
        look, form = night.status, _UNDER.get(night.status, "M-4.5 8 0 0 4.5 8z")
    else:
        return Markup("")
    drawn = Markup(
        '<svg class="sign {}" x="{}%" y="{}" width="9" height="9" overflow="visible"><path d="{}"/></svg>'
    ).format(look, middle, px(y), form)
    if retraining is None:
        return drawn
    tip = Markup("<title>{}: retraining {}</title>").format(retraining.run_date, retraining.words)
    target = f"{base}retraining/{retraining.run_date}/index.html"
    return Markup('<a href="{}" tabindex="-1">{}{}</a>').format(target, tip, drawn)


def _over(left: str, width: str, y: float, text: str) -> Markup:
    middle = float(left) + float(width) / 2
    anchor = "end" if middle > 92 else "start" if middle < 8 else "middle"
    x = min(middle + float(width) / 2, 100.0) if anchor == "end" else middle
    return Markup('<text class="value" x="{}%" y="{}" text-anchor="{}">{}</text>').format(
        percent(x), px(y), anchor, text
    )


def bars_chart(
    places: Sequence[Slot], value: Callable[[PastNight], float], text: Callable[[PastNight], str], link: Link
) -> Markup:
    """A small bar for each night, from zero to the largest, with `text` when pointed at; it opens the night."""
    height, top = 64, max([value(slot.night) for slot in places if slot.night] + [1e-12])
    parts = []
    for position, slot in enumerate(places):
        if slot.night is None:
            continue
        left, width = across_of(position, len(places))
        tall = max((height - 2) * value(slot.night) / top, 1)
        tip = Markup("<title>{}: {}</title>").format(slot.day, text(slot.night))
        bar = Markup('<rect class="bar" x="{}%" y="{}" width="{}%" height="{}"/>').format(
            left, px(height - tall), width, px(tall)
        )
        target = Markup('<rect class="target" x="{}%" y="0" width="{}%" height="{}"/>').format(left, width, height)
        parts.append(Markup('<a href="{}" tabindex="-1">{}{}{}</a>').format(link(slot.day), tip, bar, target))
    return svg([*parts, row(height, "axis")], height, "chart")


def shape_chart(shape: Shape, label: str) -> Markup:
    """A numerical column before (filled) and after (outlined), bar by bar; the bars are equally wide.

    Below them, for each side, a line along the middle half of its rows with a notch at the median.
    """
    top = max([*shape.reference, *shape.production, 1e-12]) * 1.05
    before, after = _steps(shape.reference, top), _steps(shape.production, top)
    halves = [_half("before", shape.reference, 43), _half("after", shape.production, 47)]
    return Markup(
        '<svg class="shape" viewBox="0 0 100 49" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path class="before" d="{}V40H0z"/><path class="after" d="{}"/>{}</svg>'
    ).format(label, before, after, Markup("").join(halves))


def _half(look: str, shares: Sequence[float], y: int) -> Markup:
    if not sum(shares) > 0:
        return Markup("")
    first, median, last = (100 * place / len(shares) for place in places_at(shares, (0.25, 0.5, 0.75)))
    return Markup('<path class="half {}" d="M{} {}H{}M{} {}v3"/>').format(
        look, px(first), y, px(last), px(median), px(y - 1.5)
    )


def places_at(shares: Sequence[float], parts: Sequence[float]) -> list[float]:
    """Where parts of the rows lie, in bars from the left of the first: rows are taken to lie evenly within a bar.

    Args:
        shares: of each bar; together more than 0.
        parts: fractions of the rows, in [0, 1].
    """
    below = [0.0, *accumulate(shares)]
    found = []
    for part in parts:
        bar = min(max(bisect_left(below, part * below[-1]) - 1, 0), len(shares) - 1)
        within = (part * below[-1] - below[bar]) / shares[bar] if shares[bar] else 0.0
        found.append(bar + min(max(within, 0.0), 1.0))
    return found


def pair_bar(before: float, after: float, top: float) -> Markup:
    """One category before and after, one bar above the other; `top` is the share that fills the width."""
    wide, other = (percent(100 * value / max(top, 1e-12)) for value in (before, after))
    return Markup(
        '<svg class="pair" width="100%" height="16" aria-hidden="true"><rect class="before" y="1" width="{}%" '
        'height="6"/><rect class="after" y="9" width="{}%" height="6"/></svg>'
    ).format(wide, other)


def strength_bar(strength: float, drifted: bool, usual: float | None = None) -> Markup:
    """How far along the way to the threshold, or past it: the mark at a quarter of the width is the threshold.

    `usual`: how far along quiet nights are, drawn as a band behind.
    """
    band = "" if usual is None else Markup('<rect class="usual" width="{}%"/>').format(_along(usual))
    return Markup(
        '<svg class="strength" aria-hidden="true">{}<rect class="{}" width="{}%"/>'
        '<rect class="threshold" x="{}%"/></svg>'
    ).format(band, "fill over" if drifted else "fill", _along(strength), percent(100 / STRENGTH_FULL))


def _along(strength: float) -> str:
    return percent(100 * min(strength, STRENGTH_FULL) / STRENGTH_FULL)


def interval_bar(low: float, value: float, high: float, extent: float) -> Markup:
    """An interval around zero, which is in the middle; `extent` is the distance that reaches either end."""
    look = "better" if low > 0 else "worse" if high < 0 else "unsure"
    left, middle, right = (percent(50 + 48 * max(-1.0, min(1.0, at / extent))) for at in (low, value, high))
    wide = percent(max(float(right) - float(left), 0.5))
    return Markup(
        '<svg class="interval {}" aria-hidden="true"><line class="zero" x1="50%" x2="50%" y1="0" y2="20"/>'
        '<rect x="{}%" y="7" width="{}%" height="6" rx="3"/><circle cx="{}%" cy="10" r="5"/></svg>'
    ).format(look, left, wide, middle)


def sparkline(nights: Sequence[PastNight], last: int = 30) -> Markup:
    """Drift shares of the newest nights as thin bars in two strokes, so that hundreds of them stay small."""
    places = slots(nights, last)
    top = max([slot.night.decisive_share for slot in places if slot.night] + [0.5])
    strokes = {"under": "", "over": ""}
    for position, slot in enumerate(places, start=last - len(places)):
        if slot.night is not None:
            look = "over" if slot.night.over or slot.night.critical else "under"
            tall = max(22 * slot.night.decisive_share / top, 1)
            strokes[look] += f"M{3 * position + 1} 24v-{px(tall)}"
    if nights:
        strokes["limit"] = f"M0 {px(24 - 22 * min(nights[-1].limit / top, 1))}h{3 * last}"
    paths = [Markup('<path class="{}" d="{}"/>').format(look, path) for look, path in strokes.items() if path]
    return Markup('<svg class="spark" viewBox="0 0 {} 24" aria-hidden="true">{}</svg>').format(
        3 * last, Markup("").join(paths)
    )


def heat_level(strength: float) -> int:
    """A step of the heat map, 0 to 5: the threshold lies between 2 and 3."""
    return sum(strength > bound for bound in (0.4, 0.7, 1.0, 2.0, 4.0))


def _steps(values: Sequence[float], top: float) -> str:
    width = 100 / max(len(values), 1)
    path = "M0 40"
    for position, value in enumerate(values):
        path += f"V{px(40 - 40 * value / top)}H{px((position + 1) * width)}"
    return path
