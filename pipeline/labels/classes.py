"""Classes: which there are, in which order, which one is the positive one, and which values mean one of them.

Task and classes are known before a night: they come from the labels of the reference. Where it has none, from
`columns.scores` and `columns.positive` of the monitor, or from what the reference's predictions hold; only where there
is nothing of all that, from the labels at hand.

A value means a class when it is that class, or can only be read as it, however it is stored: 1, 1.0, a decimal 1.00,
the category 1, true and the text "1" are one; so are true and the texts "true" and "True". The text "yes" is not 1.
A value that means none of them is a class of its own, beside the known ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from decimal import Decimal
from functools import cached_property
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from pipeline.config import ColumnRoles
from pipeline.labels.columns import LabelsUnusable, plain, present, type_words
from pipeline.wording import clip, count, label, listed

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

Class = int | str

_WHOLE = re.compile(r"[+-]?\d{1,300}(\.0*)?")
_FRACTION = re.compile(r"[+-]?\d*\.\d+")
_MOST_NAMED = 5
MISSING = -1


@dataclass(frozen=True)
class Classes:
    """The known classes in order, as whole numbers or text, and the one that precision, recall and ROC AUC are about.

    `positive` is what the monitor says, else the second of two; None for more of them. `chosen`: the monitor says it.
    `are_flags`: they were booleans, and are written so.
    """

    values: tuple[Class, ...]
    positive: Class | None = None
    chosen: bool = False
    are_flags: bool = False

    @cached_property
    def _by_reading(self) -> dict[tuple[str, Decimal], Class]:
        """What text and numbers can be read as, where only one class can."""
        found: dict[tuple[str, Decimal], list[Class]] = {}
        for value in self.values:
            for reading in _readings(bool(value) if self.are_flags else value):
                found.setdefault(reading, []).append(value)
        return {reading: meant[0] for reading, meant in found.items() if len(meant) == 1}

    @cached_property
    def _known(self) -> frozenset[Class]:
        return frozenset(self.values)

    def find(self, value: object) -> Class:
        """The class that a value means; where it means none of them, the class that it is itself."""
        itself = canonical(value)
        if not isinstance(value, bool) and itself in self._known:
            return itself
        readings = _readings(value)
        for reading in readings:
            if reading in self._by_reading:
                return self._by_reading[reading]
        if any(isinstance(known, str) for known in self.values):
            return str(itself)
        whole = next((number for kind, number in readings if kind == "number" and number == int(number)), None)
        return itself if whole is None else int(whole)

    def knows(self, value: object) -> bool:
        """Whether a value means one of the classes."""
        return self.find(value) in self._known

    def name(self, value: Class) -> str:
        """A class as people read it."""
        return label(bool(value) if self.are_flags and value in (0, 1) else value)

    @property
    def have_fractions(self) -> bool:
        """Whether numbers that are not whole are among them, such as grades of 1.5."""
        return any(isinstance(value, str) and _FRACTION.fullmatch(value) for value in self.values)

    @property
    def words(self) -> str:
        """The first few of them, for messages."""
        return listed([self.name(value) for value in self.values], _MOST_NAMED)


def classes_of(values: Iterable[object], roles: ColumnRoles) -> Classes:
    """The classes that labels hold.

    Args:
        values: labels that are known, each at least once, without missing ones; see `distinct`.
        roles: `positive`, and `private`, whose values no message names.

    Raises:
        LabelsUnusable: `positive` is none of them.
    """
    found = _classes(values)
    if roles.positive is None:
        return replace(found, positive=second(found.values))
    positive = _from_yaml(roles.positive, found)
    if not found.knows(positive):
        named = "" if roles.private_answers else f": {found.words}"
        raise LabelsUnusable(
            f"columns.positive of the monitor file is {clip(str(roles.positive), 60)}, which is none of the "
            f"{count(len(found.values), 'class', 'classes')} of {roles.label}{named}"
        )
    return replace(found, positive=found.find(positive), chosen=True)


def _classes(values: Iterable[object]) -> Classes:
    """What the values are, in order."""
    given = list(values)
    found = {canonical(value) for value in given}
    if any(isinstance(value, str) for value in found):
        found = {str(value) for value in found}
    are_flags = bool(given) and all(map(_is_flag, given))
    return Classes(tuple(sorted(found, key=_order(found))), are_flags=are_flags)


def known_classes(
    roles: ColumnRoles, labels: Sequence[object], predictions: Sequence[object], at_hand: Sequence[object]
) -> Classes:
    """The classes that are known before the rows at hand are looked at, see above.

    Args:
        roles: what the monitor says of its columns.
        labels: the different labels of the reference.
        predictions: the different predictions of the reference.
        at_hand: the different labels of the rows at hand.

    Raises:
        LabelsUnusable: `columns.positive` is none of them, or there are none.
    """
    named: list[object] = list(roles.scores)
    if named and not labels and roles.positive is not None and not _classes(named).knows(roles.positive):
        named.append(roles.positive)
    here = _classes(at_hand)
    # What the monitor names is text, and a prediction may be written in another way: the labels say how classes are.
    answered = [] if _classes(predictions).have_fractions and not here.have_fractions else predictions
    told = (labels, *([here.find(value) for value in found] for found in (named, answered)), at_hand)
    values = next((found for found in told if found), None)
    if values is None:
        raise LabelsUnusable("no row has a label; check columns.id and columns.label")
    return classes_of(values, roles)


def second(values: Sequence[Class]) -> Class | None:
    """The positive one where nobody says: the second of two."""
    return values[1] if len(values) == 2 else None


def distinct(column: pa.ChunkedArray, name: str) -> list[object]:
    """The values of a column, each once, without missing ones.

    Raises:
        LabelsUnusable: the column is of a type that holds no classes, such as lists.
    """
    import pyarrow.compute as pc

    values = plain(column)
    _require_values(values, column, name)
    found: list[object] = pc.unique(values.filter(present(values))).to_pylist()
    return found


def encode(classes: Classes, columns: Sequence[pa.ChunkedArray], names: Sequence[str]) -> list[NDArray[np.int64]]:
    """Columns as positions in `classes.values`; `MISSING` for a missing value.

    Values that mean no class have the positions after it, the same in all columns, in the order in which they come.

    Raises:
        LabelsUnusable: a column is of a type that holds no classes.
    """
    import numpy as np
    import pyarrow as pa

    codes: dict[Class, int] = {value: place for place, value in enumerate(classes.values)}
    found = []
    for column, name in zip(columns, names, strict=True):
        values = plain(column)
        _require_values(values, column, name)
        if pa.types.is_null(values.type):  # Arrow has no dictionary of nothing
            values = values.cast(pa.large_string())
        encoded = values.dictionary_encode().combine_chunks()
        meant = [MISSING if value is None else codes.setdefault(classes.find(value), len(codes))
                 for value in encoded.dictionary.to_pylist()]  # fmt: skip
        places = encoded.indices.fill_null(len(meant)).to_numpy(zero_copy_only=False)
        coded = np.array([*meant, MISSING], dtype=np.int64)[places]
        found.append(np.where(present(values).to_numpy(), coded, MISSING))
    return found


def has_fractions(column: pa.ChunkedArray) -> bool:
    """Whether a column of numbers holds one that is not whole; False for what holds no numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = plain(column)
    if not pa.types.is_floating(values.type) and not pa.types.is_decimal(values.type):
        return False
    numbers = values.cast(pa.float64())
    return pc.any(pc.and_(pc.is_finite(numbers), pc.not_equal(numbers, pc.floor(numbers)))).as_py() or False


