"""The run store: every night's results, on a local disk or on S3.

    <store>/<monitor>/<run_date>/        the night as published: read by people and other programs
    <store>/index.html, <store>/<monitor>/index.html, <store>/<monitor>/history.json   over many nights
    <store>/<monitor>/.work/<run_date>/  results of the steps so far: read by the next step, on whatever machine
    <store>/<monitor>/.receipts/<run_date>/  what was delivered, so that nothing is sent twice

A night is published whole. On a local disk `<run_date>` is a symbolic link that is switched to a complete folder in
one step. S3 has no such switch: `night.json`, written last, lists the digest of every file of the night, and
`RunStore.read_night` accepts only files that agree with it. Pages of old nights change when their neighbours do:
`RunStore.replace_in_night` leaves the other files of a night as they are.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import date
from pathlib import Path
from typing import Protocol, TypeVar

from pydantic import ValidationError

from pipeline.errors import OutletUnavailable, ResultMissing
from pipeline.results import Result
from pipeline.storage import s3

MANIFEST = "night.json"
_READS = 5
_BETWEEN_READS_SECONDS = 0.1
_CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".eml": "message/rfc822",
    ".prom": "text/plain; charset=utf-8",
}
R = TypeVar("R", bound=Result)


class _Files(Protocol):
    """Whole files by key, `/` between parts. Writing replaces in one step."""

    def read(self, key: str) -> bytes | None: ...

    def write(self, key: str, content: bytes) -> None: ...

    def folders(self, key: str) -> list[str]: ...

    def publish(self, key: str, files: Mapping[str, bytes], keep: Collection[str] = ()) -> None: ...

    def alone(self, key: str) -> AbstractContextManager[None]: ...

    def uri(self, key: str) -> str: ...


class RunStore:
    """Reads and writes the results of nights; see the module's description for the layout."""

    def __init__(self, uri: str) -> None:
        self._files: _Files = _S3Files(uri) if s3.is_s3(uri) else _LocalFiles(Path(uri))

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
        """Put a night's files in place of whatever was published for the date, whole."""
        key = f"{monitor}/{run_date}"
        with self._files.alone(key):
            self._files.publish(key, {**files, MANIFEST: _manifest(_digests(files))})

    def replace_in_night(self, monitor: str, run_date: date, files: Mapping[str, bytes]) -> bool:
        """Put some files in place of those in a published night and leave the others; whether anything changed."""
        key = f"{monitor}/{run_date}"
        with self._files.alone(key):
            known = self._read_digests(key)
            changed = {name: new for name, new in files.items() if self._files.read(f"{key}/{name}") != new}
            if known is None or not changed:
                return False
            manifest = _manifest(known | _digests(changed))
            self._files.publish(key, {**changed, MANIFEST: manifest}, keep=known.keys() - changed.keys())
        return True

    def read_night(self, monitor: str, run_date: date, names: Collection[str] | None = None) -> dict[str, bytes] | None:
        """Files of a published night, from one publication; None when there is none, or not a whole one (on S3).

        Args:
            monitor: whose night.
            run_date: its date.
            names: read those that there are of these; by default all.
        """
        key = f"{monitor}/{run_date}"
        for attempt in range(_READS):
            time.sleep(_BETWEEN_READS_SECONDS * min(attempt, 1))  # it may just be being replaced
            digests = self._read_digests(key)
            if digests is None:
                return None
            wanted = {name: digest for name, digest in digests.items() if names is None or name in names}
            files = {name: self._files.read(f"{key}/{name}") for name in wanted}
            whole = {name: content for name, content in files.items() if content is not None}
            if _digests(whole) == wanted:
                return whole
        return None

    def _read_digests(self, key: str) -> dict[str, str] | None:
        content = self._files.read(f"{key}/{MANIFEST}")
        return None if content is None else dict(json.loads(content)["files"])

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

    def read_page(self, key: str) -> bytes | None:
        """A page or file over many nights, such as `churn/index.html`."""
        return self._files.read(key)

    def write_page(self, key: str, content: bytes) -> None:
        """Write a page over many nights, unless it is there already just so."""
        if self._files.read(key) != content:
            self._files.write(key, content)

    def alone(self, monitor: str) -> AbstractContextManager[None]:
        """On disk, nobody else brings the pages of this monitor up to date meanwhile; on S3 somebody may."""
        return self._files.alone(f"{monitor}/history.json")

    def page_uri(self, key: str) -> str:
        """Where a page over many nights lies: a path or an s3:// address."""
        return self._files.uri(key)

    def receipt(self, monitor: str, run_date: date, outlet: str) -> str | None:
        """What was last delivered through an outlet for this night, as it was noted."""
        content = self._files.read(f"{monitor}/.receipts/{run_date}/{outlet}")
        return None if content is None else content.decode()

    def note_receipt(self, monitor: str, run_date: date, outlet: str, text: str) -> None:
        """Note what was delivered through an outlet for this night."""
        self._files.write(f"{monitor}/.receipts/{run_date}/{outlet}", text.encode())

    def night_uri(self, monitor: str, run_date: date, name: str = "") -> str:
        """Where a file of the published night lies: a path or an s3:// address."""
        return self._files.uri(f"{monitor}/{run_date}/{name}".rstrip("/"))


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def _manifest(digests: Mapping[str, str]) -> bytes:
    return (json.dumps({"files": dict(sorted(digests.items()))}, indent=2) + "\n").encode()


