"""What is counted of rows: everything that metrics are made of. Counts of several nights are added up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipeline.metrics import forecasts, grid, packing, sums
from pipeline.metrics.confusion import Margins
from pipeline.metrics.ranking import LevelCounts
from pipeline.results.metric_kinds import Task
from pipeline.results.tally import Sums, Tally

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

MOST_LEVELS = 20_000  # of all classes together, in a tally
_MOST_LETTERS = 45_000
_MOST_RESIDUALS = 1000
_ALL_SCORED = ("roc_auc", "average_precision", "log_loss", "brier_score", "calibration_error")
_OTHER_SCALE = (
    "the scores are of another kind on some nights than on others (probabilities or not, of one class or of several), "
    "so nothing that is made of scores is measured over all of them"
)


@dataclass(frozen=True)
class Cells:
    """Pairs of label and prediction that came, and how many `rows` have each.

    Both are positions of classes; what is none of them has the position after the last one, and a prediction that is
    none of them and differs from the label too has one more.
    """

    truth: Integers
    said: Integers
    rows: Integers


@dataclass(frozen=True)
class Counts:
    """Counts of rows with a label. See `Tally`, which is how they are kept; scores are exact here until then.

    `known` is how many classes there are. `levels` are by position of a class.
    """

    task: Task
    rows: int
    known: int = 0
    positive: int | None = None
    cells: Cells | None = None
    event: int | None = None
    levels: Mapping[int, LevelCounts] = field(default_factory=dict)
    confidence: LevelCounts | None = None
    probable: bool | None = None
    together: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    losses: Mapping[str, Sums] = field(default_factory=dict)
    moments: Mapping[str, float] = field(default_factory=dict)
    residuals: LevelCounts | None = None
    quantile: float | None = None
    lost: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    @property
    def sure(self) -> LevelCounts | None:
        """How probable what was said was held, and whether it came true; None where scores are no probabilities."""
        if not self.probable:
            return None
        return self.confidence if self.event is None else self.levels.get(self.event)

    def margins(self) -> Margins | None:
        """Rows by class, then what is none of the classes, then predictions that are none and differ from a label which
        is none too; None where no row has a label and a prediction.
        """
        import numpy as np

        if self.cells is None:
            return None
        cells, many = self.cells, self.known + 2
        rows = cells.rows.astype(np.float64)
        same = cells.truth == cells.said
        return Margins(
            *(
                np.bincount(place, weights, minlength=many).astype(np.float64)
                for place, weights in (
                    (cells.truth[same], rows[same]),
                    (cells.truth, rows),
                    (cells.said, rows),
                )
            )
        )

    def packed(self) -> Tally:
        """What is kept: scores on the finest grid on which all of them take no more than 45 kB.

        Altogether below 60 kB for up to 50 classes, and for as many rows as there are. ROC AUC of the rounded scores
        differs from the exact one by no more than `ranking.roc_auc_bound` of their levels, which is half of the pairs
        within a level; everything that is not made of ranks or groups of scores stays exact.
        """
        names = list(self.levels)
        scored = [*self.levels.values(), *([] if self.confidence is None else [self.confidence])]
        on_grid = grid.written(scored, MOST_LEVELS, _MOST_LETTERS)
        residuals = [] if self.residuals is None else grid.written([self.residuals], _MOST_RESIDUALS, _MOST_LETTERS)
        return Tally(
            task=self.task,
            rows=self.rows,
            known=self.known,
            positive=self.positive,
            cells="" if self.cells is None else packing.packed(self.cells.truth, self.cells.said, self.cells.rows),
            event=self.event,
            levels=dict(zip(names, on_grid, strict=False)),
            confidence=None if self.confidence is None else on_grid[-1],
            probable=self.probable,
            together=dict(self.together),
            losses=dict(self.losses),
            moments=dict(self.moments),
            residuals=residuals[0] if residuals else None,
            quantile=self.quantile,
            lost=tuple(sorted(self.lost)),
            notes=self.notes,
        )


def unpacked(tally: Tally) -> Counts:
    """Counts of a tally that was kept."""
    return Counts(
        task=tally.task,
        rows=tally.rows,
        known=tally.known,
        positive=tally.positive,
        cells=Cells(*packing.unpacked(tally.cells, 3)) if tally.cells else None,
        event=tally.event,
        levels={place: grid.read(part) for place, part in tally.levels.items()},
        confidence=None if tally.confidence is None else grid.read(tally.confidence),
        probable=tally.probable,
        together=tally.together,
        losses=tally.losses,
        moments=tally.moments,
        residuals=None if tally.residuals is None else grid.read(tally.residuals),
        quantile=tally.quantile,
        lost=frozenset(tally.lost),
        notes=tally.notes,
    )


def is_readable(tally: Tally) -> bool:
    """Whether a tally that was kept is whole."""
    try:
        unpacked(tally)
    except (ValueError, IndexError, OverflowError):
        return False
    return True


def merged(*parts: Counts) -> Counts:
    """Counts of the rows of all parts together, such as of several nights, in any order.

    A metric that the rows of one part did not allow (`lost`) is not measured of all of them. Where scores are
    probabilities in one part and not in another, nothing is measured that is made of scores, as the ranks of both do
    not compare.

    Raises:
        ValueError: there are no parts, or they are not about the same task and classes.
    """
    if len({(part.task, part.known, part.positive) for part in parts}) != 1:
        raise ValueError("only counts of the same task and the same classes can be added up")
    if len(parts) == 1:
        return parts[0]
    first, lost = parts[0], frozenset[str]().union(*(part.lost for part in parts))
    notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
    scored = [part for part in parts if part.probable is not None]
    if len({(part.probable, part.event) for part in scored}) > 1:
        lost, notes, scored = lost | set(_ALL_SCORED), (*notes, _OTHER_SCALE), []
    quantiles = {part.quantile for part in parts if part.losses}
    if len(quantiles) > 1:
        lost |= {"quantile_loss"}
    found = replace(
        first,
        rows=sum(part.rows for part in parts),
        cells=_added_cells([part.cells for part in parts if part.cells is not None]),
        event=scored[0].event if scored else None,
        levels=_added_levels(scored),
        confidence=_added([part.confidence for part in scored if part.confidence is not None]),
        probable=scored[0].probable if scored else None,
        together=_added_together(scored),
        moments=forecasts.added([part.moments for part in parts if part.moments] or [{}]),
        residuals=_added([part.residuals for part in parts if part.residuals is not None]),
        quantile=quantiles.pop() if len(quantiles) == 1 else None,
        notes=notes,
    )
    losses, gone = _added_losses(parts, lost)
    return replace(found, losses=losses, lost=gone)


def _added_losses(parts: tuple[Counts, ...], lost: frozenset[str]) -> tuple[dict[str, Sums], frozenset[str]]:
    names = dict.fromkeys(name for part in parts for name in part.losses if name not in lost)
    found = {name: sums.added([part.losses[name] for part in parts if name in part.losses]) for name in names}
    present = {name: total for name, total in found.items() if total is not None}
    return present, lost | (set(found) - set(present))


def _added_together(parts: list[Counts]) -> dict[str, tuple[int, float]]:
    """Rows and their mean, of the parts that know it."""
    found = {}
    for name in dict.fromkeys(name for part in parts for name in part.together):
        rows, means = zip(*sorted(part.together[name] for part in parts if name in part.together), strict=True)
        found[name] = (sum(rows), sums.mean_of(means, rows))
    return found


def _added_levels(parts: list[Counts]) -> dict[int, LevelCounts]:
    places = sorted({place for part in parts for place in part.levels})
    return {place: grid.added([part.levels[place] for part in parts if place in part.levels]) for place in places}


def _added(parts: list[LevelCounts]) -> LevelCounts | None:
    return grid.added(parts) if parts else None


def _added_cells(parts: list[Cells]) -> Cells | None:
    import numpy as np

    if not parts:
        return None
    truth, said, rows = (np.concatenate([getattr(part, name) for part in parts]) for name in ("truth", "said", "rows"))
    wide = int(said.max()) + 1
    pairs, place = np.unique(truth * wide + said, return_inverse=True)
    return Cells(pairs // wide, pairs % wide, np.bincount(place, rows).astype(np.int64))
