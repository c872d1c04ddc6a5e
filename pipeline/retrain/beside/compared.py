"""What the answers of two versions on the same rows say: how far they agree, and which one loses less.

Nothing here reads or writes anything. Every look takes all nights so far, so labels that come late, in parts or
corrected count as if they had been there from the beginning; the interval of the loss allows for looking every night.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from pipeline.config import ColumnRoles
from pipeline.config.retrain_policy import RetrainPolicy
from pipeline.labels.classes import MISSING, Classes, classes_of, encode
from pipeline.labels.columns import LabelsUnusable
from pipeline.labels.numbers import numbers
from pipeline.metrics.draws import Answers
from pipeline.metrics.sequential import Look, interval
from pipeline.results import Loss, LossComparison, MetricComparison, Watch
from pipeline.retrain.beside.answered import Said
from pipeline.retrain.judging.gate import Judged, evaluate
from pipeline.wording import apart, count, measured, metric_name, share, signed

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

FEWEST_ROWS = 100
"""Labelled rows below which nothing is decided."""

_OF_PROBABILITIES = ("auto", "roc_auc", "average_precision", "log_loss", "brier_score", "calibration_error")
_SMALLEST_PROBABILITY = 1e-3  # a single row that a model was sure of and wrong weighs 6.9, and not 35
_LOSSES: dict[Loss, str] = {"error": "error rate", "log_loss": "log loss", "absolute_error": "absolute error"}


@dataclass(frozen=True)
class Beside:
    """A night that both versions answered: their answers, the labels of the same rows (null where there is none; None
    where none came yet), and their ids, None where there are no ids.
    """

    day: date
    version: Said
    against: Said
    labels: pa.ChunkedArray | None
    ids: pa.ChunkedArray | None


def compare(watch: Watch, nights: Sequence[Beside], roles: ColumnRoles, policy: RetrainPolicy) -> Watch:
    """The watch with everything that the nights say.

    Args:
        watch: whose nights these are.
        nights: oldest first.
        roles: of the monitor's columns.
        policy: which metric decides.

    Raises:
        LabelsUnusable: the labels of a regression are no numbers.
    """
    if not nights:
        return watch.model_copy(update={"sentence": f"{_who(watch)} has answered no night yet"})
    first = nights[0]
    if first.version.task != first.against.task:
        words = f"{_who(watch)} is a {first.version.task} and version {watch.against} a {first.against.task}"
        return watch.model_copy(update={"done": "not_possible", "sentence": f"{words}: they cannot be compared"})
    rows = sum(len(night.version.answers.predictions) for night in nights)
    watch = watch.model_copy(update={"task": first.version.task, "nights": len(nights), "rows": rows})
    regression = first.version.task == "regression"
    watch = _regression(watch, nights, roles, policy) if regression else _classification(watch, nights, roles, policy)
    watch = watch.model_copy(update={"decision": _decision(watch)})
    return watch.model_copy(update={"answered": _answered(watch), "sentence": _sentence(watch)})


def _classification(watch: Watch, nights: Sequence[Beside], roles: ColumnRoles, policy: RetrainPolicy) -> Watch:
    import numpy as np
    import pyarrow as pa

    version, against = (_pooled([getattr(night, side).answers for night in nights]) for side in ("version", "against"))
    classes = classes_of([*version.classes, *against.classes], ColumnRoles())
    labels = _labels(nights)
    columns = [pa.chunked_array([pa.array(answers.predictions)]) for answers in (version, against)]
    truth, said, other = encode(classes, [labels, *columns], [str(roles.label), "prediction", "prediction"])
    watch = watch.model_copy(update={"agreement": float(np.mean(said == other))})
    counted, update = _counted(nights, truth != MISSING)
    watch = watch.model_copy(update=update)
    if not counted.any():
        return watch
    truth, both = truth[counted], (_coded(version, said, classes, counted), _coded(against, other, classes, counted))
    loss: Loss = "error"
    sure = version.probabilities is not None and against.probabilities is not None
    if sure and policy.main_metric in _OF_PROBABILITIES:
        loss = "log_loss"
    lost = [
        _log_loss(answers, truth) if loss == "log_loss" else 1.0 * (answers.predictions != truth) for answers in both
    ]
    positive = nights[0].version.positive
    code = classes.values.index(classes.find(positive)) if positive is not None and classes.knows(positive) else None
    judged = _judged("classification", truth, both, positive=code)
    many = len(np.unique(truth)) > 1
    return watch.model_copy(update={"loss": _loss(loss, *lost), "main": _main(judged, policy) if many else None})


def _regression(watch: Watch, nights: Sequence[Beside], roles: ColumnRoles, policy: RetrainPolicy) -> Watch:
    import numpy as np

    version, against = (_pooled([getattr(night, side).answers for night in nights]) for side in ("version", "against"))
    said, other = (np.asarray(answers.predictions, dtype=np.float64) for answers in (version, against))
    told = np.isfinite(said) & np.isfinite(other)
    if told.any():
        update: dict[str, object] = {"mean_difference": float(np.mean(said[told] - other[told]))}
        if said[told].std() > 0 and other[told].std() > 0:
            update["correlation"] = float(np.corrcoef(said[told], other[told])[0, 1])
        watch = watch.model_copy(update=update)
    if not told.all():
        words = f"{count(int((~told).sum()), 'row')} left out, for which one of the two gave no number"
        watch = watch.model_copy(update={"notes": (*watch.notes, words)})
    truth = numbers(_labels(nights), str(roles.label))
    counted, more = _counted(nights, np.isfinite(truth) & told)
    watch = watch.model_copy(update=more)
    if not counted.any():
        return watch
    truth, said, other = truth[counted], said[counted], other[counted]
    judged = _judged("regression", truth, (Answers(said), Answers(other)))
    lost = _loss("absolute_error", np.abs(said - truth), np.abs(other - truth))
    return watch.model_copy(update={"loss": lost, "main": _main(judged, policy)})


def _pooled(nights: Sequence[Answers]) -> Answers:
    import numpy as np

    parts = [answers.probabilities for answers in nights]
    known = [part for part in parts if part is not None]
    return Answers(
        np.concatenate([answers.predictions for answers in nights]),
        nights[0].classes,
        np.concatenate(known) if len(known) == len(parts) else None,
    )


def _labels(nights: Sequence[Beside]) -> pa.ChunkedArray:
    """The labels of all rows, null where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = [
        pa.nulls(len(night.version.answers.predictions)) if night.labels is None else night.labels for night in nights
    ]
    try:
        tables = [pa.table({"label": part}) for part in parts]
        return pa.concat_tables(tables, promote_options="permissive")["label"]
    except pa.ArrowException:  # text on one night, numbers on another
        flat = [part if isinstance(part, pa.ChunkedArray) else pa.chunked_array([part]) for part in parts]
        try:
            return pa.chunked_array([chunk for part in flat for chunk in pc.cast(part, pa.string()).chunks])
        except pa.ArrowException as error:
            raise LabelsUnusable("the labels of these nights are of types that do not go together") from error