def canonical(value: object) -> Class:
    """A value as a class: booleans and whole numbers of every type as int, all else as text."""
    if _is_flag(value):
        return int(bool(value))
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real | Decimal):
        exact = Decimal(str(value))
        if not exact.is_finite():
            return str(value)
        return int(exact) if exact == int(exact) else f"{exact.normalize():f}"
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _is_flag(value: object) -> bool:
    return type(value).__name__ in ("bool", "bool_")  # Python's and numpy's


def _readings(value: object) -> list[tuple[str, Decimal]]:
    """What a value can be read as: a number, true or false."""
    itself = canonical(value)
    if _is_flag(value):
        return [("flag", Decimal(itself)), ("number", Decimal(itself))]
    if isinstance(itself, int):
        return [("number", Decimal(itself))]
    text = itself.strip()
    if text.lower() in ("true", "false"):
        return [("flag", Decimal(text.lower() == "true"))]
    return [("number", Decimal(text))] if _WHOLE.fullmatch(text) else []


def _from_yaml(positive: bool | int | str, classes: Classes) -> bool | int | str:
    """YAML reads yes and on without quotes as true, no and off as false; whoever has such a class means that."""
    if not isinstance(positive, bool) or classes.knows(positive):
        return positive
    texts = ("yes", "on", "y") if positive else ("no", "off", "n")
    meant = [value for value in classes.values if str(value).lower() in texts]
    return meant[0] if len(meant) == 1 else positive


def _order(found: Iterable[Class]) -> Any:
    """Numbers by size, text by its characters, but text of nothing but numbers as these."""
    numbers = {value: [number for kind, number in _readings(value) if kind == "number"] for value in found}
    if all(numbers.values()):
        return lambda value: (numbers[value][0], str(value))
    return str


def _require_values(values: pa.ChunkedArray, column: pa.ChunkedArray, name: str) -> None:
    import pyarrow as pa

    if pa.types.is_nested(values.type):
        raise LabelsUnusable(f"{name} is {type_words(column)}, whose values are no classes")
