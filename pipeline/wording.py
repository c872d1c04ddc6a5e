"""How numbers, shares, counts, sizes, moments, lists, names and text from data are written, wherever people read them.

One function for each idea, so that a value reads the same on a page, in a mail, in a report, in a log and in a reason:

    count          how many there are                            3,412 rows
    share          a measured fraction, as per cent              5.6%, 0.033%, 99.96%
    exact_share    a fraction that somebody set, in full         30%, 33.33%
    number         what was measured or computed                 0.312, 12,346
    measured       the same with its zeros, for metrics          0.780
    signed         a change                                      +0.032
    times          how many times something else                 4.2
    once_in        how rare something is, in nights              once in 900 nights
    size, seconds, moment
    value          a value from the data, a limit somebody set   01067, 2024, true
    member         a value among others, so that none is misread 01067, 'a, b', ''
    label, clip    text from data: what is invisible is shown, what is long is cut
    cause          what an error of foreign code says

Rounding hides no difference. A share is 0% or 100% only where it is exactly that. Numbers that are compared with each
other go through `apart`; one that is held against a limit names it as `beside`, and stays on its side of it.
Thousands are separated in what was counted; in what was measured or computed from 10,000 on, so that a mean of years
still reads as a year; and never in a value, which may be a code.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal
from fractions import Fraction
from numbers import Integral, Real
from typing import Literal

from pipeline.plain_text import visible

MAX_LABEL = 60
_CAUSE_LENGTH = 300
_QUOTATION = re.compile(r"""["'`\u2018\u201c]""")
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\w.,:+-]*")
_DIGITS = 3
_MISREAD = ("", "missing", "true", "false")  # as text, beside what is none
_MORE_DIGITS = 20  # two different floats differ within 17 significant digits
_SMALLEST, _LARGEST = Decimal("1e-6"), Decimal("1e15")  # beyond them numbers are written with an exponent
_GROUPED = 10_000
_MANY_TIMES = 1000
_RAREST = 1_000_000  # nights; beyond it nobody counts
_OFTEN = 10  # nights; what is not rarer is told as a fraction of so many at most
_EXACT = Context(prec=400)
_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_PEOPLE = {"brier": "Brier", "matthews": "Matthews"}
_ABBREVIATIONS = ("roc", "auc", "rmse", "mae", "mape", "mse", "r2", "f1")

_Rounding = Callable[[Decimal, int], Decimal]


def count(many: int, noun: str = "", plural: str = "") -> str:
    """A count with separators, and of what: `12,345`, `1 row`, `2 categories` with a `plural` of its own."""
    words = noun if many == 1 else plural or f"{noun}s"
    return f"{many:,} {words}" if noun else f"{many:,}"


def columns_drifted(drifted: int, counted: int, apart: int, none: str = "0") -> str:
    """How many columns drifted of those that have a part in the drift share: `9 of 18 columns drifted`, `0 of 2 other
    columns drifted` beside some that changed as people expect, of which there are `apart`.
    """
    if apart and not counted:
        return "every column changed as expected"
    columns = count(counted, "other column" if apart else "column")
    return f"{count(drifted) if drifted else none} of {columns} drifted"


def share(fraction: float, digits: int = 2, *, beside: Iterable[float] = ()) -> str:
    """A measured fraction as per cent: `50%`, `5.6%`; below 1% and above 99% to so many digits of what is missing.

    `beside`: fractions that it is held against.
    """
    others = [_EXACT.multiply(_decimal(other), Decimal(100)) for other in beside]
    percent, _ = _rounded(_EXACT.multiply(_decimal(fraction), Decimal(100)), digits, others, _to_percent)
    return f"{_plain(percent, grouped=True)}%"


def exact_share(fraction: float) -> str:
    """A fraction that somebody set, with all of its digits: `30%`, `33.33%`, `99.99%`."""
    return f"{_plain(_EXACT.multiply(_decimal(fraction), Decimal(100)), grouped=True)}%"


def share_and_limit(fraction: float, limit: float) -> tuple[str, str]:
    """A fraction and the limit that it is held against: `30.04%`, `30%`."""
    return share(fraction, beside=(limit,)), exact_share(limit)


def number(found: float, digits: int = _DIGITS, *, beside: Iterable[float] = ()) -> str:
    """What was measured or computed, to so many significant digits: `0.312`, `12,346`, `1.23e-7`.

    `beside`: numbers that it is held against.
    """
    if not math.isfinite(found):
        return str(found)
    return _plain(_rounded(_decimal(found), digits, map(_decimal, beside), _to_digits)[0], grouped=True)


def measured(found: float, digits: int = _DIGITS, *, beside: Iterable[float] = ()) -> str:
    """A metric: as `number`, with the zeros that it leaves out, so that figures below each other match: `0.780`."""
    if not math.isfinite(found):
        return str(found)
    rounded, used = _rounded(_decimal(found), digits, map(_decimal, beside), _to_digits)
    if not rounded or not _SMALLEST <= abs(rounded) < _LARGEST:
        return _plain(rounded, grouped=True)
    return _grouped(rounded, max(used - 1 - rounded.adjusted(), 0))


