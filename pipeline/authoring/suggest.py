"""Writes a suite by example: what holds on the reference, with some room, and a note on each of what was seen.

A suggestion is data, the content of a suite file; `merge` says how it goes into a file that somebody may have edited.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.authoring.merge import Entry, signed_suite
from pipeline.authoring.names import cycle, is_called_id
from pipeline.authoring.observe import Night, Seen, by_day
from pipeline.authoring.usual import Usual, moving_date
from pipeline.checks.quality.built_in.reference import QUANTILES, Numbers, Profile, profile_columns
from pipeline.checks.quality.check import Files, Limits
from pipeline.checks.quality.suite.read import Suite
from pipeline.checks.quality.validate import open_files, validate_suite
from pipeline.wording import count, exact_share, quantile, share, value

if TYPE_CHECKING:
    from pipeline.authoring.formats import Texts
    from pipeline.config import ColumnRoles
    from pipeline.results import Kind

MAX_SET = 30
_NUMBERS = ("float32", "float64", "int32", "int64")
_ROWS_PER_VALUE = 10
_ENOUGH_ROWS = 100
_FENCE_FACTOR = 1.5
_RARER = 1_000
_MOST_REACH = 10.0
_NIGHTS_TRIED = 5
_GONE = 0.5


@dataclass(frozen=True)
class Suggestion:
    """The content of a suite file, and how many entries were left out because they do not hold on the reference."""

    content: dict[str, Any]
    rows: int
    left_out: int


def suggest_suite(
    name: str, roles: ColumnRoles, reference: Sequence[Path], limits: Limits, nights: Sequence[Night] = ()
) -> Suggestion:
    """A suite for production snapshots like this reference, and like the nights that are there.

    The label and ignored columns get nothing, private ones nothing that names a value.

    Raises:
        SnapshotUnreadable: a file is damaged.
    """
    files = open_files(reference)
    profiles = _profiles(roles, reference, limits)
    texts = _texts(files, profiles, limits)
    nights = [night for night in nights if not _is_broken(night, profiles)]
    usual = _usual(reference, limits, nights)
    absent = {name for name in profiles if nights and not any(name in night.columns for night in nights)}
    rows = _row_count(files.rows, usual)
    entries: list[Entry] = []
    for profile in profiles.values():
        if profile.name not in absent:
            entries += _column(profile, roles, texts.get(profile.name), usual)
    holding = _holding_on_nights(name, _holding(name, entries, reference, limits), nights, limits)
    return Suggestion(signed_suite(name, [rows, *holding]), files.rows, len(entries) - len(holding))


def _is_broken(night: Night, profiles: Mapping[str, Profile]) -> bool:
    """Whether a third of the columns has hardly a value, unlike in the reference: it says nothing of others."""
    known = [name for name in night.seen if name in profiles]
    gone = [name for name in known if _missing(night.seen[name]) > (profiles[name].missing_share or 0.0) + _GONE]
    return 3 * len(gone) > len(known)


def _missing(seen: Seen) -> float:
    return 1 - seen.values / seen.rows if seen.rows else 1.0


def _usual(reference: Sequence[Path], limits: Limits, nights: Sequence[Night]) -> Usual:
    if not nights:
        return Usual()
    date = moving_date(nights)
    return Usual(nights, by_day(reference, date, limits) if date else ())


def _profiles(roles: ColumnRoles, reference: Sequence[Path], limits: Limits) -> dict[str, Profile]:
    """Few values are a set; of the rest, numbers are looked at as numbers."""
    from pipeline.checks.scan import infer_kind, open_table

    table = open_table([str(path) for path in reference])
    aside = {"", roles.label, *roles.ignore}  # Great Expectations knows no column without a name
    names = [name for name in table.column_names if name not in aside]
    inferred: dict[str, Kind | None] = {}
    for name in names:
        types = table.types_of(name)
        inferred[name] = infer_kind(types[0]) if types else None
    listed: dict[str, Kind | None] = {name: "categorical" for name in names if _may_be_set(name, inferred, roles)}
    found = profile_columns(table, dict.fromkeys(names) | listed, MAX_SET, _FENCE_FACTOR, limits)
    numbers: dict[str, Kind | None] = {
        name: "numerical" for name in names if inferred[name] == "numerical" and not found[name].categories
    }
    return found | profile_columns(table, numbers, MAX_SET, _FENCE_FACTOR, limits)


def _may_be_set(name: str, inferred: Mapping[str, Kind | None], roles: ColumnRoles) -> bool:
    return inferred[name] == "categorical" or name == roles.prediction or name in (roles.categorical or ())


def _texts(files: Files, profiles: Mapping[str, Profile], limits: Limits) -> dict[str, Texts]:
    """Columns that may be identifiers: text and whole numbers with many values."""
    from pipeline.authoring.formats import describe_texts

    wanted = [
        profile.name
        for profile in profiles.values()
        if (profile.family == "text" and not profile.categories)
        or (profile.numbers is not None and profile.numbers.whole and profile.numbers.distinct is None)
    ]
    return describe_texts(files, wanted, limits) if wanted and files.rows else {}


def _entry(kind: str, severity: str, notes: str, **kwargs: Any) -> Entry:
    return {"type": kind, "kwargs": kwargs, "severity": severity, "meta": {"notes": notes}}


def _row_count(rows: int, usual: Usual) -> Entry:
    kind, found = "expect_table_row_count_to_be_between", usual.row_limits()
    if found is None:
        notes = f"The reference has {count(rows, 'row')}, and no night was there: narrow this to what is usual."
        return _entry(kind, "warning", notes, min_value=1, max_value=max(rows, 1) * 10)
    sizes = [night.rows for night in usual.nights if night.rows]
    seen = f"{count(min(sizes))} to {count(max(sizes), 'row')}" if len(sizes) > 1 else count(sizes[0], "row")
    notes = f"{count(len(sizes), 'night')} had {seen}; {value(found[0])} to {value(found[1])} leaves room for others."
    return _entry(kind, "warning", notes, min_value=found[0], max_value=found[1])


def _column(profile: Profile, roles: ColumnRoles, texts: Texts | None, usual: Usual) -> Iterator[Entry]:
    private = profile.name in roles.private
    if not profile.rows:
        return
    yield from _presence(profile, roles, usual)
    yield from _type(profile)
    if texts is not None:
        yield from _identity(profile, texts, roles)
        if not private and profile.family == "text":
            yield from _format(profile, texts)
    if private or profile.name == roles.id or _is_identifier(profile):
        return
    if _is_set(profile):
        if profile.name != roles.model_version:  # a new model is no broken data
            yield _set(profile, usual)
    elif profile.numbers is not None:
        limits = _limits(profile, profile.numbers, usual)
        if limits is not None:
            yield _range(profile, profile.numbers, limits)
        yield from _middle(profile, profile.numbers, limits or (None, None), usual)


def _is_identifier(profile: Profile) -> bool:
    """Whole numbers that are called an id and have more values than categories have."""
    numbers = profile.numbers
    return is_called_id(profile.name) and numbers is not None and numbers.whole and not profile.categories


def _presence(profile: Profile, roles: ColumnRoles, usual: Usual) -> Iterator[Entry]:
    """A share of missing values may be half as high again, and one percent more; on small nights, what chance gives."""
    kind, column, room = "expect_column_values_to_not_be_null", {"column": profile.name}, usual.missing(profile)
    if profile.missing_share is None:  # nobody knows
        return
    if room is None:
        needed = profile.name in (roles.id, roles.prediction, roles.score)
        severity = "critical" if needed else "warning"
        yield _entry(kind, severity, f"None of {count(profile.rows, 'value')} is missing in the reference.", **column)
        return
    mostly = math.floor((1 - room) * 1_000) / 1_000
    if mostly > 0:
        notes = f"{share(profile.missing_share)} of the values are missing in the reference."
        yield _entry(kind, "warning", notes, **column, mostly=mostly)


def _type(profile: Profile) -> Iterator[Entry]:
    """As pandas calls types. What writers make of numbers by themselves will do: other widths, floats for gaps."""
    types = {"text": ["str"], "boolean": ["bool"], "number": sorted({*_NUMBERS, *_pandas_type(profile)})}
    is_wrapped = profile.type.startswith("extension<")
    if profile.family in types and (profile.missing or 0) < profile.rows and not is_wrapped:
        yield _entry(
            "expect_column_values_to_be_in_type_list",
            "warning",
            f"The reference holds {profile.type if profile.family == 'number' else profile.family} values.",
            column=profile.name,
            type_list=types[profile.family],
        )


def _pandas_type(profile: Profile) -> list[str]:
    names = {"float": "float32", "halffloat": "float16", "double": "float64"}
    if profile.type.startswith("decimal"):
        return ["Decimal"]
    return [names.get(profile.type, profile.type)] if profile.type.isalnum() else []


def _identity(profile: Profile, texts: Texts, roles: ColumnRoles) -> Iterator[Entry]:
    """Amounts and remarks may all differ by chance: what identifies has a name or a format that says so."""
    regular = profile.family == "text" and texts.pattern is not None
    identifies = profile.name == roles.id or is_called_id(profile.name) or regular
    if identifies and texts.distinct == texts.values and texts.values > 1:
        severity = "critical" if profile.name == roles.id else "warning"
        notes = f"All {count(texts.values, 'value')} of the reference differ."
        yield _entry("expect_column_values_to_be_unique", severity, notes, column=profile.name)


def _format(profile: Profile, texts: Texts) -> Iterator[Entry]:
    if texts.pattern is not None:
        notes = f"Every value of the reference is {texts.words}."
        kind = "expect_column_values_to_match_regex"
        yield _entry(kind, "warning", notes, column=profile.name, regex=texts.pattern)


def _is_set(profile: Profile) -> bool:
    """Few values, each often: a set. Of numbers only a prediction, a flag, or what the monitor calls a category."""
    known = len(profile.categories)
    return known > 0 and sum(profile.categories.values()) >= known * _ROWS_PER_VALUE


def _set(profile: Profile, usual: Usual) -> Entry:
    """Where values were seen once only, others may turn up."""
    total, single = sum(profile.categories.values()), sum(1 for rows in profile.categories.values() if rows == 1)
    values = sorted(profile.categories, key=lambda value: (-profile.categories[value], str(value)))
    rarest = f"{count(min(profile.categories.values()), 'row')} of {count(total)}"
    notes = f"The reference has {count(len(values), 'value')}, the rarest in {rarest}."
    kwargs: dict[str, Any] = {"column": profile.name, "value_set": values}
    if single:
        room = math.ceil(usual.strangers(profile) * 1_000) / 1_000
        kwargs["mostly"] = round(1 - room, 3)
        once = f"{count(single, 'value')} occurred only once, so that others may turn up"
        notes += f" {once}: {exact_share(room)} of the rows may differ."
    return _entry("expect_column_values_to_be_in_set", "warning", notes, **kwargs)


def _range(profile: Profile, numbers: Numbers, limits: tuple[float, float]) -> Entry:
    seen = f"{value(numbers.low, 6)} to {value(numbers.high, 6)}"
    room = "a share" if _is_share(numbers) else f"with room for values {_RARER} times as rare"
    return _entry(
        "expect_column_values_to_be_between",
        "warning",
        f"The reference runs from {seen}; {room}.",
        column=profile.name,
        min_value=limits[0],
        max_value=limits[1],
    )


def _limits(profile: Profile, numbers: Numbers, usual: Usual) -> tuple[float, float] | None:
    """A tenth of the range as margin on both sides, more where the tail is long; further where nights went.

    What is never negative, or never leaves [0, 1], stays so, and a code that begins again goes from end to end. None
    where the range has no end that a number can say.
    """
    ends = cycle(profile.name)
    if ends is not None and numbers.whole and ends[0] <= numbers.low and numbers.high <= ends[1]:
        return ends
    found = _reach(numbers, profile.rows)
    if found is None:
        return None
    low, high = usual.extremes(profile, numbers, found)
    wider = _reach(replace(numbers, low=low, high=high), profile.rows)
    return found if wider is None else (min(found[0], wider[0]), max(found[1], wider[1]))


def _reach(numbers: Numbers, rows: int) -> tuple[float, float] | None:
    if not math.isfinite((numbers.high - numbers.low) * 2 * _MOST_REACH):
        return None
    if _is_share(numbers):
        return 0.0, 1.0
    bottom, _, middle, _, top = numbers.quantiles
    margin = (numbers.high - numbers.low) / 10 or abs(numbers.high) / 10 or 1.0
    least_step = 1.0 if numbers.whole else 0.0
    below = max(margin, _beyond(middle - numbers.low, middle - bottom, rows))
    above = max(margin, _beyond(numbers.high - middle, top - middle, rows))
    low = _outward(numbers.low - below, margin, math.floor, least_step)
    high = _outward(numbers.high + above, margin, math.ceil, least_step)
    return _plain(max(low, 0.0) if numbers.low >= 0 else low, numbers), _plain(high, numbers)


def _is_share(numbers: Numbers) -> bool:
    return numbers.low >= 0 and numbers.high <= 1 and not numbers.whole


def _beyond(extreme: float, outer: float, rows: int) -> float:
    """How far beyond the most extreme of `rows` values one lies that is a thousand times as rare.

    As if the tail went on as a power law (Pareto) from its outer twentieth, which is too far rather than not far enough
    for other tails. Distances from the median; where the outer twentieth is at the median itself, as far again.
    """
    if outer <= 0:
        return extreme
    power = math.log(_RARER) / math.log(max(rows / 20, 5))
    growth = (math.log(extreme) - math.log(outer)) * power if extreme > 0 else 0.0  # a ratio may be beyond any float
    return extreme * (math.exp(min(growth, math.log(_MOST_REACH))) - 1)


def _outward(value: float, scale: float, rounding: Callable[[float], int], least_step: float = 0.0) -> float:
    """Rounded away from the data, to a tenth of the margin's own order of magnitude."""
    step = max(10.0 ** (math.floor(math.log10(scale)) - 1), least_step)
    return float(f"{rounding(value / step) * step:.12g}")


