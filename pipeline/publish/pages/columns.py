"""The page of a monitor's columns over its nights, made of what nights keep of them: a small chart and table each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from pipeline.config import Monitor
from pipeline.publish import charts
from pipeline.publish.facts.columns import OTHERS, ColumnNight, ColumnOverTime, Side, anchor, over_time, ranked
from pipeline.publish.facts.history import PastNight
from pipeline.publish.templates import page
from pipeline.results import NightProfile
from pipeline.wording import apart, clip, count, number, share

NIGHTS = 60
MAX_CHARTS = 40
MAX_LISTED = 1000
_MAX_NAME = 80
_MAX_CATEGORY = 24  # characters, where a night is pointed at


def columns_page(
    monitor: Monitor,
    nights: Sequence[PastNight],
    profiles: Iterable[tuple[date, NightProfile]],
    importances: Mapping[str, float] | None = None,
    environment: str | None = None,
) -> bytes:
    """The monitor's `columns.html`.

    Args:
        monitor: the monitor; of its private columns no value is shown.
        nights: all its published nights, oldest first.
        profiles: of the nights that `shown_nights` names, as far as they kept one, the newest first.
        importances: how much the champion relies on its columns, as far as that is known.
        environment: the name of the installation.
    """
    places = charts.slots(nights, NIGHTS)
    shown = [slot.night for slot in places if slot.night is not None]
    waiting = iter(profiles)
    first = next(waiting, None)
    names = ranked(shown, None if first is None else first[1], importances or {})
    columns = over_time(names[:MAX_CHARTS], shown, _all(first, waiting), monitor.columns.private)
    charted = {column.name for column in columns}
    rest = [name for name in names if name not in charted] if charted else []
    kept = {day for column in columns for day in column.nights}
    return page(
        "columns.html.j2",
        environment,
        monitor=monitor,
        columns=[_multiple(places, column) for column in columns],
        kinds={column.kind for column in columns},
        private=any(column.private for column in columns),
        missing=any(side.missing for column in columns for night in column.nights.values() for side in night.sides),
        ends=(places[0].day, places[-1].day) if places else None,
        nights=count(len(shown), "night"),
        without=count(len(shown) - len(kept), "night") if len(shown) > len(kept) else "",
        newest=max(kept, default=None),
        compared=bool(names),
        known=count(len(columns) + len(rest), "column"),
        rest=[(anchor(name), clip(name, _MAX_NAME)) for name in rest[:MAX_LISTED]],
        more=count(len(rest) - MAX_LISTED, "more column") if len(rest) > MAX_LISTED else "",
    )


def shown_nights(nights: Sequence[PastNight]) -> list[date]:
    """The nights that are on the page, the newest first."""
    return [slot.day for slot in reversed(charts.slots(nights, NIGHTS)) if slot.night is not None]


def _all(
    first: tuple[date, NightProfile] | None, others: Iterator[tuple[date, NightProfile]]
) -> Iterator[tuple[date, NightProfile]]:
    if first is not None:
        yield first
    yield from others


def _multiple(places: Sequence[charts.Slot], column: ColumnOverTime) -> dict[str, object]:
    day, newest = column.newest
    return {
        "anchor": anchor(column.name),
        "name": clip(column.name, _MAX_NAME),
        "kind": f"private, {column.kind}" if column.private else column.kind,
        "chart": charts.column_chart(places, column, lambda at: _pointed(column, at), _page_of),
        "words": " ".join([_values_words(column), *_missing_words(column), *_drifted_words(column)]),
        "newest": day,
        "numbers": _numbers(column, newest) if column.kind == "numerical" else [],
        "categories": _categories(column, newest) if column.kind == "categorical" else [],
        "rest": [("Missing", *map(_missing, newest.sides)), *_distinct(newest)],
    }


def _page_of(day: date) -> str:
    return f"{day}/index.html"


def _each(column: ColumnOverTime, *found: float) -> tuple[str, ...]:
    """Quantiles and shares as they are told beside each other: in the column's unit, or as fractions."""
    if column.private or column.kind == "categorical":
        return apart(*found, write=share, digits=2)
    return apart(*found)


