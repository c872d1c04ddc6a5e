"""Columns of numbers, however they are stored; and scores as probabilities of classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.config import ColumnRoles
from pipeline.labels.classes import Class, Classes
from pipeline.labels.columns import LabelsUnusable, plain, present, type_words
from pipeline.wording import count

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """How probable each of some classes is: a row for each row, a column for each class; NaN where that is missing.

    Of a single score there is one column, that of the positive class.
    """

    classes: tuple[Class, ...]
    values: Floats

    def of(self, wanted: Class) -> Floats | None:
        """How probable one class is, row by row; of two classes the other one tells. None where nothing tells."""
        return self.values[:, self.classes.index(wanted)] if wanted in self.classes else None


def numbers(column: pa.ChunkedArray, name: str) -> Floats:
    """A column as float64, NaN where a value is missing: numbers of every type, booleans as 1 and 0, text of numbers.

    Raises:
        LabelsUnusable: a value is no number; the message names the type.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    values, types = plain(column), pa.types
    kind = values.type
    told = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind)
    if types.is_large_string(kind):
        values = pc.if_else(present(values), pc.utf8_trim_whitespace(values), pa.scalar(None, kind))
    elif not told and not types.is_null(kind):
        raise LabelsUnusable(f"{name} is {type_words(column)}, which are no numbers")
    try:
        found: Floats = values.cast(pa.float64(), safe=types.is_large_string(kind)).to_numpy()
    except pa.ArrowInvalid as error:
        raise LabelsUnusable(f"{name} is {type_words(column)}, and not all of it can be read as numbers") from error
    return np.asarray(found, dtype=np.float64)


def scores(rows: pa.Table, roles: ColumnRoles, classes: Classes, place: str) -> Scores | None:
    """What the monitor's score columns say of the classes; None where it has none, or the rows lack them.

    `columns.scores` names a column for each class. `columns.score` is the probability of the positive class, or where
    it holds lists, those of all classes in order; of a structure those of the classes that its fields name.

    Raises:
        LabelsUnusable: a column cannot be read, or it is not clear which class it is about.
    """
    import numpy as np

    if roles.scores:
        return _by_class(rows, roles, classes, place)
    if roles.score is None or roles.score not in rows.column_names:
        return None
    column, name = rows[roles.score], f"{roles.score} in {place}"
    named = _fields(column, name, roles, classes)
    if named is not None:
        return named
    listed = _lists(column, name, len(classes.values))
    if listed is not None:
        return Scores(classes.values, listed)
    if classes.positive is None:
        if len(classes.values) > 2:
            numbers(column, name)
            raise LabelsUnusable(
                f"{roles.score} is one score for {count(len(classes.values), 'class', 'classes')}, and nothing says "
                "for which: set columns.positive, or columns.scores with a column for each class"
            )
        return None
    return Scores((classes.positive,), np.column_stack([numbers(column, name)]))


def _by_class(rows: pa.Table, roles: ColumnRoles, classes: Classes, place: str) -> Scores | None:
    import numpy as np

    there = {key: column for key, column in roles.scores.items() if column in rows.column_names}
    if not there:
        return None
    meant = {classes.find(key): column for key, column in there.items()}
    unknown = [key for key in there if not classes.knows(key)]
    if unknown or len(meant) < len(roles.scores):
        missing = sorted(set(roles.scores.values()) - set(there.values()))
        words = f"{place} has no column {missing[0]!r}" if missing else _unknown_words(roles, classes, unknown)
        raise LabelsUnusable(words)
    columns = [numbers(rows[column], f"{column} in {place}") for column in meant.values()]
    return Scores(tuple(meant), np.column_stack(columns))


def _fields(column: pa.ChunkedArray, name: str, roles: ColumnRoles, classes: Classes) -> Scores | None:
    """A structure with a field for each class; None for a column that holds none."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    values = plain(column)
    if not pa.types.is_struct(values.type):
        return None
    keys = [values.type.field(place).name for place in range(values.type.num_fields)]
    is_private = roles.private_answers  # then fields are not named, as they are classes
    unknown = [key for key in keys if not classes.knows(key)]
    meant = [classes.find(key) for key in keys if key not in unknown]
    if unknown or set(meant) != set(classes.values) or len(meant) != len(set(meant)):
        found = "" if is_private else f" ({classes.words})"
        kind = f"a structure of {count(len(keys), 'field')}" if is_private else type_words(column)
        raise LabelsUnusable(
            f"{name} is {kind}, whose fields are not the "
            f"{count(len(classes.values), 'class', 'classes')} of {roles.label}{found}: "
            "name a field after each class, or write a column for each, under columns.scores"
        )
    words = [f"{'a field' if is_private else key} of {name}" for key in keys]
    columns = [numbers(pc.struct_field(values, [place]), word) for place, word in enumerate(words)]
    return Scores(tuple(meant), np.column_stack(columns))


def _unknown_words(roles: ColumnRoles, classes: Classes, unknown: Sequence[str]) -> str:
    if roles.private_answers or not unknown:
        return f"columns.scores does not name the classes of {roles.label}"
    return f"columns.scores names {unknown[0]!r}, which is none of the classes of {roles.label}: {classes.words}"


def _lists(column: pa.ChunkedArray, name: str, wanted: int) -> Floats | None:
    """A list for each row as a row of numbers; None for a column that holds no lists."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    values = plain(column)
    if not pa.types.is_nested(values.type):
        return None
    is_list = pa.types.is_list(values.type) or pa.types.is_large_list(values.type)
    if not is_list and not pa.types.is_fixed_size_list(values.type):
        raise LabelsUnusable(f"{name} is {type_words(column)}: write a column for each class, under columns.scores")
    there = pc.is_valid(values)
    lengths = pc.unique(pc.list_value_length(values.filter(there))).to_pylist()
    if lengths not in ([], [wanted]):
        raise LabelsUnusable(
            f"{name} is {type_words(column)}, not with {count(wanted, 'probability', 'probabilities')} in each row, "
            "one for each class in order: write a column for each class, under columns.scores"
        )
    found = np.full((len(values), wanted), np.nan)
    if lengths:
        flat = pc.list_flatten(values.filter(there))
        found[there.to_numpy()] = numbers(pa.chunked_array(flat), name).reshape(-1, wanted)
    return found
