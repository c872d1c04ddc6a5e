"""A fixed grid for scores, so that those of several nights can be counted together in little space.

Cells are fine where it matters: a fixed relative precision of p and of 1 - p for scores in [0, 1], and of the number
itself elsewhere. `step` 0 has a million cells in every factor of two, so that what shares one is equal but for
rounding; each step more has half as many, and step 14 with 64 a precision of 1.5%. The cells of a step are unions of
cells of the step before, so that counts of different steps can be added up on the coarser one. 0, 0.5 and 1 have cells
of their own. Places are whole numbers in the order of the scores.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.metrics.ranking import LevelCounts
from pipeline.results.tally import Levels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

COARSEST = 20
_FINEST_CELLS = 2**COARSEST
_OCTAVES = 1000  # as many factors of two below 1 are told apart
_SMALLEST = 2.0 ** -(_OCTAVES - 1)  # what is nearer to 0 counts as 0


def places(scores: Floats, step: int) -> Places:
    """The cell of each score; infinite ones are in those of the largest numbers."""
    import numpy as np

    largest = np.finfo(np.float64).max
    scores = np.clip(scores, -largest, largest)
    half, one = (_size(np.float64(edge), step) for edge in (0.5, 1.0))
    return np.where(
        scores <= 0,
        np.where(scores == 0, 0, -_size(-scores, step)),
        np.where(
            scores <= 0.5,
            _size(scores, step),
            np.where(scores <= 1, 2 * half - _size(1 - scores, step), 2 * half + 1 + _size(scores, step) - one),
        ),
    )


def scores_at(cells: Places, step: int) -> Floats:
    """The middle of each cell."""
    import numpy as np

    half, one = (_size(np.float64(edge), step) for edge in (0.5, 1.0))
    found = np.where(
        cells <= half,
        np.sign(cells) * _middle(np.abs(cells), step),
        np.where(
            cells <= 2 * half,
            1 - _exact(np.clip(2 * half - cells, 0, half), step),
            _middle(cells - 2 * half - 1 + one, step),
        ),
    )
    return np.where(cells == half, 0.5, found)


def half_widths(scores: Floats, step: int) -> Floats:
    """How far the cells whose middles are given reach to either side."""
    import numpy as np

    sizes = np.where((scores > 0.5) & (scores < 1), 1 - scores, np.abs(scores))
    _, octave = np.frexp(sizes)
    return np.where(sizes >= _SMALLEST, np.ldexp(0.25 / (_FINEST_CELLS >> step), octave), 0.0)


def _size(sizes: Floats | np.float64, step: int) -> Places:
    """The place of a number above 0; 0 for all others, and for what is next to 0."""
    import numpy as np

    many = _FINEST_CELLS >> step
    fraction, octave = np.frexp(sizes)
    cell = (octave.astype(np.int64) + _OCTAVES) * many + np.floor((2 * fraction - 1) * many).astype(np.int64)
    return np.where(sizes >= _SMALLEST, cell, 0)


def _middle(cells: Places, step: int, part: float = 0.5) -> Floats:
    """The number that lies so far within each cell; 0 in that of 0."""
    import numpy as np

    many = _FINEST_CELLS >> step
    fraction = 0.5 + (cells % many + part) / (2 * many)
    octave = np.minimum(cells // many - _OCTAVES, 1024).astype(np.int32)
    return np.where(cells > 0, np.ldexp(fraction, octave), 0.0)


def _exact(cells: Places, step: int) -> Floats:
    """The same of distances from 1, as numbers below 1 have them: next to it there are cells that hold only one."""
    import numpy as np

    unit = 2.0**53
    lower, middle = _middle(cells, step, 0.0), np.floor(_middle(cells, step) * unit) / unit
    return np.where(middle >= lower, middle, np.ceil(lower * unit) / unit)


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


def _levels_at(levels: list[LevelCounts], step: int) -> int:
    return sum(int(_starts(places(part.scores, step)).sum()) for part in levels if len(part.scores))


def fitted(levels: list[LevelCounts], most: int) -> list[LevelCounts]:
    """The same rows on one grid, the finest on which all of them together have no more than so many levels."""
    low, high = max([0, *(part.step or 0 for part in levels)]), COARSEST
    while low < high:
        middle = (low + high) // 2
        if _levels_at(levels, middle) <= most:
            high = middle
        else:
            low = middle + 1
            levels = [rounded(part, low) for part in levels]  # far fewer to look at from here on
    return [rounded(part, low) for part in levels]


def written(levels: LevelCounts) -> Levels:
    """Levels that are on the grid, to be kept."""
    import numpy as np

    step = levels.step or 0
    return Levels(
        step=step,
        places=_text(np.diff(places(levels.scores, step), prepend=0)),
        own=_text(levels.own),
        others=_text(levels.others) if levels.others.any() else "",
    )


def read(kept: Levels) -> LevelCounts:
    """The opposite of `written`."""
    import numpy as np

    own = _numbers(kept.own)
    others = _numbers(kept.others) if kept.others else np.zeros_like(own)
    return LevelCounts(scores_at(np.cumsum(_numbers(kept.places)), kept.step), own, others, kept.step)


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


def _text(numbers: Places) -> str:
    return " ".join(map(str, numbers.tolist()))


def _numbers(text: str) -> Places:
    import numpy as np

    return np.array([int(number) for number in text.split()], dtype=np.int64)