def _counted(nights: Sequence[Beside], labelled: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], dict[str, object]]:
    """Which rows count: of an id the first labelled one, as what comes again every night says nothing new."""
    import numpy as np
    import pandas as pd

    is_first = np.ones(len(labelled), dtype=bool)
    if all(night.ids is not None for night in nights):
        told = [night.ids.to_pandas(integer_object_nulls=True) for night in nights if night.ids is not None]
        ids = pd.concat(told, ignore_index=True)
        known = labelled & ids.notna().to_numpy()
        is_first[known] = ~ids[known].duplicated().to_numpy()
    start, labelled_nights = 0, 0
    for night in nights:
        end = start + len(night.version.answers.predictions)
        labelled_nights += bool(labelled[start:end].any())
        start = end
    counted = labelled & is_first
    return counted, {
        "labelled_nights": labelled_nights,
        "labelled_rows": int(counted.sum()),
        "repeated_rows": int((labelled & ~is_first).sum()),
    }


def _coded(answers: Answers, codes: Codes, classes: Classes, counted: NDArray[np.bool_]) -> Answers:
    """The answers on the rows that count, with positions instead of classes."""
    names = tuple(classes.values.index(classes.find(name)) for name in answers.classes)
    return Answers(codes[counted], names, None if answers.probabilities is None else answers.probabilities[counted])


def _log_loss(answers: Answers, truth: Codes) -> Floats:
    """Row by row; a class that a version does not know has the smallest probability."""
    import numpy as np

    assert answers.probabilities is not None  # noqa: S101  (asked by the caller)
    own = np.zeros(len(truth))
    for place, code in enumerate(answers.classes):
        own = np.where(truth == code, answers.probabilities[:, place], own)
    lost: Floats = -np.log(np.clip(own, _SMALLEST_PROBABILITY, 1.0))
    return lost


def _loss(loss: Loss, version: Floats, against: Floats) -> LossComparison:
    import numpy as np

    difference, rows = version - against, len(version)
    error = float(difference.std(ddof=1) / np.sqrt(rows)) if rows > 1 else 0.0
    mean = float(difference.mean())
    low, high = interval(Look(mean, error, rows))
    return LossComparison(
        loss=loss,
        rows=rows,
        version=float(version.mean()),
        against=float(against.mean()),
        difference=mean,
        low=low,
        high=high,
    )