def _is_date(name: str) -> bool:
    try:
        return date.fromisoformat(name).isoformat() == name
    except ValueError:
        return False


class _LocalFiles:
    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, key: str) -> bytes | None:
        try:
            return (self._root / key).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, key: str, content: bytes) -> None:
        try:
            self._write(self._root / key, content)
        except OSError as error:
            raise OutletUnavailable(
                f"{self.uri(key)}: cannot be written: {error.strerror}; see PIPELINE_STORE"
            ) from error

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as temporary:
            temporary.write(content)
            temporary.flush()
            os.fsync(temporary.fileno())
            os.fchmod(temporary.fileno(), 0o644)
        os.replace(temporary.name, path)

    def folders(self, key: str) -> list[str]:
        folder = self._root / key
        return [item.name for item in folder.iterdir() if item.is_dir()] if folder.is_dir() else []

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Nobody else publishes under the key meanwhile, and clears away a folder that is still being filled."""
        path = self._root / key
        lock = path.parent / ".nights" / f"{path.name}.lock"
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            with lock.open("w") as held:
                fcntl.flock(held, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise OutletUnavailable(
                f"{self.uri(key)}: cannot be written: {error.strerror}; see PIPELINE_STORE"
            ) from error

    def publish(self, key: str, files: Mapping[str, bytes], keep: Collection[str] = ()) -> None:
        link = self._root / key
        versions = link.parent / ".nights" / link.name
        versions.mkdir(parents=True, exist_ok=True)
        complete = Path(tempfile.mkdtemp(dir=versions))
        complete.chmod(0o755)
        previous = link.resolve() if link.is_symlink() else None
        for name in keep:
            os.link(link / name, complete / name)
        for name, content in files.items():
            self.write(str((complete / name).relative_to(self._root)), content)
        new_link = complete.with_suffix(".link")
        new_link.symlink_to(complete.relative_to(link.parent))
        os.replace(new_link, link)
        for old in versions.iterdir():  # a reader may still be in the previous one
            if old not in (complete, previous):
                shutil.rmtree(old, ignore_errors=True)

    def uri(self, key: str) -> str:
        return str(self._root / key)


class _S3Files:
    def __init__(self, uri: str) -> None:
        self._bucket, prefix = s3.split(uri)
        self._prefix = prefix.strip("/")

    def _key(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key

    def read(self, key: str) -> bytes | None:
        from botocore.exceptions import ClientError

        with s3.asking(self.uri(key), OutletUnavailable):
            try:
                content: bytes = s3.client().get_object(Bucket=self._bucket, Key=self._key(key))["Body"].read()
            except ClientError as error:
                if s3.error_code(error) == "NoSuchKey":
                    return None
                raise
        return content

    def write(self, key: str, content: bytes) -> None:
        content_type = _CONTENT_TYPES.get(Path(key).suffix, "application/octet-stream")
        with s3.asking(self.uri(key), OutletUnavailable):
            s3.client().put_object(Bucket=self._bucket, Key=self._key(key), Body=content, ContentType=content_type)

    def folders(self, key: str) -> list[str]:
        prefix = self._key(key) + "/"
        with s3.asking(self.uri(key), OutletUnavailable):
            pages = (
                s3.client().get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/")
            )
            found = [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", ())]
        return [name.removeprefix(prefix).rstrip("/") for name in found]

    def alone(self, key: str) -> AbstractContextManager[None]:
        """S3 has no locks: whoever replaces files reads them again afterwards."""
        return nullcontext()

    def publish(self, key: str, files: Mapping[str, bytes], keep: Collection[str] = ()) -> None:
        last = ("index.html", MANIFEST)
        for name in [*(name for name in files if name not in last), *(name for name in last if name in files)]:
            self.write(f"{key}/{name}", files[name])

    def uri(self, key: str) -> str:
        return f"s3://{self._bucket}/{self._key(key)}"
