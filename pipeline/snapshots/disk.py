"""Locations on a local disk."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import SnapshotMissing, SnapshotUnreadable, SourceUnavailable
from pipeline.snapshots.listed import Found, Listed
from pipeline.snapshots.patterns import Pattern, States
from pipeline.snapshots.tables import TABLE_FORMATS, TableFormat
from pipeline.wording import clip

_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)


class Disk:
    """The local disk. Links are followed within the location: to a folder unless it leads back up, to a file that is
    not listed anyway. The location itself may be a link, as whoever wrote it into a monitor file could write its end.
    """

    def __init__(self, location: str) -> None:
        self.path = re.sub("/+", "/", location)
        self._location = location
        self._inside = ""

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Errors of the operating system as ours."""
        try:
            yield
        except OSError as error:
            where = clip(str(error.filename or self._location), 1000)
            raise SourceUnavailable(f"{where}: cannot be listed: {error.strerror}; check its permissions") from error

    def file(self, path: str) -> Listed | None:
        """The file of just this name."""
        status = _status(path)
        return _listed(path, status) if status is not None and stat.S_ISREG(status.st_mode) else None

    def has_folder(self, path: str) -> bool:
        """Whether a folder of just this name is there."""
        status = _status(path)
        return status is not None and stat.S_ISDIR(status.st_mode)

    def find(self, folder: str, pattern: Pattern) -> Found:
        """What a pattern means of what lies below a folder."""
        found = Found()
        if self.has_folder(folder or "."):
            self._inside = os.path.realpath(folder or ".").rstrip("/") + "/"
            self._walk(folder, pattern, pattern.start, (), found)
        found.chosen = _each_once(found.chosen, folder)
        return found

    def tables(self, folders: Iterable[str]) -> dict[str, TableFormat]:
        """Which of the folders are tables, of which format."""
        return {folder: form for folder in folders for form in TABLE_FORMATS if _holds_log(folder, form)}

    def _require_inside(self, path: str) -> None:
        """Whoever writes a snapshot may not have what he cannot read himself be read for him.

        Raises:
            SnapshotUnreadable: a link leads out of the location.
        """
        if Path(path).is_symlink() and not f"{os.path.realpath(path)}/".startswith(self._inside):
            raise SnapshotUnreadable(
                f"{clip(path, 1000)}: a link out of {clip(self._location, 1000)}; write the file itself there, or name "
                "the folder that it leads to in the monitor file"
            )

    def _walk(
        self, folder: str, pattern: Pattern, states: States, above: tuple[tuple[int, int], ...], found: Found
    ) -> None:
        status = os.stat(folder or ".")
        place = (status.st_dev, status.st_ino)
        if place in above:  # a link that leads back
            return
        with os.scandir(folder or ".") as entries:
            names = [entry.name for entry in entries]
        for name in names:
            path = folder + name
            inside = _status(path)
            if inside is not None and stat.S_ISDIR(inside.st_mode):
                below = pattern.below(states, name)
                if below:
                    self._require_inside(path)
                    self._walk(f"{path}/", pattern, below, (*above, place), found)
            elif inside is None or not stat.S_ISREG(inside.st_mode):
                _leave_out(path, pattern.chooses(states, name, 1), found)
            elif pattern.chooses(states, name, inside.st_size):
                self._require_inside(path)
                found.chosen.append(_listed(path, inside))
            else:
                found.others.append(name)


def listed_file(path: Path) -> Listed:
    """A local file as it is now."""
    return _listed(str(path), os.stat(path))


def file_state(status: os.stat_result) -> str:
    """What changes when a local file is written or replaced."""
    return f"{status.st_dev}-{status.st_ino}-{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"


def _listed(path: str, status: os.stat_result) -> Listed:
    from datetime import UTC, datetime

    modified = datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="seconds")
    return Listed(path, status.st_size, modified, file_state(status), max(status.st_mtime, status.st_ctime))


def _status(path: str) -> os.stat_result | None:
    """Of what a path leads to; None where it leads nowhere."""
    try:
        return os.stat(path)
    except OSError as error:
        if error.errno in _NOT_THERE:
            return None
        raise


def _leave_out(path: str, meant: bool, found: Found) -> None:
    """A pipe or a device is no data, nor is a link to itself. A link to nothing is missing data, if it is meant."""
    if meant and Path(path).is_symlink() and _leads_nowhere(path):
        raise SnapshotMissing(
            f"{clip(path, 1000)}: a link to a file that is not there; write the file, or remove the link"
        )
    found.others.append(Path(path).name)


def _leads_nowhere(path: str) -> bool:
    try:
        os.stat(path)
    except OSError as error:
        return error.errno == errno.ENOENT
    return False


def _each_once(files: list[Listed], folder: str) -> list[Listed]:
    """Without links to what is there under its own name."""
    start, real = len(folder), os.path.realpath(folder)
    leads_to = {item.uri: os.path.realpath(item.uri) for item in files}
    own = {item.uri: leads_to[item.uri] == f"{real}/{item.uri[start:]}" for item in files}
    found: dict[str, Listed] = {}
    for item in sorted(files, key=lambda item: (not own[item.uri], item.uri)):
        found.setdefault(leads_to[item.uri], item)
    return list(found.values())


def _holds_log(folder: str, form: TableFormat) -> bool:
    log = Path(folder + form.folder)
    try:
        return log.is_dir() and (form.file is None or any(form.file.fullmatch(path.name) for path in log.iterdir()))
    except OSError:  # what nobody may look into is no log of ours
        return False
