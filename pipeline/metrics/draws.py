"""Metrics of one model's answers on weighted rows. Weights are what a bootstrap varies: a row drawn twice counts 2.

All draws are computed at once: `weights` has a row per draw and a column per row of data, and every metric comes back
with a value per draw, NaN where the draw does not allow one. What does not depend on the weights is prepared before.
The formulas are those of a night's counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.metrics import confusion, forecasts, probabilities, ranking

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]
    Labels = NDArray[Any]


@dataclass(frozen=True)
class Answers:
    """What a model says of some rows.

    `predictions` are classes or numbers. `probabilities` has a column per class of `classes`, or is None where the
    model gives none. All are in the order of the rows.
    """

    predictions: Labels
    classes: tuple[Any, ...] = ()
    probabilities: Floats | None = None


class Measured(Protocol):
    """Answers compared with the truth, ready to be weighted."""

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics that there are."""
        ...

    def metrics(self, weights: Floats, names: Iterable[str] | None = None) -> dict[str, Floats]:
        """Metrics by name, in every draw: those asked for, of those that there are."""
        ...


class Regression:
    """The metrics of forecasts. Of the two percentage errors the symmetric one where a truth is 0."""

    def __init__(self, truth: Floats, answers: Answers, quantile: float | None = None) -> None:
        import numpy as np

        truth = np.asarray(truth, dtype=np.float64)
        self._losses = forecasts.losses(truth, np.asarray(answers.predictions, dtype=np.float64), quantile)
        del self._losses[forecasts.SYMMETRIC if truth.all() else forecasts.PERCENTAGE]
        with np.errstate(over="ignore", invalid="ignore"):
            self._truth = truth - truth.mean()  # around zero, so that the sum of squares below loses no digits

    @property
    def names(self) -> tuple[str, ...]:
        """See `Measured`."""
        return tuple(name for name in forecasts.NAMES if name in self._losses or name not in forecasts.MEANS)

    def metrics(self, weights: Floats, names: Iterable[str] | None = None) -> dict[str, Floats]:
        """See `Measured`."""
        import numpy as np

        total = weights.sum(axis=1)
        found: dict[str, Floats] = {}
        with np.errstate(over="ignore", invalid="ignore"):  # what is out of all range has no value
            for name in self.names if names is None else names:
                if name in self._losses:
                    found[name] = weights @ self._losses[name] / total
                elif name == "root_mean_squared_error":
                    found[name] = np.sqrt(weights @ self._losses[forecasts.SQUARED] / total)
                elif name == "r2":
                    found[name] = self._r2(weights, total)
        return found

    def _r2(self, weights: Floats, total: Floats) -> Floats:
        import numpy as np

        squared = weights @ self._losses[forecasts.SQUARED] / total
        spread = weights @ self._truth**2 / total - (weights @ self._truth / total) ** 2
        left: Floats = np.divide(squared, spread, out=np.full_like(squared, np.nan), where=spread > 0)
        return 1 - left


