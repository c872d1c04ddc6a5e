"""Columns of whole numbers as short text: written between blanks, compressed (zlib), and made of letters (base64)."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]


def packed(*columns: Integers) -> str:
    """Columns of the same length; nothing where they are empty."""
    if columns[0].size == 0:
        return ""
    text = "\n".join(" ".join(map(str, column.tolist())) for column in columns)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def unpacked(text: str, columns: int) -> list[Integers]:
    """The opposite of `packed`.

    Raises:
        ValueError: the text is damaged, or another number of columns.
    """
    import numpy as np

    if not text:
        return [np.empty(0, dtype=np.int64) for _ in range(columns)]
    try:
        lines = zlib.decompress(base64.b64decode(text, validate=True)).decode().split("\n")
    except zlib.error as error:
        raise ValueError(f"no packed columns: {error}") from error
    found = [np.array([int(number) for number in line.split()], dtype=np.int64) for line in lines]
    if len(found) != columns or len({len(column) for column in found}) > 1:
        raise ValueError(f"not {columns} packed columns of one length")
    return found
