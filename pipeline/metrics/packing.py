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
    if not len(columns[0]):
        return ""
    text = "\n".join(" ".join(map(str, column.tolist())) for column in columns)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def unpacked(text: str, columns: int) -> list[Integers]:
    """The opposite of `packed`."""
    import numpy as np

    if not text:
        return [np.empty(0, dtype=np.int64) for _ in range(columns)]
    lines = zlib.decompress(base64.b64decode(text)).decode().split("\n")
    return [np.array([int(number) for number in line.split()], dtype=np.int64) for line in lines]
