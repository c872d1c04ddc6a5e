"""What a column's name says, in whatever style it is written: customerId, CustomerKey, invoice_no, GUID, y_hat."""

from __future__ import annotations

import re

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PART = re.compile(r"[^\W\d_]+|\d+")
_ID_ENDS = {"id", "ids", "uid", "uuid", "guid", "key", "no", "nr", "pk", "ref", "identifier"}
_INDEX = re.compile(
    r"__index_level_\d+__|unnamed:? ?_?\d+|index|level_\d+|row_?(num(ber)?|id|no|index)|rownames?", re.IGNORECASE
)
_PREDICTION = {
    "pred", "preds", "predict", "predicted", "prediction", "predictions", "yhat", "forecast", "forecasted", "forecasts",
    "fitted",
}  # fmt: skip
_PROBABILITY = {"prob", "proba", "probability", "probabilities", "probs"}
_SCORE = _PROBABILITY | {"score", "scores", "confidence"}
_OF_A_MODEL = _PREDICTION | {"model", "y", "p", "class", "positive"}
_LABELS = {
    "label", "labels", "target", "truth", "ground truth", "actual", "actuals", "outcome", "y", "y true", "true label",
    "y label", "class",
}  # fmt: skip
_CYCLES: dict[str, tuple[int, int]] = {
    "month": (1, 12), "mnth": (1, 12), "weekday": (0, 7), "dow": (0, 7), "day of week": (0, 7), "dayofweek": (0, 7),
    "hour": (0, 24), "hr": (0, 24), "hour of day": (0, 24), "minute": (0, 60), "quarter": (1, 4),
    "season": (0, 4), "week": (0, 53), "week of year": (0, 53), "day": (1, 31), "dom": (1, 31), "day of month": (1, 31),
    "day of year": (1, 366), "doy": (1, 366), "dayofyear": (1, 366),
}  # fmt: skip


def words(name: str) -> tuple[str, ...]:
    """The words of a name, in lower case: `CustomerKey` as `customer`, `key`."""
    return tuple(part.lower() for part in _PART.findall(_HUMP.sub(" ", name)))


def is_called_id(name: str) -> bool:
    """Whether a column is called as identifiers are."""
    found = words(name)
    return bool(found) and found[-1] in _ID_ENDS and not is_called_index(name)


def is_called_index(name: str) -> bool:
    """Whether a column is called as the index of a data frame is, once it was written to a file."""
    return _INDEX.fullmatch(name.strip()) is not None


def is_called_prediction(name: str) -> bool:
    """Whether a column is called as what a model answers; scores are not meant."""
    found = words(name)
    hat = any(found[place : place + 2] == ("y", "hat") for place in range(len(found)))
    return (hat or bool(_PREDICTION & set(found))) and not _SCORE & set(found)


def is_called_score(name: str) -> bool:
    """Whether a column may be a model's confidence; also `credit_score` is called so."""
    return bool(_SCORE & set(words(name)))


def is_surely_score(name: str, label: str | None = None) -> bool:
    """Whether a column can only be a model's confidence: nothing but that, or that of a prediction, class or label."""
    found = set(words(name))
    of_the_label = set(words(label)) if label else set()
    return bool(_SCORE & found) and found <= _SCORE | _OF_A_MODEL | of_the_label | {"of", "the", "hat"}


def is_called_label(name: str) -> bool:
    """Whether a column is called as the truth is."""
    return " ".join(words(name)) in _LABELS


def is_called_version(name: str) -> bool:
    """Whether a column says which model answered."""
    return {"model", "version"} <= set(words(name))


def answers_for(name: str) -> str:
    """What a prediction is of, by its name: `cnt` of `predicted_cnt`; empty where it does not say."""
    rest = [word for word in words(name) if word not in _PREDICTION | _SCORE | {"y", "hat", "model", "label", "class"}]
    return " ".join(rest)


def cycle(name: str) -> tuple[int, int] | None:
    """From where to where a code goes that begins again: months, weekdays, hours."""
    found = " ".join(words(name))
    return _CYCLES.get(found) or next((_CYCLES[last] for last in (found.split() or [""])[-1:] if last in _CYCLES), None)