def signed(change: float, digits: int = 2) -> str:
    """A change with its direction: `+0.032`, `-0.0041`, `0`."""
    return f"+{measured(change, digits)}" if change > 0 else measured(change, digits)


def difference(improvement: float) -> str:
    """An improvement in words: `better by 0.032`, `worse by 0.0041`, `no better`."""
    if not improvement:
        return "no better"
    return f"{'better' if improvement > 0 else 'worse'} by {measured(abs(improvement), 2)}"


def times(ratio: float) -> str:
    """How many times something else: `0.3`, `4.2`, `57`, `1,000+`; 1 only where it is exactly that."""
    if ratio >= _MANY_TIMES - 0.5:
        return f"{_MANY_TIMES:,}+"
    rounded, used = _rounded(_decimal(ratio), 1, (Decimal(1),), _to_times)
    return f"{rounded:.{used if rounded < 10 else used - 1}f}"


def once_in(chance: float, *, beside: Iterable[float] = ()) -> str:
    """How often, of nights: `once in 900 nights`, `on 4 of 7 nights`, `less than once in 1,000,000 nights`.

    `chance` is a fraction of nights in [0, 1]; only 1 is `every night`. `beside`: of how many nights each of what it is
    held against is once.
    """
    if chance >= 1:
        return "every night"
    if chance * _RAREST < 1:
        return f"less than once in {count(_RAREST, 'night')}"
    if chance * _OFTEN > 1:
        near = Fraction(chance).limit_denominator(_OFTEN)
        if near == 1:
            return "nearly every night"
        if near.numerator > 1:
            return f"on {count(near.numerator)} of {count(near.denominator, 'night')}"
        return f"once in {count(near.denominator, 'night')}"
    exact = Context(12).plus(1 / _decimal(chance))  # 1 / 365 is once in 365 nights, not in 365.0000000000000003
    nights, _ = _rounded(exact, 2, map(_decimal, beside), _to_significant)
    return f"once in {nights:,f} nights"


def value(found: object, digits: int | None = None, *, beside: Iterable[float] = ()) -> str:
    """A value from the data, or a limit that somebody set: `01067`, `2024`, `0.05`, `true`, `2026-01-14`, `missing`.

    Never with separators. Text stays what it is, with what is invisible shown. Numbers are written in full, or to so
    many significant digits: then `beside` names what they are held against.
    """
    if type(found).__name__ in ("bool", "bool_"):  # Python's and numpy's
        return str(found).lower()
    if not isinstance(found, Real | Decimal | date | time):
        return "missing" if found is None else visible(str(found))
    if found != found:  # noqa: PLR0124 - NaN, and NaT, which is a date
        return "missing"
    if isinstance(found, date | time):
        return found.isoformat()
    if isinstance(found, Integral) or not math.isfinite(found):
        return str(found)
    exact = Decimal(str(found))
    return _plain(exact if digits is None else _rounded(exact, digits, map(_decimal, beside), _to_digits)[0])


def member(found: object) -> str:
    """A value among others, at most 60 characters: text that would be misread is quoted.

    `01067`, `'a, b'`, `''`, `'true'` beside `true`.
    """
    text = value(found)
    if isinstance(found, str):
        text = clip(found, MAX_LABEL)
        if text != text.strip() or "," in text or text in _MISREAD:
            text = f"'{text}'"
    return text


def apart(
    *found: float, digits: int = _DIGITS, write: Callable[[float, int], str] = number, most: int = _MORE_DIGITS
) -> tuple[str, ...]:
    """Numbers that are compared, with as few digits as tell different ones apart, `digits` at least: `0.812`, `0.813`.

    `write` is the function that writes one of them, such as `measured` or `share`.
    """
    different = len(set(found))
    texts = tuple(write(item, digits) for item in found)
    while len(set(texts)) < different and digits < most:
        digits += 1
        texts = tuple(write(item, digits) for item in found)
    return texts


def quantile(part: float) -> str:
    """`median`, `95% quantile`."""
    return "median" if part == 0.5 else f"{exact_share(part)} quantile"


def decided_alone(names: Sequence[str]) -> str:
    """Columns that made a night drifted whatever the others did: `education drifted, which decides alone`."""
    return f"{_some(names)} drifted, {_alone(names)}"


def too_few_rows(rows: int, nights: int, needed: int | None) -> str:
    """What cannot be told, as there are `rows` in so many nights: `too few rows to tell a change from chance: 24`."""
    return f"too few rows to tell a change from chance: {few_rows(rows, nights, needed)}"


def few_rows(rows: int, nights: int, needed: int | None) -> str:
    """How many rows there are, and should be: `24 instead of at least 310`, `168 in 7 nights together`."""
    together = f" in {count(nights, 'night')} together" if nights > 1 else ""
    asked = "" if needed is None else f" instead of at least {count(needed)}"
    return f"{count(rows)}{together}{asked}"


