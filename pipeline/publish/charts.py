"""Charts as plain SVG: no script, no style attribute, colours from the page's style sheet by class.

Positions across are per cent of the width, so that a chart fills its place at 360 px as at 1440 px while its text
keeps its size. What a chart shows is also said in text beside it; tooltips (`<title>`) are an extra.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from markupsafe import Markup, escape

from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.retraining import PastRetraining
from pipeline.publish.facts.verdict import State
from pipeline.results import Shape
from pipeline.wording import exact_share

Link = Callable[[date], str]
_DIAMOND = "M0-1 5 4.5 0 10-5 4.5z"
STRENGTH_FULL = 4.0  # a strength bar is full here; its threshold mark stands at a quarter
_MARKS: dict[State, str] = {
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


def slots(nights: Sequence[PastNight], last: int) -> list[Slot]:
    """The newest `last` places of a time line, oldest first.

    Every day has a place, so that a night that did not run is seen, unless nights are rarer than every other day.
    """
    by_day = {night.run_date: night for night in sorted(nights, key=lambda night: night.run_date)[-last:]}
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
        across = _across(position, len(places))
        tall = plot * slot.night.decisive_share / top if slot.night is not None else 0.0
        parts.append(_share_bar(slot, across, max(tall, 1.5), plot, now=slot.day == tonight, link=link))
        parts.append(_sign(across, 26 + plot, slot.night, (retrainings or {}).get(slot.day)))
    parts += [_row(20 + plot, "axis"), _limit_line(plot * (1 - limit / top) + 20, limit)]
    return _svg(parts, height, "chart")


def _share_bar(slot: Slot, across: tuple[str, str], tall: float, plot: float, *, now: bool, link: Link) -> Markup:
    left, width = across
    night = slot.night
    if night is None:
        tip = Markup("<title>{}: no night was published</title>").format(slot.day)
        return Markup('<rect class="gap" x="{}%" y="{}" width="{}%" height="4">{}</rect>').format(
            left, _px(16 + plot), width, tip
        )
    look = "bar" + (" over" if night.over or night.critical else "") + (" now" if now else "")
    words = f"{slot.day}: {night.headline}" + (f", {night.action}" if night.action else "")
    bar = Markup('<rect class="{}" x="{}%" y="{}" width="{}%" height="{}"><title>{}</title></rect>').format(
        look, left, _px(20 + plot - tall), width, _px(tall), words
    )
    target = Markup('<rect class="target" x="{}%" y="20" width="{}%" height="{}"><title>{}</title></rect>').format(
        left, width, _px(plot), words
    )
    linked = Markup('<a href="{}" tabindex="-1">{}{}</a>').format(link(slot.day), bar, target)
    value = _over(left, width, 14 + plot - tall, night.share_words) if now else Markup("")
    return linked + value


def _limit_line(y: float, limit: float) -> Markup:
    return _row(y, "limit") + Markup('<text class="said" x="0" y="{}">limit {}</text>').format(
        _px(y - 6), exact_share(limit)
    )


def _sign(across: tuple[str, str], y: float, night: PastNight | None, retraining: PastRetraining | None) -> Markup:
    """A diamond under a retraining, filled if it was promoted; else a triangle under a night that asked for one, and a
    square under broken data.

    It is a nested svg because elements can be placed by per cent and paths cannot.
    """
    left, width = across
    middle = _percent(float(left) + float(width) / 2)
    if retraining is not None:
        look, form = "promoted" if retraining.promoted else "tried", _DIAMOND
    elif night is not None and (night.status == "data_broken" or night.retrain):
        look, form = night.status, "M-3.5 1h7v7h-7z" if night.status == "data_broken" else "M-4.5 8 0 0 4.5 8z"
    else:
        return Markup("")
    sign = Markup(
        '<svg class="sign {}" x="{}%" y="{}" width="9" height="9" overflow="visible"><path d="{}"/></svg>'
    ).format(look, middle, _px(y), form)
    if retraining is None:
        return sign
    tip = Markup("<title>{}: retraining {}</title>").format(retraining.run_date, retraining.words)
    target = f"retraining/{retraining.run_date}/index.html"
    return Markup('<a href="{}" tabindex="-1">{}{}</a>').format(target, tip, sign)


def _over(left: str, width: str, y: float, text: str) -> Markup:
    middle = float(left) + float(width) / 2
    anchor = "end" if middle > 92 else "start" if middle < 8 else "middle"
    x = min(middle + float(width) / 2, 100.0) if anchor == "end" else middle
    return Markup('<text class="value" x="{}%" y="{}" text-anchor="{}">{}</text>').format(
        _percent(x), _px(y), anchor, text
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
        left, width = _across(position, len(places))
        tall = max((height - 2) * value(slot.night) / top, 1)
        tip = Markup("<title>{}: {}</title>").format(slot.day, text(slot.night))
        bar = Markup('<rect class="bar" x="{}%" y="{}" width="{}%" height="{}"/>').format(
            left, _px(height - tall), width, _px(tall)
        )
        target = Markup('<rect class="target" x="{}%" y="0" width="{}%" height="{}"/>').format(left, width, height)
        parts.append(Markup('<a href="{}" tabindex="-1">{}{}{}</a>').format(link(slot.day), tip, bar, target))
    return _svg([*parts, _row(height, "axis")], height, "chart")


def line_chart(places: Sequence[Slot], values: Sequence[float | None], text: Callable[[float], str]) -> Markup:
    """A line through the values that are there, from the smallest to the largest, with the newest marked."""
    height = 36
    known = [(position, value) for position, value in enumerate(values) if value is not None]
    if not known:
        return Markup("")
    low, high = min(value for _, value in known), max(value for _, value in known)
    spread = (high - low) or max(abs(high), 1.0)

    def point(position: int, value: float) -> tuple[str, str]:
        x = (position + 0.5) / len(places) * 100
        return _percent(x), _px(height - 8 - (height - 16) * ((value - low) / spread if high > low else 0.5))

    parts = []
    for (before, first), (after, second) in pairwise(known):
        (x1, y1), (x2, y2) = point(before, first), point(after, second)
        parts.append(Markup('<line class="trend" x1="{}%" y1="{}" x2="{}%" y2="{}"/>').format(x1, y1, x2, y2))
    for position, value in known:
        x, y = point(position, value)
        radius = 3.5 if position == known[-1][0] else 1
        parts.append(
            Markup('<circle class="dot" cx="{}%" cy="{}" r="{}"><title>{}: {}</title></circle>').format(
                x, y, radius, places[position].day, text(value)
            )
        )
    return _svg(parts, height, "chart")


def shape_chart(shape: Shape, label: str) -> Markup:
    """A numerical column before (filled) and after (outlined), bar by bar; the bars are equally wide."""
    top = max([*shape.reference, *shape.production, 1e-12]) * 1.05
    before, after = _steps(shape.reference, top), _steps(shape.production, top)
    return Markup(
        '<svg class="shape" viewBox="0 0 100 40" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path class="before" d="{}V40H0z"/><path class="after" d="{}"/></svg>'
    ).format(label, before, after)


def pair_bar(before: float, after: float, top: float) -> Markup:
    """One category before and after, one bar above the other; `top` is the share that fills the width."""
    wide, other = (_percent(100 * value / max(top, 1e-12)) for value in (before, after))
    return Markup(
        '<svg class="pair" width="100%" height="16" aria-hidden="true"><rect class="before" y="1" width="{}%" '
        'height="6"/><rect class="after" y="9" width="{}%" height="6"/></svg>'
    ).format(wide, other)


def strength_bar(strength: float, drifted: bool) -> Markup:
    """How far along the way to the threshold, or past it: the mark at a quarter of the width is the threshold."""
    wide = _percent(100 * min(strength, STRENGTH_FULL) / STRENGTH_FULL)
    return Markup(
        '<svg class="strength" aria-hidden="true"><rect class="{}" width="{}%"/><rect class="threshold" x="{}%"/></svg>'
    ).format("fill over" if drifted else "fill", wide, _percent(100 / STRENGTH_FULL))


def interval_bar(low: float, value: float, high: float, extent: float) -> Markup:
    """An interval around zero, which is in the middle; `extent` is the distance that reaches either end."""
    look = "better" if low > 0 else "worse" if high < 0 else "unsure"
    left, middle, right = (_percent(50 + 48 * max(-1.0, min(1.0, at / extent))) for at in (low, value, high))
    wide = _percent(max(float(right) - float(left), 0.5))
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
            strokes[look] += f"M{3 * position + 1} 24v-{_px(tall)}"
    if nights:
        strokes["limit"] = f"M0 {_px(24 - 22 * min(nights[-1].limit / top, 1))}h{3 * last}"
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
        path += f"V{_px(40 - 40 * value / top)}H{_px((position + 1) * width)}"
    return path


def _across(position: int, places: int) -> tuple[str, str]:
    """Left edge and width of a bar, in per cent of the chart; few bars stay slim, and at the right where now is."""
    position, places = position + max(12 - places, 0), max(places, 12)
    return _percent((position + 0.12) / places * 100), _percent(0.76 / places * 100)


def _row(y: float, look: str) -> Markup:
    return Markup('<line class="{}" x1="0" x2="100%" y1="{}" y2="{}"/>').format(look, _px(y), _px(y))


def _svg(parts: Sequence[Markup], height: int, look: str) -> Markup:
    opening = Markup('<svg class="{}" width="100%" height="{}" aria-hidden="true">').format(look, height)
    return opening + Markup("").join(map(escape, parts)) + Markup("</svg>")


def _percent(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _px(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
