"""From how many rows on a night can be told from chance: nights drawn from the reference, compared as nights are.

The rule: `retrain.min_rows` is the smallest of `SIZES` at which no more than two of 200 such nights are over the drift
limit. The reference is a draw as well: it is drawn anew, from itself, for every ten nights. Columns are compared by the
methods that `auto` picks, on up to 20,000 rows and 30 columns of the reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline.authoring.evidence import Evidence

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from pipeline.checks.scan import Key, Summary
    from pipeline.results import Kind

SIZES = (20, 50, 100, 150, 200, 300, 500, 700, 1_000, 1_500, 2_000, 3_000, 5_000)
DRAWS = 200
LIMIT = 0.30
"""As `drift.limit` is written into a new monitor file."""
_ALLOWED = 2
_NIGHTS_OF_A_REFERENCE = 10
_ROWS = 20_000
_COLUMNS = 30


@dataclass(frozen=True)
class _Column:
    """A column of the reference: its summary, and its values row by row (codes into `keys` where it is a category)."""

    kind: Kind
    summary: Summary
    values: np.ndarray[Any, Any]
    keys: Sequence[str] = ()


def least_rows(evidence: Evidence, kinds: Mapping[str, Kind], limit: float = LIMIT) -> int | None:
    """The smallest size of a night that is over the limit by chance in no more than one of a hundred.

    0 where nothing is compared; None where no size is enough, as p-values of few columns are by chance at any size.
    """
    columns = _columns(evidence, kinds)
    if not columns:
        return 0
    low, high = 0, len(SIZES)
    while low < high:  # the smallest that holds: what holds for a size, holds for larger ones
        middle = (low + high) // 2
        low, high = (low, middle) if _holds(columns, SIZES[middle], limit) else (middle + 1, high)
    return SIZES[low] if low < len(SIZES) else None


def _holds(columns: Sequence[_Column], size: int, limit: float) -> bool:
    import numpy as np

    random = np.random.default_rng(size)
    over = 0
    for share in shares_of_draws(columns, size, DRAWS, random):
        over += share > limit
        if over > _ALLOWED:
            return False
    return True


def shares_of_draws(columns: Sequence[_Column], size: int, draws: int, random: np.random.Generator) -> Iterator[float]:
    """The share of columns that drift, of nights drawn from the reference and held against others drawn from it."""
    for draw in range(draws):
        if draw % _NIGHTS_OF_A_REFERENCE == 0:
            held = _drawn_anew(columns, random)
        yield share_of_a_draw(held, size, random)


def _drawn_anew(columns: Sequence[_Column], random: np.random.Generator) -> list[_Column]:
    """The reference as it could have been: as many rows, drawn from its own."""
    rows = random.integers(0, len(columns[0].values), len(columns[0].values))
    return [replace(column, summary=_summary(column, column.values[rows])) for column in columns]


def share_of_a_draw(columns: Sequence[_Column], size: int, random: np.random.Generator) -> float:
    """The share of columns that drift in a night of so many rows, drawn from the reference."""
    rows = random.integers(0, len(columns[0].values), size)
    verdicts = [verdict for column in columns if (verdict := _drifts(column, rows)) is not None]
    return sum(verdicts) / len(verdicts) if verdicts else 0.0


def _columns(evidence: Evidence, kinds: Mapping[str, Kind]) -> list[_Column]:
    from pipeline.authoring.scores import sample

    names = [name for name in kinds if name in evidence.seen]
    names = names[:: max(1, -(-len(names) // _COLUMNS))]
    if not names or not evidence.rows:
        return []
    frame = sample(evidence, names, _ROWS)
    return [_column(frame[name], kinds[name]) for name in names]


def _column(values: pd.Series, kind: Kind) -> _Column:
    import numpy as np
    import pandas as pd

    if kind == "categorical":
        codes, keys = pd.factorize(values.astype(str).where(values.notna()), use_na_sentinel=True)
        names = list(map(str, keys))
        return _Column(kind, _categories(codes, names), codes, names)
    numbers = pd.to_numeric(values, errors="coerce").to_numpy("float64", na_value=np.nan)
    return _Column(kind, _numbers(numbers), numbers)


def _drifts(column: _Column, rows: np.ndarray[Any, Any]) -> bool | None:
    from pipeline.checks.drift.compare_column import compared

    return compared(column.summary, _summary(column, column.values[rows]), column.kind)


def _summary(column: _Column, values: np.ndarray[Any, Any]) -> Summary:
    return _numbers(values) if column.kind == "numerical" else _categories(values, column.keys)


def _numbers(values: np.ndarray[Any, Any]) -> Summary:
    import numpy as np

    from pipeline.checks.scan import NumericalSummary
    from pipeline.checks.scan.one_column import sort_finite
    from pipeline.checks.scan.summary import Moments, SortedValues

    presence, finite = sort_finite(values.copy(), int(np.isnan(values).sum()))
    return NumericalSummary("", "float", presence, Moments.of(finite), SortedValues(finite))


def _categories(codes: np.ndarray[Any, Any], keys: Sequence[str]) -> Summary:
    import numpy as np

    from pipeline.checks.scan import CategoricalSummary
    from pipeline.checks.scan.summary import Presence

    present = codes[codes >= 0]
    counts = np.bincount(present, minlength=len(keys))
    found: dict[Key, int] = {key: int(many) for key, many in zip(keys, counts, strict=True) if many}
    return CategoricalSummary("", "text", Presence(rows=len(codes), nulls=len(codes) - len(present)), found)