def undecided(names: Sequence[str]) -> str:
    """Columns of which nobody knows: `education, which decides alone, could not be compared`."""
    return f"{_some(names)}, {_alone(names)}, could not be compared"


def _some(names: Sequence[str]) -> str:
    return listed([clip(name, 40) for name in names], 3)


def _alone(names: Sequence[str]) -> str:
    return "which decides alone" if len(names) == 1 else "each of which decides alone"


def listed(items: Sequence[object], most: int = 8) -> str:
    """The first items, and how many more there are: `a, b and 12 more`."""
    more = f" and {count(len(items) - most)} more" if len(items) > most else ""
    return ", ".join(map(str, items[:most])) + more


def metric_name(name: str) -> str:
    """A metric as people write it: `roc_auc` as `ROC AUC`, `mean_absolute_error` as `mean absolute error`."""
    parts = clip(name, 40).split("_")
    return " ".join(part.upper() if part in _ABBREVIATIONS else _PEOPLE.get(part, part) for part in parts)


def size(many: int) -> str:
    """Bytes for reading, in powers of 1,000: `3.4 MB`."""
    amount, unit = float(many), 0
    while amount >= 999.5 and unit < len(_BYTE_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.{0 if unit == 0 or amount >= 99.5 else 1}f} {_BYTE_UNITS[unit]}"


def seconds(duration: float) -> str:
    """A duration, to whole seconds where it is longer than a few: `0.4 s`, `75 s`."""
    return f"{number(duration, 1)} s"


def moment(when: datetime | str, timespec: Literal["minutes", "seconds"] = "minutes") -> str:
    """A moment, or its ISO 8601 text, in UTC: `2026-01-15 01:12 UTC`; other text as it is."""
    try:
        found = datetime.fromisoformat(when) if isinstance(when, str) else when
    except ValueError:
        return clip(str(when), 40)
    return f"{found.astimezone(UTC).replace(tzinfo=None).isoformat(' ', timespec)} UTC"


def label(found: object) -> str:
    """A category as it may be shown: at most 60 characters."""
    return clip(value(found), MAX_LABEL)


def clip(text: str, length: int) -> str:
    """Text from data on one line: control and direction characters made visible, at most `length` characters."""
    shown = visible(text[: length + 1])
    return shown if len(shown) <= length else shown[: length - 1] + "\u2026"


def cause(error: BaseException) -> str:
    """What an error of foreign code says of data, on one line, without the data; its name where nothing is left.

    Libraries quote the value that they stumbled over, and some of them mid-sentence: numbers are left out, and all from
    the first quotation mark on.
    """
    first = next(iter(str(error).strip().splitlines()), "")
    said = _NUMBER.sub("#", _QUOTATION.split(first)[0]).strip(" :,(")
    return clip(said, _CAUSE_LENGTH) or type(error).__name__


def _decimal(found: float) -> Decimal:
    """As it is written, not as it is stored: 0.1 is one tenth."""
    return Decimal(str(found))


def _rounded(exact: Decimal, digits: int, beside: Iterable[Decimal], rounding: _Rounding) -> tuple[Decimal, int]:
    """With as few digits as keep it on its side of every number beside it, `digits` at least; and how many."""
    others = tuple(beside)
    for used in range(digits, digits + _MORE_DIGITS):
        rounded = rounding(exact, used)
        if all(rounded.compare(other) == exact.compare(other) for other in others):
            return rounded, used
    return exact, digits + _MORE_DIGITS


def _to_digits(exact: Decimal, digits: int) -> Decimal:
    """To significant digits, but never coarser than to the unit."""
    if not _SMALLEST <= abs(exact) < _LARGEST:
        return Context(prec=digits).plus(exact)
    return _to_places(exact, digits - 1 - exact.adjusted())


def _to_significant(exact: Decimal, digits: int) -> Decimal:
    return Context(digits).plus(exact)


def _to_percent(percent: Decimal, digits: int) -> Decimal:
    """To one decimal for two digits; to more where it is near 0% or 100%, so as not to become that."""
    near = min(abs(percent), abs(100 - percent))
    if abs(percent) < _SMALLEST:
        return Context(prec=digits).plus(percent)
    return _to_places(percent, digits - 1 + max(-near.adjusted(), 0)) if near else percent


def _to_times(ratio: Decimal, digits: int) -> Decimal:
    return _to_places(ratio, digits if ratio < Decimal("9.95") else digits - 1)


def _to_places(exact: Decimal, places: int) -> Decimal:
    return exact.quantize(Decimal(1).scaleb(-max(places, 0)), context=_EXACT)


def _plain(found: Decimal, *, grouped: bool = False) -> str:
    """Without zeros at the end; with an exponent where it would be long otherwise."""
    if not found:
        return "0"
    if not _SMALLEST <= abs(found) < _LARGEST:
        return f"{found.normalize(_EXACT):e}"
    text = _grouped(found) if grouped else f"{found:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _grouped(found: Decimal, places: int | None = None) -> str:
    comma = "," if abs(found) >= _GROUPED else ""
    return f"{found:{comma}f}" if places is None else f"{found:{comma}.{places}f}"
