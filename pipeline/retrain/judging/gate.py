"""Champion against challenger on the same held-out rows: what is better, what is noise, and whether to promote.

Differences are resampled in pairs: each of the bootstrap's draws takes the same rows for both models, so that rows that
are hard for both do not count as noise between them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pipeline.config.retrain_policy import RetrainPolicy
from pipeline.metrics import confusion
from pipeline.metrics.draws import Answers, Classification, Measured, Regression
from pipeline.results import METRICS, Against, Evaluation, GateCheck, MetricComparison, SegmentComparison, Task
from pipeline.wording import apart, count, difference, exact_share, measured, metric_name, signed, value

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_DRAWS = 1000
_CELLS_AT_ONCE = 2_000_000  # 16 MB of weights
_SEED = 7
_PERCENTILES = (2.5, 97.5)
_FEWEST_SEGMENT_ROWS = 50
_MOST_SEGMENTS = 20
# Beside the metrics of the positive class they say little; a policy that names one gets it.
_ONLY_WHERE_NAMED = frozenset(name for name in confusion.NAMES if name.endswith(("_macro", "_weighted")))
_MAIN = {"regression": ("root_mean_squared_error",), "classification": ("roc_auc", "accuracy")}


@dataclass(frozen=True)
class Judged:
    """The held-out rows: the truth, both models' answers, and the columns that segments are made of.

    `champion` is None when nobody can stand for it. `against` says who does, as in `Evaluation`. `must_beat`: the
    registry has a champion, so that the challenger has to be better than whoever stands for it. `classes` are those of
    the training set, by default those of these rows; `positive` is the one that is judged, by default the second of
    two. `quantile`: forecasts are that quantile of the label, and not its mean.
    """

    task: Task
    truth: NDArray[Any]
    challenger: Answers
    champion: Answers | None
    against: Against
    must_beat: bool
    segments: pd.DataFrame
    classes: Sequence[Any] = ()
    positive: Any = None
    quantile: float | None = None


def evaluate(judged: Judged, policy: RetrainPolicy) -> Evaluation:
    """Every metric with its interval, every segment, and the conditions of the gate."""
    import numpy as np

    rows = np.arange(len(judged.truth))
    metrics = _compare(judged, rows, _shown(policy))
    main = _main_metric(policy, metrics, judged)
    if all(item.name != main for item in metrics):  # such as ROC AUC of a model without probabilities
        metrics = (*metrics, MetricComparison(name=main, better=METRICS[main].better, challenger=None))
    segments = tuple(_segments(judged, main, policy)) if judged.champion is not None else ()
    compared = next(item for item in metrics if item.name == main)
    checks = [*_floors(metrics, policy), _constant(judged, metrics)]
    if judged.must_beat:
        checks = [_main_check(compared, policy), _segment_check(segments, compared, policy), *checks]
    return Evaluation(
        task=judged.task,
        main_metric=main,
        against=judged.against,
        metrics=metrics,
        segments=segments,
        checks=tuple(checks),
    )


def _measured(judged: Judged, answers: Answers, rows: NDArray[np.int64]) -> Measured:
    truth = judged.truth[rows]
    part = Answers(
        answers.predictions[rows],
        answers.classes,
        None if answers.probabilities is None else answers.probabilities[rows],
    )
    if judged.task == "regression":
        return Regression(truth, part, judged.quantile)
    return Classification(truth, part, judged.classes or sorted(set(judged.truth.tolist())), judged.positive)


def _shown(policy: RetrainPolicy) -> list[str]:
    """Every metric, without those means over classes that nobody asks for."""
    named = {policy.main_metric, *policy.floors}
    return [name for name in METRICS if name not in _ONLY_WHERE_NAMED or name in named]


def _compare(judged: Judged, rows: NDArray[np.int64], wanted: Sequence[str]) -> tuple[MetricComparison, ...]:
    """Both models on some rows, for the metrics that are wanted, as far as the challenger has them."""
    import numpy as np

    models = [judged.challenger] if judged.champion is None else [judged.challenger, judged.champion]
    asked = [_measured(judged, answers, rows) for answers in models]
    names = [name for name in METRICS if name in wanted and name in asked[0].names]
    values = [model.metrics(np.ones((1, len(rows))), names) for model in asked]
    draws = _bootstrap(asked, len(rows), names)
    return tuple(_comparison(name, values, draws) for name in names)


def _bootstrap(models: Sequence[Measured], rows: int, names: Sequence[str]) -> list[dict[str, Floats]]:
    """The metrics of every model in every draw; the draws are the same for all of them."""
    import numpy as np

    random = np.random.default_rng(_SEED)
    at_once = max(1, _CELLS_AT_ONCE // max(rows, 1))
    parts: list[list[dict[str, Floats]]] = [[] for _ in models]
    for first in range(0, _DRAWS, at_once):
        draws = min(at_once, _DRAWS - first)
        weights = np.stack([np.bincount(random.integers(0, rows, rows), minlength=rows) for _ in range(draws)])
        for part, model in zip(parts, models, strict=True):
            part.append(model.metrics(weights.astype(np.float64), names))
    return [{name: np.concatenate([found[name] for found in part]) for name in part[0]} for part in parts]


def _comparison(name: str, values: Sequence[dict[str, Floats]], draws: Sequence[dict[str, Floats]]) -> MetricComparison:
    """The challenger comes first; the champion, if there is one, second, and may lack a metric."""
    own_low, own_high = _interval(draws[0][name])
    compared = MetricComparison(
        name=name,
        better=METRICS[name].better,
        challenger=_finite(values[0][name][0]),
        challenger_low=own_low,
        challenger_high=own_high,
    )
    if len(values) == 1 or name not in values[1]:
        return compared
    low, high = _interval(_gain(name, draws[0][name], draws[1][name]))
    champion = {
        "champion": _finite(values[1][name][0]),
        "improvement": _finite(_gain(name, values[0][name], values[1][name])[0]),
        "low": low,
        "high": high,
    }
    return compared.model_copy(update=champion)


def _gain(name: str, challenger: Floats, champion: Floats) -> Floats:
    """How much better the challenger is; a mean error is the better the nearer to 0 it is, on whichever side."""
    better = METRICS[name].better
    if better == "near_zero":
        return abs(champion) - abs(challenger)
    return challenger - champion if better == "higher" else -(challenger - champion)


def _interval(values: Floats) -> tuple[float | None, float | None]:
    """None where less than half of the draws had a value: an interval of the lucky ones would be too narrow."""
    import numpy as np

    present = values[np.isfinite(values)]
    if len(present) < _DRAWS // 2:
        return None, None
    low, high = np.percentile(present, _PERCENTILES)
    return float(low), float(high)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _main_metric(policy: RetrainPolicy, metrics: Sequence[MetricComparison], judged: Judged) -> str:
    """The one that the monitor names; else the first of the task's own that both models have."""
    if policy.main_metric != "auto":
        return policy.main_metric
    usable = [
        item.name
        for item in metrics
        if item.challenger is not None and (judged.champion is None or item.champion is not None)
    ]
    return next((name for name in _MAIN[judged.task] if name in usable), metrics[0].name)


