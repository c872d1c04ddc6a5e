"""Who of a machine's users may read what lies in a local store: its own user, and its group where it is a page.

A name that starts with a dot is Nightjar's own and for its user alone, except the folder that published nights are
links into, and the form of the store, which whoever reads results has to know.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path, PurePosixPath
from typing import NamedTuple

VERSIONS = ".nights"
FORM = ".format"


class Modes(NamedTuple):
    """Permissions of a folder, of a file that changes, and of one that never does."""

    folder: int
    changing: int
    fixed: int


PAGES = Modes(0o750, 0o640, 0o440)
OWN = Modes(0o700, 0o600, 0o400)


def modes_of(key: str) -> Modes:
    """Those of a file or folder by its key in a store."""
    parts = PurePosixPath(key).parts
    return OWN if any(part.startswith(".") and part not in (VERSIONS, FORM) for part in parts) else PAGES


def make_folders(root: Path, key: str, *, own: bool = False) -> None:
    """A store's folder, by its key, and those above it that are not there yet, each with its permissions.

    Args:
        root: the store.
        key: "" for the store itself.
        own: all of the store is for its user alone.

    Raises:
        OSError: something else is in the way, or the disk does not allow it.
    """
    parts = PurePosixPath(key).parts
    below = [PurePosixPath(*parts[:many]) for many in range(1, len(parts) + 1)]
    above = [(folder, OWN if own else PAGES) for folder in [*reversed(root.parents), root]]
    for folder, modes in [*above, *((root / part, OWN if own else modes_of(str(part))) for part in below)]:
        try:
            found = folder.stat()
        except FileNotFoundError:
            folder.mkdir(exist_ok=True)
            folder.chmod(modes.folder)  # whatever the process masks
        else:
            if not stat.S_ISDIR(found.st_mode):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), folder)