def _plain(value: float, numbers: Numbers) -> float:
    """Whole where the column is."""
    return int(value) if numbers.whole and float(value).is_integer() else value


def _middle(
    profile: Profile, numbers: Numbers, limits: tuple[float | None, float | None], usual: Usual
) -> Iterator[Entry]:
    """The mean where quiet nights have it; each quantile up to its neighbours, where nights are large enough."""
    if profile.rows < _ENOUGH_ROWS or not numbers.deviation or not math.isfinite(numbers.deviation):
        return
    found = usual.mean_limits(profile.name, numbers)
    if found is not None:
        scale = (found[1] - found[0]) / 2
        yield _entry(
            "expect_column_mean_to_be_between",
            "warning",
            f"The reference has a mean of {value(numbers.mean, 6)} and a standard deviation of "
            f"{value(numbers.deviation, 6)}; with room for what is usual on a night.",
            column=profile.name,
            min_value=_outward(found[0], scale, math.floor),
            max_value=_outward(found[1], scale, math.ceil),
        )
    small = usual.least_rows is not None and usual.least_rows < _ENOUGH_ROWS
    if small or cycle(profile.name) or usual.moves(profile.name, numbers):
        return
    bottom, top = limits
    _, lower, _, upper, _ = numbers.quantiles
    if lower < upper:
        seen = ", ".join(
            f"a {quantile(part)} of {value(found, 6)}" for part, found in zip(QUANTILES, numbers.quantiles, strict=True)
        )
        yield _entry(
            "expect_column_quantile_values_to_be_between",
            "info",
            f"The reference has {seen}; each may move as far as to its neighbour.",
            column=profile.name,
            quantile_ranges={
                "quantiles": [0.05, 0.5, 0.95],
                "value_ranges": [[bottom, lower], [lower, upper], [upper, top]],
            },
        )


def _holding(name: str, entries: Sequence[Entry], reference: Sequence[Path], limits: Limits) -> list[Entry]:
    """The entries that hold on the reference itself: a suggestion that does not is none."""
    if not entries:
        return []
    result = validate_suite(Suite(name, Path(f"{name}.json"), tuple(entries)), reference, "reference", limits=limits)
    return [entry for entry, outcome in zip(entries, result.outcomes[1:], strict=True) if outcome.passed]


def _holding_on_nights(name: str, entries: Sequence[Entry], nights: Sequence[Night], limits: Limits) -> list[Entry]:
    """The entries that hold on nights that are there too; of several nights, one may be broken."""
    found = [night for night in nights if night.rows and night.paths]
    shown = found[:: max(1, -(-len(found) // _NIGHTS_TRIED))]
    failed = [0] * len(entries)
    for night in shown if entries else []:
        suite = Suite(name, Path(f"{name}.json"), tuple(entries))
        result = validate_suite(suite, night.paths, "night", limits=limits)
        for place, outcome in enumerate(result.outcomes[1:]):
            failed[place] += not outcome.passed
    allowed = 1 if len(shown) > 2 else 0
    return [entry for entry, many in zip(entries, failed, strict=True) if many <= allowed]
