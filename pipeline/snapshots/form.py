"""One form for all files of a snapshot: the columns and types that every reader sees, whatever each file has."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import SnapshotUnreadable
from pipeline.results.snapshots import is_index
from pipeline.snapshots.common_type import joint, open_list, plain
from pipeline.wording import clip, listed

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_COLUMNS = 5
_TYPE_LENGTH = 60


@dataclass(frozen=True)
class Part:
    """One file of a snapshot as its footer describes it. `partition`: columns that its folders say, as (name, value).

    `dense`: columns that some reader cannot decode as they are written, see `pipeline.snapshots.copies.dense_columns`.
    """

    uri: str
    schema: pa.Schema
    rows: int
    partition: tuple[tuple[str, str | None], ...] = ()
    dense: frozenset[str] = frozenset()


@dataclass
class _Column:
    """What is known of a column so far, and which file said so last."""

    type: pa.DataType
    uri: str


def named_range(schema: pa.Schema, rows: int) -> tuple[str, int, int] | None:
    """Name, start and step of an index that pandas keeps as three numbers beside the columns, if it has a name.

    One of other than so many rows is left over from a table that this one was made of.
    """
    try:
        told = json.loads((schema.metadata or {}).get(b"pandas", b"{}")).get("index_columns", [])
        ranges = [item for item in told if isinstance(item, dict) and item.get("kind") == "range"]
        name, numbers = next(
            (item["name"], range(int(item["start"]), int(item["stop"]), int(item["step"]))) for item in ranges
        )
    except (StopIteration, AttributeError, KeyError, TypeError, ValueError):  # none, or not as pandas writes it
        return None
    if not isinstance(name, str) or name in schema.names or len(numbers) != rows:
        return None
    return name, numbers.start, numbers.step


def form_of(parts: Sequence[Part]) -> pa.Schema:
    """The columns that the files have together, in the order of the first one, each in a type that holds all values.

    A file without rows says nothing about types, unless all are without.

    Raises:
        SnapshotUnreadable: a file has no column or one name twice, or the files do not fit together: names them, and
            the types.
    """
    import pyarrow as pa

    telling = [part for part in parts if part.rows] or list(parts[:1])
    partition = _partition_types(telling)
    first, *others = telling
    columns = {name: _Column(found, first.uri) for name, found in _types(first, partition).items()}
    for part in others:
        _add(columns, part, _types(part, partition), first.uri)
    return pa.schema([(name, column.type) for name, column in columns.items()])


def has_form(part: Part, form: pa.Schema) -> bool:
    """Whether readers see this form when they read the file as it is. A pandas index at the end is seen by none."""
    names = list(part.schema.names)
    while names and is_index(names[-1]):
        names.pop()
    return (
        not part.dense
        and names == form.names
        and [part.schema.field(place).type for place in range(len(names))] == form.types
    )


def ends_alike(parts: Sequence[Part]) -> bool:
    """Whether the files have the same pandas index, which is no part of the form: some readers want equal files."""
    return len({tuple(name for name in part.schema.names if is_index(name)) for part in parts}) <= 1


def packed(form: pa.Schema) -> str:
    """A form as text, for JSON."""
    return b64encode(form.serialize().to_pybytes()).decode()


def unpacked(text: str) -> pa.Schema:
    """A form out of its text."""
    import pyarrow as pa

    return pa.ipc.read_schema(pa.py_buffer(b64decode(text)))


def _types(part: Part, partition: dict[str, pa.DataType]) -> dict[str, pa.DataType]:
    """The columns of a file in the types that it can be read as, those of its folders at the end."""
    import pyarrow as pa

    own = [field for field in part.schema if not is_index(field.name)]
    types = {field.name: _readable(field, part) for field in own}
    kept = named_range(part.schema, part.rows)
    if len(types) != len(own):
        raise SnapshotUnreadable(f"{part.uri}: has several columns of the same name; every name may occur once")
    if kept is not None:
        types[kept[0]] = pa.int64()
    said = {name: partition[name] for name, _ in part.partition if name not in types}
    if not types:
        raise SnapshotUnreadable(f"{part.uri}: has no columns; write it again with some")
    return types | said


def _readable(field: pa.Field, part: Part) -> pa.DataType:
    import pyarrow as pa

    found = plain(field.type)
    if field.name not in part.dense:
        return found
    return found.value_type if pa.types.is_dictionary(found) else open_list(found)


def _add(columns: dict[str, _Column], part: Part, types: dict[str, pa.DataType], first: str) -> None:
    """Widen what is known by one file."""
    import pyarrow as pa

    differing = [
        f"{clip(name, _TYPE_LENGTH)} ({_shown(columns, name)} / absent)" for name in columns.keys() - types.keys()
    ]
    differing += [f"{clip(name, _TYPE_LENGTH)} (absent / {types[name]})" for name in types.keys() - columns.keys()]
    against = first
    for name, found in types.items():
        if name not in columns:
            continue
        together = joint(columns[name].type, found)
        if together is None:
            differing.append(f"{clip(name, _TYPE_LENGTH)} ({_shown(columns, name)} / {clip(str(found), _TYPE_LENGTH)})")
            against = columns[name].uri
        elif not pa.types.is_null(found):
            columns[name] = _Column(together, part.uri if together != columns[name].type else columns[name].uri)
    if differing:
        raise SnapshotUnreadable(
            f"{part.uri}: its columns differ from those of {against}: {listed(sorted(differing), _MOST_COLUMNS)}; "
            "all files of a snapshot need the same columns, of types that one type can hold"
        )


def _shown(columns: dict[str, _Column], name: str) -> str:
    return clip(str(columns[name].type), _TYPE_LENGTH)


def _partition_types(parts: Sequence[Part]) -> dict[str, pa.DataType]:
    """Whole numbers where all folders of a column say one, else text: leading zeros are kept."""
    import pyarrow as pa

    values: dict[str, list[str | None]] = {}
    for part in parts:
        for name, value in part.partition:
            values.setdefault(name, []).append(value)
    return {name: pa.int64() if all(map(_is_whole, found)) else pa.string() for name, found in values.items()}


def _is_whole(value: str | None) -> bool:
    if value is None:
        return True
    try:
        number = int(value)
    except ValueError:
        return False
    return str(number) == value and -(2**63) <= number < 2**63
