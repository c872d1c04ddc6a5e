"""The run store: every night's results, on a local disk or on S3.

    <store>/<monitor>/<run_date>/        the night as published: read by people and other programs
    <store>/index.html, <store>/<monitor>/{index.html, columns.html, history.json}   over many nights
    <store>/_evidently/                  what all reports link to, by digest
    <store>/<monitor>/.work/<run_date>/  results of the steps so far: read by the next step, on whatever machine
    <store>/<monitor>/.receipts/<run_date>/  what was delivered, so that nothing is sent twice
    <store>/<monitor>/.nights/           versions of nights on a local disk, what is not in its place yet on S3
    <store>/<monitor>/.labelled/<day>.json   what is known of a day's predictions, as their labels come
    <store>/.format                      the form of all this, see `pipeline.storage.store_format`
    .lock, .retraining.lock, .receipts/.mail.lock  leases, in the folder they are about

A night is published whole: `RunStore.read_night` gives the old one or the new one, never a mixture, whoever publishes
at once and whoever is killed meanwhile. `night.json` lists the digest of every file of the night; how it gets there is
told in `pipeline.storage.manifest`. Pages of old nights change when their neighbours do: `RunStore.replace_in_night`
leaves the other files of a night as they are.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import date
from typing import NamedTuple, TypeVar

from pydantic import ValidationError

from pipeline.errors import ResultMissing
from pipeline.results import Result
from pipeline.storage import store_format
from pipeline.storage.files import Files, files_at
from pipeline.storage.lease import EXPIRES_SECONDS, Lease
from pipeline.storage.manifest import MANIFEST, Manifest, aside, digests
from pipeline.storage.modes import VERSIONS

PATIENCE_SECONDS = 600.0
DELIVERY_SECONDS = 1_200.0
"""A mail server may take ten minutes for its answer."""
_OF_A_DATE = (VERSIONS, ".work", ".receipts")
"""Folders of a monitor that have one for each date, beside the published nights."""
_LEASES = (".lock", f"{VERSIONS}/.lock", ".retraining.lock", "retraining/.nights/.lock")
_READS = 5
_BETWEEN_READS_SECONDS = 0.1
R = TypeVar("R", bound=Result)


class Held(NamedTuple):
    """A lease that somebody holds: where it lies, and for how many seconds its holder has given no sign of life."""

    uri: str
    silent_seconds: float

    @property
    def stale(self) -> bool:
        """Whether its holder was killed: whoever comes next may take it over."""
        return self.silent_seconds > EXPIRES_SECONDS


class RunStore:
    """Reads and writes the results of nights; see the module's description for the layout.

    Every method raises OutletUnavailable when the store cannot be reached, read or written, and LaterFormat when a
    later version wrote it in a form that this one does not know.
    """

    def __init__(self, uri: str) -> None:
        self._place: Files = files_at(uri)
        self._has_format: bool | None = None

    @property
    def _files(self) -> Files:
        """The store's files, once it is known that they can be understood."""
        if self._has_format is None:
            self._has_format = store_format.require_known(self._place)
        return self._place

    def _note_format(self) -> None:
        files = self._files
        if not self._has_format:
            store_format.note(files)
            self._has_format = True

    def save(self, monitor: str, run_date: date, name: str, value: Result) -> None:
        """Keep a step's result for the steps after it."""
        self._files.write(f"{monitor}/.work/{run_date}/{name}.json", value.to_json())

    def load(self, monitor: str, run_date: date, name: str, kind: type[R]) -> R:
        """The result an earlier step kept.

        Raises:
            ResultMissing: no step has kept it, or it cannot be read; says which step to run again.
        """
        key = f"{monitor}/.work/{run_date}/{name}.json"
        content = self._files.read(key)
        if content is None:
            raise ResultMissing(f"{self._files.uri(key)} is missing: run the night of {run_date} from its first step")
        try:
            return kind.model_validate_json(content)
        except ValidationError as error:
            raise ResultMissing(
                f"{self._files.uri(key)} does not hold a {kind.__name__} ({error.error_count()} problems): "
                f"run the night of {run_date} again from its first step"
            ) from error

    def publish_night(self, monitor: str, run_date: date, files: Mapping[str, bytes]) -> None:
        """Put a night's files in place of whatever was published for the date, whole; what is there just so stays.

        Raises:
            StoreBusy: somebody else published for too long, or while this process stood still.
        """
        key = f"{monitor}/{run_date}"
        with self.alone(key) as lease:
            if not self._is_published(key, files):
                self._note_format()
                self._files.publish(key, files, Manifest(digests(files)), lease)

    def replace_in_night(self, monitor: str, run_date: date, files: Mapping[str, bytes]) -> bool:
        """Put some files in place of those in a published night and leave the others; whether any was another one.

        Raises:
            StoreBusy: as for `publish_night`.
        """
        key = f"{monitor}/{run_date}"
        manifest = self._manifest(key)
        if manifest is None or (manifest.in_place and not self._changed(key, manifest, files)):
            return False
        with self.alone(key) as lease:
            self._files.settle(key, lease)
            manifest = self._manifest(key)
            changed = {} if manifest is None else self._changed(key, manifest, files)
            if manifest is None or not changed:
                return False
            self._files.publish(key, changed, manifest.updated(changed), lease)
        return True

    def _is_published(self, key: str, files: Mapping[str, bytes]) -> bool:
        manifest = self._manifest(key)
        if manifest is None or not manifest.in_place or manifest.files.keys() != files.keys():
            return False
        return not self._changed(key, manifest, files)

    def _changed(self, key: str, manifest: Manifest, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Those that the manifest knows otherwise, and those in whose place somebody put something else."""

        def is_there(name: str, content: bytes, digest: str) -> bool:
            return manifest.files.get(name) == digest and self._files.read(f"{key}/{name}") == content

        wanted = digests(files)
        return {name: new for name, new in files.items() if not is_there(name, new, wanted[name])}

    def read_night(self, monitor: str, run_date: date, names: Collection[str] | None = None) -> dict[str, bytes] | None:
        """Files of a published night, from one publication; None when there is none, or somebody else changed a file.

        Args:
            monitor: whose night.
            run_date: its date.
            names: read those that there are of these; by default all.
        """
        key, misses, last = f"{monitor}/{run_date}", 0, None
        while misses < _READS:
            manifest = self._manifest(key)
            if manifest is None:
                return None
            wanted = {name: digest for name, digest in manifest.files.items() if names is None or name in names}
            files = {name: self._read_file(key, manifest, name) for name in wanted}
            whole = {name: content for name, content in files.items() if content is not None}
            if digests(whole) == wanted:
                return whole
            misses, last = (misses + 1 if manifest == last else 1), manifest  # it may just be being replaced
            time.sleep(_BETWEEN_READS_SECONDS)
        return None

    def _manifest(self, key: str) -> Manifest | None:
        return Manifest.read(self._files.read(f"{key}/{MANIFEST}"))

    def _read_file(self, key: str, manifest: Manifest, name: str) -> bytes | None:
        found = None if manifest.in_place else self._files.read(f"{aside(key)}/{manifest.version}/{name}")
        return self._files.read(f"{key}/{name}") if found is None else found

    def read_result(self, monitor: str, run_date: date, name: str, kind: type[R]) -> R | None:
        """One result of a published night; None when there is none, or it was written by a version that kept less."""
        content = self._files.read(f"{monitor}/{run_date}/{name}.json")
        try:
            return None if content is None else kind.model_validate_json(content)
        except ValidationError:
            return None

    def nights(self, monitor: str) -> list[date]:
        """Dates with a published night, oldest first."""
        return sorted(date.fromisoformat(name) for name in self._files.folders(monitor) if _is_date(name))

    def dates(self, monitor: str) -> list[date]:
        """Dates of which there is anything: a published night, results of steps, receipts, what a kill left of a
        removal; oldest first.
        """
        folders = (monitor, *(f"{monitor}/{part}" for part in _OF_A_DATE))
        names = {name for folder in folders for name in self._files.folders(folder)}
        return sorted(date.fromisoformat(name) for name in names if _is_date(name))

    def bytes_of_night(self, monitor: str, run_date: date) -> int:
        """What everything takes that there is of a date."""
        return sum(self._files.bytes_of(key) for key in _keys_of(monitor, run_date))

    def remove_night(self, monitor: str, run_date: date) -> None:
        """Remove everything that there is of a date, the published night first. Whoever is killed in it does it again.

        Raises:
            StoreBusy: as for `publish_night`.
        """
        with self.alone(f"{monitor}/{run_date}"):
            for key in _keys_of(monitor, run_date):
                self._files.remove_folder(key)

    def knows(self, monitor: str) -> bool:
        """Whether there is anything of a monitor."""
        return bool(self._files.folders(monitor) or self._files.names(monitor))

    def bytes_of_monitor(self, monitor: str) -> int:
        """What everything takes that there is of a monitor."""
        return self._files.bytes_of(monitor)

    def remove_monitor(self, monitor: str) -> None:
        """Remove everything that there is of a monitor: whoever is killed in it does it again. Of those who publish at
        the same moment something may be left.
        """
        self._files.remove_folder(monitor)

    def days(self, key: str) -> list[date]:
        """Dates by which files right in a folder are named, such as `2026-01-14.json`; oldest first."""
        names = (name.partition(".")[0] for name in self._files.names(key))
        return sorted(date.fromisoformat(name) for name in names if _is_date(name))

    def read_page(self, key: str) -> bytes | None:
        """A page or file over many nights, such as `churn/index.html`."""
        return self._files.read(key)

    def write_page(self, key: str, content: bytes) -> None:
        """Write a page over many nights, unless it is there already just so."""
        if self._files.read(key) != content:
            self._files.write(key, content)

    def remove_page(self, key: str) -> None:
        """Remove a page or file over many nights, if it is there."""
        self._files.remove(key)

    def alone(self, key: str, wait_seconds: float = PATIENCE_SECONDS) -> AbstractContextManager[Lease]:
        """Nobody else holds the same key while the block runs, on whatever machine; whoever does is waited for.

        Not for a block that takes the same key again: `publish_night` and `replace_in_night` take the one of their
        night.

        Args:
            key: "" for the fleet, a monitor's name, or `<monitor>/<run_date>`. All nights of a monitor share one lease,
                as files of one per night would pile up; a monitor's own is another one.
            wait_seconds: for how long.

        Raises:
            StoreBusy: it was not free within that time.
        """
        return self._files.alone(_lease_of(key), wait_seconds, "another process")

    def alone_retraining(self, monitor: str, wait_seconds: float) -> AbstractContextManager[Lease]:
        """The same for what moves a monitor's champion. Apart from its pages: nights end while a retraining goes on."""
        key = f"{monitor}/.retraining.lock"
        return self._files.alone(key, wait_seconds, "another retraining, promotion or rollback")

    def alone_outlet(self, monitor: str, outlet: str) -> AbstractContextManager[Lease]:
        """The same for who asks what an outlet has, and gives it the rest: two at once would both give it.

        Raises:
            StoreBusy: somebody else was still at it after `DELIVERY_SECONDS`.
        """
        key = f"{monitor}/.receipts/.{outlet}.lock"
        return self._files.alone(key, DELIVERY_SECONDS, f"another process that serves the outlet {outlet}")

    def leases(self, monitors: Iterable[str]) -> list[Held]:
        """Those that somebody holds of the fleet and of some monitors, or held when it was killed."""
        keys = [_lease_of(""), *(f"{monitor}/{lease}" for monitor in monitors for lease in _LEASES)]
        found = ((key, self._files.silence(key)) for key in keys)
        return [Held(self._files.uri(key), silent) for key, silent in found if silent is not None]

    def page_uri(self, key: str) -> str:
        """Where a page over many nights lies: a path or an s3:// address."""
        return self._files.uri(key)

    def receipt(self, monitor: str, run_date: date, outlet: str) -> str | None:
        """What was last delivered through an outlet for this night, as it was noted."""
        content = self._files.read(f"{monitor}/.receipts/{run_date}/{outlet}")
        return None if content is None else content.decode(errors="replace")  # of a damaged one: delivered again

    def note_receipt(self, monitor: str, run_date: date, outlet: str, text: str) -> None:
        """Note what was delivered through an outlet for this night."""
        self._files.write(f"{monitor}/.receipts/{run_date}/{outlet}", text.encode())

    def night_uri(self, monitor: str, run_date: date, name: str = "") -> str:
        """Where a file of the published night lies: a path or an s3:// address."""
        return self._files.uri(f"{monitor}/{run_date}/{name}".rstrip("/"))


def _lease_of(key: str) -> str:
    folder, _, name = key.rpartition("/")
    if _is_date(name):
        return f"{folder}/.nights/.lock"
    return f"{key}/.lock" if key else ".lock"


def _keys_of(monitor: str, run_date: date) -> list[str]:
    """The folders of a date, in the order in which they go."""
    return [f"{monitor}/{run_date}", *(f"{monitor}/{part}/{run_date}" for part in _OF_A_DATE)]


def _is_date(name: str) -> bool:
    try:
        return date.fromisoformat(name).isoformat() == name
    except ValueError:
        return False