def _values_words(column: ColumnOverTime) -> str:
    """What the chart shows, in a sentence: of numbers the median, else the reference's most frequent category."""
    day, newest = column.newest
    numerical = column.kind == "numerical"
    at = 2 if numerical else 0
    told = [night.production.told[at] for night in column.nights.values() if night.production.told]
    if newest.production.told is None:
        return f"No value is known of {day}."
    found, low, high = newest.production.told[at], min(told), max(told)
    spread = " to ".join(_each(column, low, high))
    over = f", {spread if low < high else 'the same'} over {count(len(told), 'night')}" if len(told) > 1 else ""
    if numerical and column.private:
        return f"On {day} half of the rows lie below the reference's {share(found)} quantile{over}."
    own = newest.reference.told
    beside = "" if own is None else f"; {number(own[at]) if numerical else share(own[at])} in the reference"
    if numerical:
        return f"Median {number(found)} on {day}{over}{beside}."
    return f"{clip(column.categories[0], _MAX_CATEGORY)}: {share(found)} on {day}{over}{beside}."


def _missing_words(column: ColumnOverTime) -> list[str]:
    most = max((night.production.missing or 0.0 for night in column.nights.values()), default=0.0)
    return [f"At most {share(most)} missing."] if most else []


def _drifted_words(column: ColumnOverTime) -> list[str]:
    return [f"Drifted on {count(len(column.drifted), 'night')}."] if column.drifted else []


def _pointed(column: ColumnOverTime, day: date) -> str:
    """`2026-01-14, drifted: median 45.5, half 37 to 54, nine of ten 25.1 to 66, 2% missing`."""
    sign = ", drifted" if day in column.drifted else ""
    night = column.nights.get(day)
    if night is None:
        return f"{day}{sign}: nothing was kept of the column"
    side = night.production
    if side.quantiles:
        low, lower, middle, upper, high = _each(column, *side.quantiles)
        told = [f"median {middle}", f"half {lower} to {upper}", f"nine of ten {low} to {high}"]
    elif side.shares:
        names = (*(clip(name, _MAX_CATEGORY) for name in column.categories), OTHERS)
        told = [f"{name} {share(part)}" for name, part in zip(names, side.shares, strict=True) if part]
    else:
        told = ["no value is known"]
    told += [f"{share(side.missing)} missing"] if side.missing else []
    return f"{day}{sign}: {', '.join(told)}"


def _numbers(column: ColumnOverTime, newest: ColumnNight) -> list[tuple[str, ...]]:
    """What it is, of the newest night, and of the reference."""
    medians = _beside(column, *(None if side.quantiles is None else side.quantiles[2] for side in newest.sides))
    if column.private:
        return [("Quantile that half lies below", *medians)]
    return [
        ("Median", *medians),
        ("Mean", *_beside(column, *(side.mean for side in newest.sides))),
        ("Deviation", *_beside(column, *(side.deviation for side in newest.sides))),
    ]


def _beside(column: ColumnOverTime, *found: float | None) -> list[str]:
    words = iter(_each(column, *(value for value in found if value is not None)))
    return ["" if value is None else next(words) for value in found]


def _categories(column: ColumnOverTime, newest: ColumnNight) -> list[tuple[int, str, list[str]]]:
    """Tone, name, and the shares of the newest night and of the reference."""
    last, rows = len(column.categories), []
    for place, name in enumerate((*column.categories, OTHERS)):
        parts = [side.shares[place] if side.shares else None for side in newest.sides]
        if place < last or any(parts):
            tone = charts.tone(place, last) if place < last else charts.TONES
            rows.append((tone, name, ["" if part is None else share(part) for part in parts]))
    return rows


def _distinct(newest: ColumnNight) -> list[tuple[str, ...]]:
    """Of categories only: `5, 0.25%`."""
    if newest.production.distinct is None:
        return []
    return [("Distinct, share of the values", *(_distinct_words(side) for side in newest.sides))]


def _distinct_words(side: Side) -> str:
    shared = "" if side.distinct_share is None else f", {share(side.distinct_share)}"
    return "" if side.distinct is None else f"{count(side.distinct)}{shared}"


def _missing(side: Side) -> str:
    return "" if side.missing is None else share(side.missing)