def _segments(judged: Judged, main: str, policy: RetrainPolicy) -> Iterator[SegmentComparison]:
    for column in policy.segments:
        if column not in judged.segments:
            continue
        for name, rows in _split(judged.segments[column]):
            compared = next(iter(_compare(judged, rows, [main])), None)
            if compared is None:
                continue
            enough = len(rows) >= _FEWEST_SEGMENT_ROWS and compared.improvement is not None
            fall = _fall(compared)
            yield SegmentComparison(
                column=column,
                value=name,
                rows=len(rows),
                main=compared,
                judged=enough,
                passed=not enough or fall is None or fall <= policy.max_segment_drop,
            )


def _split(column: pd.Series) -> list[tuple[str, NDArray[np.int64]]]:
    """Rows by value, the most frequent values first; numbers with many values by quarter."""
    import numpy as np
    import pandas as pd

    values = column.reset_index(drop=True)
    if values.dtype.kind in "iuf" and values.nunique() > _MOST_SEGMENTS:
        quarters = pd.qcut(values, 4, duplicates="drop")
        values = quarters.cat.rename_categories(_quarter_names(list(quarters.cat.categories))).astype(object)
    names = values.astype(object).where(values.notna(), None).map(value)
    largest = names.value_counts().head(_MOST_SEGMENTS).index
    return [(str(name), np.flatnonzero((names == name).to_numpy())) for name in largest]


def _quarter_names(quarters: Sequence[pd.Interval[float]]) -> list[str]:
    """`35 to 50`, with digits enough to tell all of them apart."""
    edges = apart(*(part.left for part in quarters), quarters[-1].right, write=value)
    return [" to ".join(pair) for pair in pairwise(edges)]


