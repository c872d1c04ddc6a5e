"""How many values the pages of a parquet file hold, by their own headers: a footer may say fewer than there are.

Headers are structs of Thrift's compact protocol, see https://github.com/apache/parquet-format and
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from mmap import mmap

_STOP, _BYTE, _DOUBLE, _BINARY, _STRUCT = 0, 3, 7, 8, 12
_BOOLEANS = (1, 2)
_WHOLE = (4, 5, 6)
_DEEPEST = 8
# Fields of a page's header, and within that of a data page of either version.
_COMPRESSED, _DATA, _DATA_2 = 3, 5, 8
_VALUES = 1


class NotReadable(ValueError):
    """No header of a page: encrypted, or damaged. Whoever reads the column tells."""


def values_of_pages(content: mmap, start: int, end: int) -> Iterator[int]:
    """The number of values of each data page between two places of a file.

    Args:
        content: the file.
        start: of the first page of a column in a row group.
        end: behind its last page.

    Raises:
        NotReadable: what lies there is no header of a page.
    """
    while start < end:
        header, start = _struct(content, start, 0)
        size = header.get(_COMPRESSED)
        if not isinstance(size, int) or size < 0:
            raise NotReadable
        start += size
        data = header.get(_DATA, header.get(_DATA_2))
        if isinstance(data, dict):
            found = data.get(_VALUES)
            if not isinstance(found, int) or found < 0:
                raise NotReadable
            yield found


_Fields = dict[int, object]


def _struct(content: mmap, place: int, depth: int) -> tuple[_Fields, int]:
    """The whole numbers and structs of a struct by their field, and where it ends."""
    if depth > _DEEPEST:
        raise NotReadable
    fields: _Fields = {}
    number = 0
    while True:
        head, place = _byte(content, place)
        kind = head & 15
        if kind == _STOP:
            return fields, place
        if head >> 4:
            number += head >> 4
        else:
            number, place = _whole(content, place)
        fields[number], place = _value(content, place, kind, depth)


def _value(content: mmap, place: int, kind: int, depth: int) -> tuple[object, int]:
    if kind in _BOOLEANS:
        return None, place
    if kind in _WHOLE:
        return _whole(content, place)
    if kind == _STRUCT:
        return _struct(content, place, depth + 1)
    if kind == _BINARY:
        size, place = _varint(content, place)
        return None, place + size
    if kind in (_BYTE, _DOUBLE):
        return None, place + (1 if kind == _BYTE else 8)
    raise NotReadable  # lists, sets and maps: no header of a page has any


def _whole(content: mmap, place: int) -> tuple[int, int]:
    found, place = _varint(content, place)
    return (found >> 1) ^ -(found & 1), place


def _varint(content: mmap, place: int) -> tuple[int, int]:
    found = shift = 0
    while shift < 70:
        part, place = _byte(content, place)
        found |= (part & 127) << shift
        if part < 128:
            return found, place
        shift += 7
    raise NotReadable


def _byte(content: mmap, place: int) -> tuple[int, int]:
    try:
        return content[place], place + 1
    except IndexError:
        raise NotReadable from None
