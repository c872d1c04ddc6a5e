"""A fixed grid for scores, so that those of several nights can be counted together in little space.

Cells are fine where it matters: a fixed relative precision of p and of 1 - p for scores in [0, 1], and of the number
itself elsewhere. `step` 0 has a million cells in every factor of two, so that what shares one is equal but for
rounding; each step more has half as many, and step 14 with 64 a precision of 1.5%. The cells of a step are unions of
cells of the step before, so that counts of different steps can be added up on the coarser one. 0, 0.5 and 1 have cells
of their own. Places are whole numbers in the order of the scores.

The place of a size is its exponent and the first digits of its fraction, as the bits of a float have them (IEEE 754).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.metrics import packing
from pipeline.metrics.ranking import LevelCounts
from pipeline.results.tally import Levels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

COARSEST = 20
_BITS = 52 - COARSEST  # of a fraction, that make no difference at step 0


def places(scores: Floats, step: int) -> Places:
    """The cell of each score; infinite ones are in those of the largest numbers."""
    import numpy as np

    largest = np.finfo(np.float64).max
    scores = np.clip(scores, -largest, largest)
    near_1 = _near_1(scores)
    size = np.where(near_1, 1 - scores, np.abs(scores)).view(np.int64) >> (_BITS + step)
    half, one = _edges(step)
    found: Places = np.where(near_1, 2 * half - size, np.where(scores > 1, 2 * half + 1 + size - one, size))
    return np.where(scores < 0, -size, found)


def scores_at(cells: Places, step: int) -> Floats:
    """The middle of each cell."""
    import numpy as np

    half, one = _edges(step)
    near_1 = (cells > half) & (cells <= 2 * half)
    size = np.where(near_1, 2 * half - cells, np.where(cells > half, cells - 2 * half - 1 + one, np.abs(cells)))
    middle = np.where(size > 0, (2 * size + 1) << (_BITS + step - 1), 0).view(np.float64)
    found = np.where(cells < 0, -middle, np.where(near_1, 1 - _below_1(size, middle, step), middle))
    return np.where(cells == half, 0.5, found)


def half_widths(scores: Floats, step: int) -> Floats:
    """How far the cells whose middles are given reach to either side."""
    import numpy as np

    size = np.where(_near_1(scores), 1 - scores, np.abs(scores))
    cells = size.view(np.int64) >> (_BITS + step)
    return np.where(cells > 0, size - (cells << (_BITS + step)).view(np.float64), 0.0)


def _near_1(scores: Floats) -> NDArray[np.bool_]:
    return (scores > 0.5) & (scores <= 1)


def _edges(step: int) -> tuple[int, int]:
    """The places of the sizes 0.5 and 1."""
    return 1022 << (52 - _BITS - step), 1023 << (52 - _BITS - step)


def _below_1(size: Places, middle: Floats, step: int) -> Floats:
    """Distances from 1 as numbers below 1 have them: next to it there are cells that hold only one."""
    import numpy as np

    unit = 2.0**53
    lower = (np.clip(size, 0, _edges(step)[0]) << (_BITS + step)).view(np.float64)
    nearest = np.floor(np.minimum(middle, 1.0) * unit) / unit
    return np.where(nearest >= lower, nearest, np.ceil(lower * unit) / unit)


def rounded(levels: LevelCounts, step: int) -> LevelCounts:
    """The same rows on the grid; those that are on a coarser one already stay as they are."""
    import numpy as np

    if not len(levels.scores) or (levels.step is not None and levels.step >= step):
        return replace(levels, step=max(step, levels.step or 0))
    cells = places(levels.scores, step)  # ascending, as the scores are
    first = np.flatnonzero(_starts(cells))
    own, others = (np.add.reduceat(part, first, dtype=np.int64) for part in (levels.own, levels.others))
    return LevelCounts(scores_at(cells[first], step), own, others, step)


def _starts(cells: Places) -> NDArray[np.bool_]:
    import numpy as np

    return np.diff(cells, prepend=cells[0] - 1) > 0


def fitted(levels: list[LevelCounts], most: int) -> list[LevelCounts]:
    """The same rows on one grid, the finest on which all of them together have no more than so many levels."""
    low, high = max([0, *(part.step or 0 for part in levels)]), COARSEST
    while low < high:
        middle = (low + high) // 2
        if sum(int(_starts(places(part.scores, middle)).sum()) for part in levels if len(part.scores)) <= most:
            high = middle
        else:
            low = middle + 1
            levels = [rounded(part, low) for part in levels]  # far fewer to look at from here on
    return [rounded(part, low) for part in levels]


def written(levels: list[LevelCounts], most_levels: int, most_letters: int) -> list[Levels]:
    """What is kept of levels: on one grid, the finest one on which they take no more than so much."""
    levels = fitted(levels, most_levels)
    while True:
        found = [_written(part) for part in levels]
        step = max([0, *(part.step for part in found)])
        if sum(len(part.counts) for part in found) <= most_letters or step >= COARSEST:
            return found
        levels = [rounded(part, step + 1) for part in levels]


def _written(levels: LevelCounts) -> Levels:
    import numpy as np

    step = levels.step or 0
    apart = np.diff(places(levels.scores, step), prepend=0)
    return Levels(step=step, counts=packing.packed(apart, levels.own, levels.others))


def read(kept: Levels) -> LevelCounts:
    """The opposite of `written`."""
    import numpy as np

    apart, own, others = packing.unpacked(kept.counts, 3)
    return LevelCounts(scores_at(np.cumsum(apart), kept.step), own, others, kept.step)


def added(parts: list[LevelCounts]) -> LevelCounts:
    """Rows of several together: exact where all of them are, else on the coarsest grid among theirs."""
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    steps = [part.step for part in parts if part.step is not None]
    step = max(steps) if steps else None
    if step is not None:
        parts = [rounded(part, step) for part in parts]
    scores, own, others = (np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS)
    # Scores of one grid are the middles of its cells, and so equal where the cells are.
    different, cell = np.unique(scores, return_inverse=True)
    own, others = (np.bincount(cell, part).astype(np.int64) for part in (own, others))
    return LevelCounts(different, own, others, step)


_ARRAYS = ("scores", "own", "others")