def _fall(compared: MetricComparison) -> float | None:
    """How far the challenger falls behind the champion, as a fraction of the champion's value; R2 is one already."""
    if compared.improvement is None or compared.champion is None:
        return None
    unit = 1.0 if compared.name == "r2" else abs(compared.champion)
    return -compared.improvement / unit if unit > 0 else (math.inf if compared.improvement < 0 else 0.0)


def _main_check(main: MetricComparison, policy: RetrainPolicy) -> GateCheck:
    name = metric_name(main.name)
    if main.improvement is None or main.low is None or main.high is None:
        return GateCheck(name="main_metric", passed=False, sentence=f"{name} cannot be compared on these rows")
    noise = " to ".join(apart(main.low, main.high, digits=2, write=signed))
    numbers = f"{name} {_against(main)}, {difference(main.improvement)} (95% interval {noise})"
    if policy.policy == "better":
        passed = main.low > 0
        return GateCheck(
            name="main_metric",
            passed=passed,
            sentence=f"{numbers}: {'beyond the noise' if passed else 'not beyond the noise'}",
        )
    passed = main.high >= 0 and (_fall(main) or 0.0) <= policy.max_segment_drop
    return GateCheck(name="main_metric", passed=passed, sentence=f"{numbers}: {'not worse' if passed else 'worse'}")


def _segment_check(segments: Sequence[SegmentComparison], main: MetricComparison, policy: RetrainPolicy) -> GateCheck:
    fallen = [item for item in segments if not item.passed]
    limit = exact_share(policy.max_segment_drop)
    if not fallen:
        judged = sum(1 for item in segments if item.judged)
        words = f"none of {count(judged, 'segment')} falls by more than {limit}"
        return GateCheck(name="segments", passed=True, sentence=words if judged else "no segments were judged")
    worst = "; ".join(
        f"{item.column} = {item.value}: {_against(item.main)}"
        for item in sorted(fallen, key=lambda item: _fall(item.main) or 0.0, reverse=True)[:3]
    )
    part = f"{count(len(fallen))} of {count(len(segments), 'segment')}"
    words = f"{metric_name(main.name)} falls by more than {limit} in {part} ({worst})"
    return GateCheck(name="segments", passed=False, sentence=words)


def _against(compared: MetricComparison) -> str:
    """`0.812 against 0.780`."""
    if compared.challenger is None or compared.champion is None:
        return "no value"
    return " against ".join(apart(compared.challenger, compared.champion, write=measured))


def _floors(metrics: Sequence[MetricComparison], policy: RetrainPolicy) -> list[GateCheck]:
    values = {item.name: item.challenger for item in metrics}
    return [_floor(name, values.get(name), limit) for name, limit in sorted(policy.floors.items())]


def _floor(name: str, found: float | None, limit: float) -> GateCheck:
    words = metric_name(name)
    if found is None:
        return GateCheck(name="floor", passed=False, sentence=f"{words} has no value, so its floor does not hold")
    kind = METRICS[name]
    higher = kind.better == "higher"
    passed = not kind.is_beyond(abs(found) if kind.better == "near_zero" else found, limit)
    words += f" {measured(found, beside=(limit,))}, {'at least' if higher else 'at most'} {value(limit)} is asked for"
    return GateCheck(name="floor", passed=passed, sentence=words)


def _constant(judged: Judged, metrics: Sequence[MetricComparison]) -> GateCheck:
    """The least that can be asked of any model, whatever the floors: to be of more use than one fixed answer."""
    values = {item.name: item.challenger for item in metrics}
    if judged.task == "regression":
        name, fixed = "r2", 0.0
    elif values.get("roc_auc") is not None:
        name, fixed = "roc_auc", 0.5
    else:
        _, counts = _counts(judged.truth)
        name, fixed = "accuracy", float(counts.max() / counts.sum())
    found = values.get(name)
    shown = ("no value", measured(fixed)) if found is None else apart(found, fixed, write=measured)
    return GateCheck(
        name="beats_a_constant",
        passed=found is not None and found > fixed,
        sentence=f"{metric_name(name)} {shown[0]}, one fixed answer would have {shown[1]}",
    )


def _counts(truth: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    import numpy as np

    return np.unique(truth, return_counts=True)
