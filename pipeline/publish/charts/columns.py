"""A column over nights: the quantiles of its numbers as bands, or its categories' shares on top of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate, groupby, pairwise
from math import floor, isfinite, log10

from markupsafe import Markup

from pipeline.publish.charts.nights import Link, Slot
from pipeline.publish.charts.svg import middle_of, percent, px, row, svg, ticks
from pipeline.publish.facts.columns import ColumnNight, ColumnOverTime
from pipeline.wording import number, share

_TOP, _PLOT = 7, 92  # px above the plot: half a line of its axis; and the plot
_MARKS = 12  # px below it for the signs of nights that drifted
_MISSING = 18  # px of the strip of missing values
_FEWEST = 12  # places; fewer stay slim, at the right where now is
_AXIS, _LETTER = 52, 7.5  # px: the axis of most charts, and a letter of one that needs more
_LARGEST = 8e307  # twice as much is still a number
_FLAT = 1e-9  # of the larger end: values as near as that are drawn as one
TONES = 5
"""Categories that have a tone of their own; all others have the last one."""


@dataclass(frozen=True)
class _Scale:
    """Values between `low` at the bottom and `high` at the top of the plot, and those that the axis names."""

    low: float
    high: float
    marked: tuple[tuple[float, str], ...]

    def y(self, value: float) -> str:
        inside = min(max(value, self.low), self.high)
        return px(_TOP + _PLOT * (1 - (inside - self.low) / (self.high - self.low)))


@dataclass(frozen=True)
class _Drawn:
    """What differs between numbers and categories; `longest` is how many letters the axis needs."""

    axis: Sequence[Markup]
    grid: Sequence[Markup]
    plot: Sequence[Markup]
    longest: int = 0


def column_chart(places: Sequence[Slot], column: ColumnOverTime, text: Callable[[date], str], link: Link) -> Markup:
    """An axis, and beside it the time line; below signs of nights that drifted, and missing values where there are any.

    Args:
        places: the time line.
        column: what is drawn; a night that kept no profile of it is a dotted gap.
        text: what is said of a night that is pointed at.
        link: the page of a night.
    """
    wide = max(len(places), _FEWEST)
    first = wide - len(places)
    nights = {place: column.nights[slot.day] for place, slot in enumerate(places, first) if slot.day in column.nights}
    drawn = _numbers(column, nights, wide) if column.kind == "numerical" else _categories(column, nights)
    bottom, missing = _TOP + _PLOT, _most_missing(nights)
    full = bottom + _MARKS + (_MISSING + 4 if missing else 0)
    gaps = _gaps(places, nights, first, bottom)
    parts = [*drawn.grid, _stretched([*drawn.plot, gaps], wide, full), row(bottom, "axis")]
    parts += _drifted(places, column, bottom + 7)
    axis = list(drawn.axis)
    if missing:
        parts += [_stretched([_strip(nights, wide, full, missing)], wide, full), row(full, "axis")]
        axis.append(_tick(px(full - _MISSING + 9), share(missing)))
    parts.append(_targets(places, text, link, first))
    gutter = max(_AXIS, _LETTER * drawn.longest + 10)
    left = Markup('<svg class="ticks" width="{0}" height="{1}" viewBox="{2} 0 {0} {1}" aria-hidden="true">{3}</svg>')
    beside = left.format(px(gutter), full, px(_AXIS - gutter), Markup("").join(axis))
    return Markup('<div class="plot over">{}{}</div>').format(beside, svg(parts, full, "chart"))


def tone(place: int, categories: int) -> int:
    """The tone of a category: few of them lie far apart."""
    return round(place * (TONES - 1) / max(categories - 1, 1))


def _numbers(column: ColumnOverTime, nights: Mapping[int, ColumnNight], wide: int) -> _Drawn:
    scale = _scale(column, list(nights.values()))
    return _Drawn(
        axis=[_tick(scale.y(at), words) for at, words in scale.marked],
        grid=[row(float(scale.y(at)), "grid") for at, _ in scale.marked],
        plot=_bands(nights, wide, scale),
        longest=max((len(words) for _, words in scale.marked), default=0),
    )


def _categories(column: ColumnOverTime, nights: Mapping[int, ColumnNight]) -> _Drawn:
    return _Drawn(axis=[_beside(column)], grid=[], plot=_stacks(nights))


def _scale(column: ColumnOverTime, nights: Sequence[ColumnNight]) -> _Scale:
    """From the smallest 5% quantile to the largest 95% quantile; ranks from none to all."""
    if column.private:
        return _Scale(0.0, 1.0, tuple((part, share(part)) for part in (0.0, 0.5, 1.0)))
    known = [side.quantiles for night in nights for side in (night.reference, night.production) if side.quantiles]
    low = max(min((found[0] for found in known), default=0.0), -_LARGEST)
    high = min(max((found[-1] for found in known), default=1.0), _LARGEST)
    if high - low <= max(_FLAT * max(abs(low), abs(high)), 1e-300):
        room = max(abs(high) * 0.1, 1e-6)
        low, high = low - room, high + room
    unit = 10.0 ** floor(log10(high - low))
    marked = (tick * unit for tick in ticks(low / unit, high / unit, 3))
    return _Scale(low, high, tuple((at, number(at, 6)) for at in marked if isfinite(at)))


def _tick(y: str, words: str) -> Markup:
    return Markup('<text x="44" y="{}" text-anchor="end">{}</text>').format(px(float(y) + 4), words)


def _stretched(parts: Sequence[Markup], wide: int, height: float) -> Markup:
    """Paths in units of a night across, and px down."""
    return Markup('<svg width="100%" height="{1}" viewBox="0 0 {0} {1}" preserveAspectRatio="none">{2}</svg>').format(
        wide, px(height), Markup("").join(parts)
    )


def _path(look: str, steps: str) -> Markup:
    return Markup('<path class="{}" d="{}"/>').format(look, steps) if steps else Markup("")


def _bands(nights: Mapping[int, ColumnNight], wide: int, scale: _Scale) -> list[Markup]:
    """Nine of ten rows, the middle half, and the median; over them the reference's own, which keeps its value until a
    later night has another one.
    """
    known = {place: found for place, night in nights.items() if (found := night.production.quantiles)}
    runs = [[place for _, place in run] for _, run in groupby(enumerate(known), lambda item: item[1] - item[0])]

    def line(run: Sequence[int], part: int) -> list[str]:
        ends = [(run[0], run[0]), *((place + 0.5, place) for place in run), (run[-1] + 1, run[-1])]
        return [f"{px(x)} {scale.y(known[place][part])}" for x, place in ends]

    def area(low: int, high: int) -> str:
        return "".join("M" + "L".join(line(run, high) + line(run, low)[::-1]) + "z" for run in runs)

    median = "".join("M" + "L".join(line(run, 2)) for run in runs)
    own = [
        _path(look, _steps(nights, wide, part, scale)) for part, look in ((0, "own end"), (4, "own end"), (2, "own"))
    ]
    return [_path("most", area(0, 4)), _path("half", area(1, 3)), *own, _path("median", median)]


def _steps(nights: Mapping[int, ColumnNight], wide: int, part: int, scale: _Scale) -> str:
    found = [(place, night.reference.quantiles[part]) for place, night in nights.items() if night.reference.quantiles]
    if not found:
        return ""
    changes = [(place, value) for (_, before), (place, value) in pairwise(found) if value != before]
    turns = "".join(f"H{place}V{scale.y(value)}" for place, value in changes)
    return f"M0 {scale.y(found[0][1])}{turns}H{wide}"


def _stacks(nights: Mapping[int, ColumnNight]) -> list[Markup]:
    """A path for each category, the first on top; others below all."""
    boxes: dict[int, str] = {}
    for place, night in nights.items():
        shares = night.production.shares or ()
        for layer, top, tall in _layers(shares):
            boxes[layer] = boxes.get(layer, "") + f"M{px(place + 0.1)} {px(top)}h.8v{px(tall)}h-.8z"
    most = max((len(night.production.shares or ()) for night in nights.values()), default=0)
    return [_path(f"t{_tone(layer, most)}", boxes[layer]) for layer in sorted(boxes)]


def _layers(shares: Sequence[float]) -> Iterator[tuple[int, float, float]]:
    """Layer, top and height in px of each share that is seen; a hair is left between them."""
    for layer, (until, part) in enumerate(zip(accumulate(shares), shares, strict=True)):
        tall = _PLOT * part - 0.7
        if tall > 0:
            yield layer, _TOP + _PLOT * (until - part), tall


def _tone(layer: int, layers: int) -> int:
    return TONES if layer == layers - 1 else tone(layer, layers - 1)


def _beside(column: ColumnOverTime) -> Markup:
    """The reference of the newest night, as wide as a bar, where numbers have their axis."""
    shares = column.newest[1].reference.shares or ()
    box = Markup('<rect class="t{}" x="24" y="{}" width="16" height="{}"/>')
    parts = [box.format(_tone(layer, len(shares)), px(top), px(tall)) for layer, top, tall in _layers(shares)]
    return Markup("").join(parts)


def _gaps(places: Sequence[Slot], nights: Mapping[int, ColumnNight], first: int, bottom: float) -> Markup:
    """Days without a night, and nights of which nothing was kept."""
    days = range(first, first + len(places))
    empty = [place for place in days if place not in nights or nights[place].production.told is None]
    return _path("gap", "".join(f"M{place} {px(bottom - 2)}h1" for place in empty))


def _drifted(places: Sequence[Slot], column: ColumnOverTime, y: float) -> Iterator[Markup]:
    for place, slot in enumerate(places):
        if slot.day in column.drifted:
            across = percent(middle_of(place, len(places)))
            yield Markup('<circle class="drift" cx="{}%" cy="{}" r="2.5"/>').format(across, px(y))


def _most_missing(nights: Mapping[int, ColumnNight]) -> float:
    sides = [side for night in nights.values() for side in (night.reference, night.production)]
    return max((side.missing or 0.0 for side in sides), default=0.0)


def _strip(nights: Mapping[int, ColumnNight], wide: int, bottom: float, most: float) -> Markup:
    """Missing shares as bars up to the largest, and the reference's as a line."""
    bars, line, last = "", "", None
    for place, night in nights.items():
        tall = _MISSING * (night.production.missing or 0.0) / most
        bars += f"M{px(place + 0.1)} {px(bottom)}v-{px(max(tall, 0.8))}h.8V{px(bottom)}z" if tall else ""
        own = px(bottom - _MISSING * (night.reference.missing or 0.0) / most)
        if own != last:
            line, last = f"{line}H{place}V{own}" if line else f"M0 {own}", own
    return _path("missing", bars) + (_path("own end", f"{line}H{wide}") if line else Markup(""))


def _targets(places: Sequence[Slot], text: Callable[[date], str], link: Link, first: int) -> Markup:
    """What is pointed at: a column for each night, which says its values and opens it."""
    box = Markup('<a href="{}" tabindex="-1"><rect x="{}" width="1" height="1"/><title>{}</title></a>')
    boxes = [
        box.format(link(slot.day), place, text(slot.day))
        for place, slot in enumerate(places, first)
        if slot.night is not None
    ]
    return Markup(
        '<svg class="targets" width="100%" height="100%" viewBox="0 0 {} 1" preserveAspectRatio="none">{}</svg>'
    ).format(first + len(places), Markup("").join(boxes))
