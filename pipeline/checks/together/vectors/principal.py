"""Both sides of a column of lists held against the principal components of the reference, in its means and deviations.

The components are fitted on every other row of the reference and held against the others, as in `together/plane.py`.
Unlike there a column is one thing: that its mean moves is a change, and nothing else would see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.checks.scan import FloatArray
from pipeline.checks.together.vectors.moments import Side

_KEPT = 0.65
"""The part of the variance that the components hold at least, as in `together/plane.py`."""
_SEEN = 20
"""Components that a classifier sees."""
_ROWS_A_DIRECTION = 20
"""Rows of the fit that each direction takes in which means are held against each other."""
_HARDLY = 1e-6
_NOTHING = 1e-3
_DECIMALS = 4
"""What a classifier sees, in deviations of a place: the rounding of single floats is not told from that of doubles."""
_BLOCK = 1_024
_FEWEST_DRAWN = 100


class Moved(NamedTuple):
    """How far the mean moved: `distance` in deviations of a list (Mahalanobis 1936), less what chance makes of it.
    `squared` is its mean square over `directions`, and `noise` what chance makes of that on average.
    """

    directions: int
    distance: float
    squared: float
    noise: float


class Outside(NamedTuple):
    """How much lies outside of the components, as a part of the reference's variance; `gap` is the change in deviations
    of a list, and `noise` the mean square that chance makes of it.
    """

    components: int
    before: float
    now: float
    gap: float
    noise: float


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Both sides beside each other; `seen`: what a classifier is given of drawn lists of each, shape (n, p)."""

    moved: Moved
    outside: Outside | None
    seen: tuple[FloatArray, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class _Components:
    """The fit: its mean, shape (d,), directions in columns, shape (d, d), the widest first, and how many are kept."""

    mean: FloatArray
    sizes: FloatArray
    ways: FloatArray
    kept: int

    def along(self, middle: FloatArray) -> FloatArray:
        """Mean squares along each direction, shape (d,), of mean products, shape (d, d)."""
        return np.asarray(((middle @ self.ways) * self.ways).sum(axis=0))


def hold(reference: Side, production: Side) -> Held:
    """Both sides beside each other.

    Args:
        reference: its halves are every other row; drawn are lists of the second, which the fit has not seen.
        production: of tonight.
    """
    fitted = _fit(reference)
    moved = _moved(fitted, reference, production)
    if min(len(reference.drawn), len(production.drawn)) < _FEWEST_DRAWN:  # hardly any row has a list
        return Held(moved, None, (np.empty((0, 0)), np.empty((0, 0))))
    before, after = _squares(fitted, reference.drawn), _squares(fitted, production.drawn)
    return Held(moved, _outside(fitted, reference, production, before, after), (before.seen, after.seen))


def _fit(reference: Side) -> _Components:
    half = reference.halves[0]
    sizes, ways = np.linalg.eigh(half.around(half.mean))
    sizes, ways = np.maximum(sizes[::-1], 0.0), ways[:, ::-1]
    kept = int(np.searchsorted(np.cumsum(sizes), _KEPT * sizes.sum())) + 1
    return _Components(half.mean, sizes, ways, min(kept, len(sizes) - 1))


def _moved(fitted: _Components, reference: Side, production: Side) -> Moved:
    """In the directions that the fit has enough rows for. Each is measured by the half that the fit has not seen, so
    that the sum is that of a chi-square however many there are.
    """
    before, held, now = reference.moments, reference.halves[1], production.moments
    wide = int((fitted.sizes > _HARDLY * fitted.sizes.sum()).sum())
    many = max(1, min(wide, reference.halves[0].rows // _ROWS_A_DIRECTION))
    usual, tonight = (fitted.along(side.around(side.mean))[:many] for side in (held, now))
    usual = np.maximum(usual, _HARDLY * fitted.sizes[0])
    chance = usual / before.rows + np.maximum(usual, tonight) / now.rows  # of few rows it may well look smaller
    gaps = ((now.mean - before.mean) @ fitted.ways[:, :many]) ** 2
    noise = 1 / before.rows + 1 / now.rows
    beyond = float((gaps / usual).sum() - (chance / usual).sum())
    return Moved(many, max(0.0, beyond) ** 0.5, float((gaps / chance).mean()) * noise, noise)


class _Squares(NamedTuple):
    """Of drawn lists: how much of each lies outside, shape (n,), and what a classifier is given."""

    outside: FloatArray
    seen: FloatArray


def _squares(fitted: _Components, drawn: npt.NDArray[np.float32]) -> _Squares:
    """A block of lists at a time."""
    parts = [_of_block(fitted, drawn[first : first + _BLOCK] - fitted.mean) for first in range(0, len(drawn), _BLOCK)]
    return _Squares(np.concatenate([part.outside for part in parts]), np.vstack([part.seen for part in parts]))


def _of_block(fitted: _Components, rows: FloatArray) -> _Squares:
    leading = rows @ fitted.ways[:, : max(fitted.kept, _SEEN)]
    kept = leading[:, : fitted.kept]
    outside = np.maximum((rows**2).sum(axis=1) - (kept**2).sum(axis=1), 0.0)
    inside = (kept**2 / np.maximum(fitted.sizes[: fitted.kept], 1e-12)).sum(axis=1)
    seen = np.column_stack([leading[:, :_SEEN], outside, inside])
    return _Squares(outside, np.round(seen, _DECIMALS))


def _outside(
    fitted: _Components, reference: Side, production: Side, before: _Squares, after: _Squares
) -> Outside | None:
    held, now = reference.halves[1], production.moments
    whole = float(np.trace(held.around(fitted.mean)))
    was, tonight = (float(fitted.along(side.around(fitted.mean))[fitted.kept :].sum()) for side in (held, now))
    spread = float(before.outside.var())
    spread_now = max(spread, float(after.outside.var()))
    variance = (held.rows * spread + now.rows * spread_now) / (held.rows + now.rows)
    if not whole > 0:
        return None
    variance = max(variance, (_NOTHING * whole) ** 2)  # of lists that lie within the components all is rounding
    noise = (spread / held.rows + spread_now / now.rows) / variance
    return Outside(fitted.kept, was / whole, tonight / whole, (tonight - was) / variance**0.5, noise)