class Classification:
    """The metrics of predictions, and with probabilities of these.

    The positive class is the given one, else the second of two. Probabilities of two classes are judged as that of the
    positive one; how sure a model of several was is its highest one.
    """

    def __init__(self, truth: Labels, answers: Answers, classes: Sequence[Any], positive: Any = None) -> None:
        import numpy as np

        self._classes = list(classes)
        codes = {name: position for position, name in enumerate(self._classes)}
        self._positive = codes.get(positive, 1 if len(codes) == 2 else None)
        self._truth = np.array([codes[name] for name in truth], dtype=np.int64)
        # An answer that is no class of these rows is wrong, whatever it is.
        said = np.array([codes.get(name, len(codes)) for name in answers.predictions], dtype=np.int64)
        many, right = len(codes) + 1, np.flatnonzero(self._truth == said)
        self._margins = (
            _Groups(self._truth[right], many, right),
            _Groups(self._truth, many),
            _Groups(said, many),
        )
        self._probabilities = None if answers.probabilities is None else _aligned(answers, self._classes)

    @property
    def names(self) -> tuple[str, ...]:
        """See `Measured`."""
        return confusion.NAMES if self._probabilities is None else (*ranking.NAMES, *confusion.NAMES, *self._losses)

    @cached_property
    def _ranked(self) -> list[_Ranked]:
        import numpy as np

        assert self._probabilities is not None  # noqa: S101  (asked for by the caller only then)
        # A class that no row has cannot be ranked; without any to rank, every draw is NaN.
        watched = [*np.unique(self._truth)] if self._positive is None else [self._positive]
        return [_Ranked(self._probabilities[:, code], self._truth == code) for code in watched]

    @cached_property
    def _losses(self) -> dict[str, Floats]:
        """What each row loses, and in how far its group said too much."""
        import numpy as np

        given, truth, rows = self._probabilities, self._truth, np.arange(len(self._truth))
        assert given is not None  # noqa: S101  (asked for by the caller only then)
        own = given[rows, truth]
        if len(self._classes) == 2 and self._positive is not None:
            sure, came = given[:, self._positive], truth == self._positive
            brier = probabilities.brier_scores(sure, came)
        else:
            sure, came = given.max(axis=1), truth == given.argmax(axis=1)
            brier = probabilities.brier_scores_of_several(given, own)
        excess = np.zeros((len(truth), probabilities.GROUPS))
        ranks = np.empty(len(truth), dtype=np.int64)
        ranks[np.argsort(sure, kind="stable")] = rows
        excess[rows, ranks * probabilities.GROUPS // max(len(truth), 1)] = sure - came
        return {"log_loss": probabilities.log_losses(own), "brier_score": brier, "calibration_error": excess}

    def metrics(self, weights: Floats, names: Iterable[str] | None = None) -> dict[str, Floats]:
        """See `Measured`."""
        wanted = self.names if names is None else [name for name in self.names if name in set(names)]
        total = weights.sum(axis=1)
        found: dict[str, Floats] = {}
        if any(name in confusion.NAMES for name in wanted):
            margins = confusion.Margins(*(group.rows(weights) for group in self._margins))
            found |= {n: confusion.value(n, margins, self._positive) for n in wanted if n in confusion.NAMES}
        for name in wanted:
            if name == "calibration_error":
                found[name] = probabilities.calibration_error(weights @ self._losses[name], total)
            elif name in ("log_loss", "brier_score"):
                found[name] = weights @ self._losses[name] / total
        return found | self._ranks(weights, [name for name in wanted if name in ranking.NAMES])

    def _ranks(self, weights: Floats, names: Sequence[str]) -> dict[str, Floats]:
        import numpy as np

        formulas = {"roc_auc": ranking.roc_auc, "average_precision": ranking.average_precision}
        values: dict[str, list[Floats]] = {name: [] for name in names}
        for ranked in self._ranked if names else []:
            own, others = ranked.rows(weights)
            for name in names:
                values[name].append(formulas[name](own, others))
        return {name: np.mean(of_classes, axis=0) for name, of_classes in values.items()}


class _Groups:
    """Rows by a code from 0 to `many` - 1; `chosen` are the rows that the codes are of, all by default."""

    def __init__(self, codes: Codes, many: int, chosen: Codes | None = None) -> None:
        import numpy as np

        order = np.argsort(codes, kind="stable")
        self._many = many
        self._order = order if chosen is None else chosen[order]
        self._there, self._first = np.unique(codes[order], return_index=True)

    def rows(self, weights: Floats) -> Floats:
        """The weight of the rows of each code, by draw."""
        import numpy as np

        found = np.zeros((len(weights), self._many))
        if len(self._first):
            found[:, self._there] = np.add.reduceat(weights[:, self._order], self._first, axis=1)
        return found


class _Ranked:
    """Rows sorted by one class's probability once; rows of equal probability form a level."""

    def __init__(self, scores: Floats, is_own: NDArray[np.bool_]) -> None:
        import numpy as np

        self._order = np.argsort(scores, kind="stable")
        in_order = scores[self._order]
        self._first = np.flatnonzero(np.concatenate([[True], in_order[1:] != in_order[:-1]]))
        self._own = is_own[self._order].astype(np.float64)

    def rows(self, weights: Floats) -> tuple[Floats, Floats]:
        """The weight of the rows of the class, and of the others, at each level, by draw."""
        import numpy as np

        in_order = weights[:, self._order]
        own = np.add.reduceat(in_order * self._own, self._first, axis=1)
        return own, np.add.reduceat(in_order * (1 - self._own), self._first, axis=1)


def _aligned(answers: Answers, classes: Sequence[Any]) -> Floats:
    """Probabilities with a column for each of `classes`; a class the model does not know has probability 0."""
    import numpy as np

    assert answers.probabilities is not None  # noqa: S101  (asked for by the caller only then)
    known = {name: position for position, name in enumerate(answers.classes)}
    columns = np.zeros((len(answers.probabilities), len(classes)))
    for position, name in enumerate(classes):
        if name in known:
            columns[:, position] = answers.probabilities[:, known[name]]
    return columns
