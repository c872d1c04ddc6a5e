"""How facts are worded and numbers written: the same on every page, in every mail and in every message."""

from __future__ import annotations

import math
import unicodedata
from datetime import UTC, datetime

from pipeline.results import (
    ColumnDrift,
    ExpectationOutcome,
    PerformanceResult,
    QualityResult,
)

_LOWER_IS_BETTER = ("loss", "error", "rmse", "mae", "mape", "mse", "brier")
_JOINERS = "\u200c\u200d"  # zero-width, but part of how some scripts are written
_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def quality_words(quality: QualityResult) -> str:
    """How many expectations failed, and how many of them are critical."""
    total, failed, critical = len(quality.outcomes), len(quality.failures), quality.failed("critical")
    expectations = f"{count(total)} {plural(total, 'expectation')}"
    if not failed:
        return f"All {expectations} passed"
    weight = f"{count(critical)} of them critical" if critical else "none of them critical"
    return f"{count(failed)} of {expectations} failed, {weight}"


def failure_words(outcome: ExpectationOutcome) -> str:
    """What was found instead of what a failed expectation demands: `not so in 3.2% of the rows`."""
    if outcome.error is not None:
        return f"could not be evaluated: {clip(outcome.error, 200)}"
    if outcome.unexpected_share:
        return f"not so in {share(outcome.unexpected_share)} of the rows"
    return f"found {clip(outcome.observed, 200)}" if outcome.observed is not None else "not so"


def origin_words(outcome: ExpectationOutcome) -> str:
    """Who asks for an expectation, and what evaluated it: `Built-in check outliers, by DuckDB`."""
    asked = f"Built-in check {outcome.check}" if outcome.check else "From the suite"
    engines = {"duckdb": ", by DuckDB", "pandas": ", by pandas", "metadata": ", from schema and counts"}
    return asked + engines.get(outcome.engine or "", "")


def performance_words(performance: PerformanceResult) -> str:
    """The first metrics against the reference, or why there are none."""
    if performance.status == "measured" and performance.realised:
        metrics = [
            f"{metric_name(name)} {number(value)}"
            + (f" (reference {number(performance.reference[name])})" if name in performance.reference else "")
            for name, value in list(performance.realised.items())[:2]
        ]
        return "Performance: " + ", ".join(metrics)
    return {
        "not_configured": "Performance is not measured: no label column is configured",
        "awaiting_labels": "Performance is not known yet: the labels have not arrived",
    }.get(performance.status, "Performance could not be measured")


def comparison_words(metric: str, realised: float, reference: float) -> str:
    """`better`, `worse` or `equal` to the reference, to the digits shown."""
    if number(realised) == number(reference):
        return "equal"
    lower_is_better = any(part in metric.lower() for part in _LOWER_IS_BETTER)
    return "better" if (realised < reference) == lower_is_better else "worse"


def metric_name(name: str) -> str:
    """A metric as people write it: `roc_auc` as `ROC AUC`, `mean_absolute_error` as `mean absolute error`."""
    upper = ("roc", "auc", "rmse", "mae", "mape", "mse", "r2", "f1")
    return " ".join(part.upper() if part in upper else part for part in clip(name, 40).split("_"))


def score_words(column: ColumnDrift) -> tuple[str, str]:
    """Score and threshold, with enough digits to tell them apart: `0.312`, `0.1`."""
    if column.score is None or column.threshold is None:
        return "no score", "no threshold"
    digits = 3
    while digits < 17 and column.score != column.threshold and _same(column.score, column.threshold, digits):
        digits += 1
    return number(column.score, digits), number(column.threshold, digits)


def strength_words(value: float) -> str:
    """A strength as in `results.strength`: `4.2 times its threshold`."""
    if value >= 1000:
        return "over 1,000 times its threshold"
    return f"{value:.1f} times its threshold" if value < 10 else f"{value:.0f} times its threshold"


def share(value: float) -> str:
    """A fraction as per cent: `50%`, `5.6%`; never rounded to 0% or 100% when it is not."""
    percent = value * 100
    if 0 < percent < 0.05:
        return "<0.1%"
    if 99.95 < percent < 100:
        return ">99.9%"
    return f"{percent:,.0f}%" if abs(percent - round(percent)) < 0.05 else f"{percent:,.1f}%"


def measured(value: float, digits: int = 3) -> str:
    """A metric to so many significant digits, with the zeros that `number` leaves out: `0.780`."""
    if not 1e-4 <= abs(value) < 1000:
        return number(value, digits)
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])
    return f"{value:.{max(digits - 1 - exponent, 0)}f}"


def moment(text: str) -> str:
    """An ISO 8601 moment to the minute in UTC: `2026-01-15 01:12 UTC`; anything else as it is."""
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return clip(text, 40)


def number(value: float, digits: int = 3) -> str:
    """A measured number to so many significant digits: `0.312`, `1,234`, `1.2e-07`."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}".replace("-0", "0")
    if not 1e-4 <= abs(value) < 1e12:
        return f"{value:.{digits - 1}g}"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    text = f"{value:,.{max(decimals, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(value: int) -> str:
    """A count with separators: `12,345`."""
    return f"{value:,}"


def rows_of(value: int) -> str:
    """`1 row`, `3,412 rows`."""
    return f"{count(value)} {plural(value, 'row')}"


def size(value: int) -> str:
    """Bytes for reading, in powers of 1,000: `3.4 MB`."""
    amount, unit = float(value), 0
    while amount >= 999.5 and unit < len(_BYTE_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.{0 if unit == 0 or amount >= 99.5 else 1}f} {_BYTE_UNITS[unit]}"


def plural(value: int, noun: str) -> str:
    """The noun, with an s unless there is exactly one."""
    return noun if value == 1 else f"{noun}s"


def clip(text: str, length: int) -> str:
    """Text from data on one line: control and direction characters made visible, at most `length` characters."""
    visible = "".join(map(_visible, text[: length + 1]))
    return visible if len(visible) <= length else visible[: length - 1] + "\u2026"


def _visible(char: str) -> str:
    hidden = unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and char not in _JOINERS
    return char.encode("unicode_escape").decode() if hidden else char


def _same(one: float, other: float, digits: int) -> bool:
    return number(one, digits) == number(other, digits)