def _judged(
    task: Literal["classification", "regression"],
    truth: Codes | Floats,
    both: tuple[Answers, Answers],
    positive: int | None = None,
) -> Judged:
    import numpy as np
    import pandas as pd

    seen = [] if task == "regression" else sorted({*truth.tolist(), *both[0].classes, *both[1].classes})
    return Judged(
        task=task,
        truth=np.asarray(truth),
        challenger=both[0],
        champion=both[1],
        against="version",
        must_beat=False,
        segments=pd.DataFrame(index=range(len(truth))),
        classes=seen,
        positive=positive,
    )


def _main(judged: Judged, policy: RetrainPolicy) -> MetricComparison | None:
    """The metric that decides retrainings, on the newest `max_rows` rows."""
    most = policy.max_rows
    newest = Judged(
        task=judged.task,
        truth=judged.truth[-most:],
        challenger=_last(judged.challenger, most),
        champion=None if judged.champion is None else _last(judged.champion, most),
        against=judged.against,
        must_beat=False,
        segments=judged.segments,
        classes=judged.classes,
        positive=judged.positive,
    )
    main = evaluate(newest, policy.model_copy(update={"segments": (), "floors": {}})).main
    return main if main is not None and main.improvement is not None else None


def _last(answers: Answers, most: int) -> Answers:
    probabilities = None if answers.probabilities is None else answers.probabilities[-most:]
    return Answers(answers.predictions[-most:], answers.classes, probabilities)


def _decision(watch: Watch) -> Literal["open", "better", "worse"]:
    """Beyond the noise, and not against the metric that made it champion."""
    loss, gain = watch.loss, None if watch.main is None else watch.main.improvement
    if loss is None or loss.low is None or loss.high is None:
        return "open"
    if loss.low > 0 and (gain is None or gain <= 0):
        return "worse"
    return "better" if loss.high < 0 and (gain is None or gain >= 0) else "open"


def _who(watch: Watch) -> str:
    role = "the new champion" if watch.kind == "probation" else "the challenger"
    return f"version {watch.version}, {role},"


def _sentence(watch: Watch) -> str:
    """What was found, with its figures."""
    held = f"version {watch.version} against version {watch.against}"
    if watch.loss is None:
        return f"{held}: {_answered(watch)}; no label has come yet"
    says = {"worse": "worse beyond the noise", "better": "better beyond the noise", "open": "within the noise"}
    if watch.decision == "open" and watch.loss.rows < FEWEST_ROWS:
        says["open"] = f"nothing is decided on fewer than {count(FEWEST_ROWS)}"
    elif watch.decision == "open" and ((watch.loss.low or 0) > 0 or (watch.loss.high or 0) < 0):
        says["open"] = "the two measures do not agree"
    found = ", ".join(filter(None, (_loss_words(watch.loss), _main_words(watch.main))))
    rows = f"{count(watch.loss.rows, 'labelled row')} of {count(watch.labelled_nights, 'night')}"
    return f"{held} on {rows}: {found}: {says[watch.decision]}"


def _answered(watch: Watch) -> str:
    """`both answered 1,600 rows of 4 nights, with the same prediction for 71%`."""
    parts = []
    if watch.agreement is not None:
        parts.append(f"with the same prediction for {share(watch.agreement)}")
    if watch.correlation is not None:
        parts.append(f"with a correlation of {measured(watch.correlation)}")
    if watch.mean_difference is not None:
        parts.append(f"{signed(watch.mean_difference)} apart in the mean")
    return ", ".join([f"both answered {count(watch.rows, 'row')} of {count(watch.nights, 'night')}", *parts])


def _loss_words(loss: LossComparison) -> str:
    """`error rate 0.310 against 0.120, +0.19 (95% interval over all looks +0.12 to +0.26)`."""
    values = " against ".join(apart(loss.version, loss.against, write=measured))
    found = f"{_LOSSES[loss.loss]} {values}, {signed(loss.difference)}"
    if loss.low is None or loss.high is None:
        return found
    return f"{found} (95% interval over all looks {' to '.join(apart(loss.low, loss.high, digits=2, write=signed))})"


def _main_words(main: MetricComparison | None) -> str:
    """`ROC AUC 0.61 against 0.83`; empty where it could not be measured."""
    if main is None or main.challenger is None or main.champion is None:
        return ""
    return f"{metric_name(main.name)} " + " against ".join(apart(main.challenger, main.champion, write=measured))
