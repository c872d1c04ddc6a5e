"""How many rows are expected to have which label: enough for every metric, of expected labels as of drawn ones.

Expected counts are sums of probabilities. Where a metric multiplies two counts, their expectation is not the product of
the sums: a row never meets itself, and `own_twice` takes that out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.labels.classes import MISSING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.checks.performance.estimated.expected import Floats
    from pipeline.checks.performance.estimated.scored import Scored, Seen

    Places = NDArray[np.int64]


@dataclass(frozen=True)
class Ranked:
    """Rows by score, ascending: those of the class, all others, and the sum of p (1 - p) of each part."""

    own: Floats
    others: Floats
    own_twice: Floats

    def __add__(self, other: Ranked) -> Ranked:
        return Ranked(self.own + other.own, self.others + other.others, self.own_twice + other.own_twice)

    @property
    def roc_auc(self) -> float:
        """The probability that a row of the class has a higher score than another row, ties counting half."""
        import numpy as np

        pairs = self.own @ (np.cumsum(self.others) - self.others / 2) - self.own_twice.sum() / 2
        every = self.own.sum() * self.others.sum() - self.own_twice.sum()
        return float(pairs / every) if every > 1e-9 else np.nan

    @property
    def average_precision(self) -> float:
        """The mean precision over the rows of the class, each at its own score as threshold."""
        import numpy as np

        own, rows = self.own[::-1], (self.own + self.others)[::-1]
        above = np.cumsum(rows)
        hits = own * np.cumsum(own) + self.own_twice[::-1]
        found = np.divide(hits, above, out=np.zeros(len(own)), where=above > 0).sum()
        return float(found / own.sum()) if own.sum() > 1e-9 else np.nan


@dataclass(frozen=True)
class Counts:
    """`confusion` has a line for each class of the label and a column for each prediction, the last one for others.

    `ranked` is by column of scores; `losses` are sums over `rows`.
    """

    confusion: Floats
    ranked: tuple[Ranked, ...]
    losses: dict[str, float]
    rows: int

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.confusion + other.confusion,
            tuple(mine + theirs for mine, theirs in zip(self.ranked, other.ranked, strict=True)),
            {name: value + other.losses[name] for name, value in self.losses.items()},
            self.rows + other.rows,
        )

    @property
    def predicted(self) -> int:
        """Rows that have a prediction."""
        return round(float(self.confusion.sum()))


def counted(scored: Scored, truth: Floats, places: Places, parts: list[int], seen: Seen) -> Counts:
    """Of rows whose labels are probabilities, or 0 and 1.

    Args:
        scored: scores and predictions.
        truth: a line for each row, a column for each class.
        places: in which part of the cuts each score is.
        parts: of each column of scores.
        seen: which classes there are.
    """
    import numpy as np

    many, confusion = seen.many, np.zeros((seen.many, seen.many + 1))
    if scored.said is not None:
        there = scored.said != MISSING
        for place in range(many):
            confusion[place] = np.bincount(scored.said[there], truth[there, place], many + 1)
    ranked = []
    for column, length in enumerate(parts):
        own = truth[:, 1 if len(parts) == 1 else column]
        at = places[:, column]
        sums = [np.bincount(at, part, length).astype(np.float64) for part in (own, 1 - own, own * (1 - own))]
        ranked.append(Ranked(*sums))
    return Counts(confusion, tuple(ranked), _losses(scored.scores, truth), len(scored))


def metrics(counts: Counts, seen: Seen) -> dict[str, float]:
    """Every metric that can be told, by its name in `METRICS`; scikit-learn's definitions, `zero_division=0`.

    Without a positive class precision, recall and F1 are the mean over the classes that have rows, ROC AUC and average
    precision that over all classes, each against the rest.
    """
    import numpy as np

    found = _ranking(counts, seen)
    if counts.confusion.sum() > 0:
        found |= _hits(counts.confusion, seen)
    if seen.is_whole and counts.rows:
        found |= {name: total / counts.rows for name, total in counts.losses.items()}
    return {name: float(value) for name, value in found.items() if np.isfinite(value)}


def _ranking(counts: Counts, seen: Seen) -> dict[str, float]:
    import numpy as np

    of_one = len(counts.ranked) > 1 and seen.positive is not None
    chosen = [counts.ranked[seen.positive or 0]] if of_one else counts.ranked
    areas = [ranked.roc_auc for ranked in chosen]
    known = [area for area in areas if np.isfinite(area)]
    precisions = [value for value in (ranked.average_precision for ranked in chosen) if np.isfinite(value)]
    found = {"roc_auc": float(np.mean(known))} if known else {}
    return found | ({"average_precision": float(np.mean(precisions))} if precisions else {})


def _hits(confusion: Floats, seen: Seen) -> dict[str, float]:
    import numpy as np

    many = seen.many
    truth, said, hits = confusion.sum(axis=1), confusion.sum(axis=0)[:many], np.diag(confusion)
    precision, recall, f1 = _divide(hits, said), _divide(hits, truth), _divide(2 * hits, truth + said)
    rates = {"precision": precision, "recall": recall, "f1": f1}
    labelled, present = truth > 1e-9, (truth > 1e-9) | (said > 0)
    found = {
        name: rate[labelled].mean() if seen.positive is None else rate[seen.positive] for name, rate in rates.items()
    }
    if not seen.is_whole:
        return found
    found |= {f"{name}_macro": rate[present].mean() for name, rate in rates.items()}
    found |= {f"{name}_weighted": rate @ truth / truth.sum() for name, rate in rates.items()}
    return found | {
        "accuracy": hits.sum() / truth.sum(),
        "balanced_accuracy": recall[labelled].mean(),
        "matthews_correlation": _matthews(hits, truth, confusion.sum(axis=0)),
    }


def _matthews(hits: Floats, truth: Floats, said: Floats) -> float:
    """The correlation of labels and predictions (Matthews 1975, Gorodkin 2004)."""
    import numpy as np

    total = truth.sum()
    together = hits.sum() * total - truth @ said[: len(truth)]
    spread = [1 - ((part / total) ** 2).sum() for part in (truth, said)]
    return float(together / total**2 / np.sqrt(spread[0] * spread[1])) if min(spread) > 1e-12 else 0.0


def _divide(above: Floats, below: Floats) -> Floats:
    import numpy as np

    return np.divide(above, below, out=np.zeros(len(above)), where=below > 1e-9)


def _losses(scores: Floats, truth: Floats) -> dict[str, float]:
    """Sums of the log loss and of the Brier score: of two classes that of the second, of more the sum over all."""
    import numpy as np

    smallest = np.finfo(np.float64).eps
    given = np.column_stack([1 - scores[:, 0], scores[:, 0]]) if scores.shape[1] == 1 else scores
    log_loss = -(truth * np.log(np.clip(given, smallest, 1 - smallest))).sum()
    squared = (truth * (1 - given) ** 2 + (1 - truth) * given**2).sum()
    return {"log_loss": float(log_loss), "brier_score": float(squared / (2 if scores.shape[1] == 1 else 1))}
