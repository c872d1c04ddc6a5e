"""Small files that people write, read so that nothing which is no such file can hold up or fill whoever reads it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pipeline.wording import size

MOST_BYTES = 1_000_000


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is a folder, a pipe or a device; is larger than `MOST_BYTES`; or is not UTF-8.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would be waited for
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is no file")
        with open(descriptor, "rb", closefd=False) as stream:
            content = stream.read(MOST_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(content) > MOST_BYTES:
        raise ValueError(f"it is larger than {size(MOST_BYTES)}")
    return content.decode("utf-8")


def is_folder(path: Path) -> bool:
    """Whether a folder is there, of whatever length its path is."""
    try:
        return path.is_dir()
    except OSError:
        return False
