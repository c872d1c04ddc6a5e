"""Small files that people write: read so that nothing which is no such file can hold up or fill whoever reads it, and
written whole or not at all.
"""

from __future__ import annotations

import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.parts import part_prefix, sweep_parts
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


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to fill beside the one whose place it takes once the block has ended, and that is gone where it failed.

    Each writer has one of its own: of two at once the later one's file stays, whole. What a kill leaves goes with the
    next file that is written there.

    Raises:
        ConfigError: the file cannot be written, as the disk is full.
    """
    target = path.resolve()  # where it is a link, that stays
    part = target.with_name(f"{part_prefix(target)}{uuid.uuid4().hex}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep_parts(target)
        part.touch(exist_ok=False)
        if target.exists():
            shutil.copymode(target, part)
        yield part
        with open(part, "rb") as stream:
            os.fsync(stream.fileno())
        os.replace(part, target)
    except OSError as error:
        raise ConfigError([f"{path}: cannot be written: {error.strerror or error}"]) from error
    finally:
        with suppress(OSError):
            part.unlink()


def write_text(path: Path, text: str) -> None:
    """Put a text in place of whatever a file holds, whole or not at all.

    Raises:
        ConfigError: it cannot be written; the file is as it was.
    """
    with replacing(path) as part:
        part.write_bytes(text.encode())
