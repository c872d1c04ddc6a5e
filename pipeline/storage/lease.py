"""One retraining, promotion or rollback of a monitor at a time, on whatever machine.

The lease lies in the run store. On a local disk it is a `flock`, which ends with its process, however that ends. On S3
it is an object that its holder renews; written conditionally, so that of two who take it one fails, and its age is
read off the server's own clock. A holder that was killed stops renewing, and after `_EXPIRES_SECONDS` another may take
its place.
"""

from __future__ import annotations

import fcntl
import logging
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from pipeline.errors import OutletUnavailable, RetrainingBusy
from pipeline.storage import s3

log = logging.getLogger(__name__)

_KEY = "{monitor}/.retraining.lock"
_EXPIRES_SECONDS = 120.0
_RENEW_SECONDS = 30.0
_ASK_AGAIN_SECONDS = 1.0
_TAKEN_CODES = s3.CHANGED_CODES | {"ConditionalRequestConflict", "409"}


class Lease:
    """Held while the block of `hold` runs."""

    def __init__(self) -> None:
        self._lost = threading.Event()

    def lose(self) -> None:
        """Note that another holder took over."""
        self._lost.set()

    def require(self) -> None:
        """Call before a change that nobody else may make meanwhile.

        Raises:
            RetrainingBusy: the lease ran out while this process stood still, and another one holds it now.
        """
        if self._lost.is_set():
            raise RetrainingBusy("this run stood still for too long, and another one took its place: try again")


@contextmanager
def hold(store_uri: str, monitor: str, wait_seconds: float) -> Iterator[Lease]:
    """Hold the monitor's lease for the block; whoever holds it is waited for.

    Raises:
        RetrainingBusy: it was not free within `wait_seconds`.
        OutletUnavailable: the run store did not answer.
    """
    key = _KEY.format(monitor=monitor)
    deadline = time.monotonic() + wait_seconds
    if s3.is_s3(store_uri):
        bucket, prefix = s3.split(store_uri)
        with _hold_object(bucket, "/".join(filter(None, (prefix.strip("/"), key))), deadline) as lease:
            yield lease
    else:
        with _hold_file(Path(store_uri) / key, deadline) as lease:
            yield lease


@dataclass(frozen=True)
class _Place:
    bucket: str
    key: str
    owner: str


def _wait(deadline: float, what: str) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise RetrainingBusy(f"{what}: held by another retraining, promotion or rollback; try again when it has ended")
    time.sleep(min(_ASK_AGAIN_SECONDS, left))


@contextmanager
def _hold_file(path: Path, deadline: float) -> Iterator[Lease]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = open(path, "w")  # noqa: SIM115  (open for as long as the lock is held)
    except OSError as error:
        raise OutletUnavailable(f"{path}: cannot be written: {error.strerror}; see PIPELINE_STORE") from error
    with stream:
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                _wait(deadline, str(path))
        yield Lease()


@contextmanager
def _hold_object(bucket: str, key: str, deadline: float) -> Iterator[Lease]:
    owner = uuid.uuid4().hex
    etag = _take(bucket, key, owner)
    while etag is None:
        _wait(deadline, f"s3://{bucket}/{key}")
        etag = _take(bucket, key, owner)
    lease, stop = Lease(), threading.Event()
    renewing = threading.Thread(target=_renew, args=(_Place(bucket, key, owner), etag, lease, stop), daemon=True)
    renewing.start()
    try:
        yield lease
    finally:
        stop.set()
        renewing.join()
        if not lease._lost.is_set():
            _request(bucket, key, "delete_object")


def _take(bucket: str, key: str, owner: str) -> str | None:
    """The ETag of the lease if it could be taken."""
    etag = _put(bucket, key, owner, IfNoneMatch="*")
    if etag is None:
        found = _request(bucket, key, "head_object")
        if found is not None and _age_seconds(found) > _EXPIRES_SECONDS:
            log.warning("s3://%s/%s: its holder has not renewed it; taken over", bucket, key)
            etag = _put(bucket, key, owner, IfMatch=found["ETag"])
    return etag


def _put(bucket: str, key: str, text: str, **condition: str) -> str | None:
    """The ETag of what was written; None when the condition did not hold.

    A write whose answer got lost is sent again by boto3, and then meets itself: what is there tells.
    """
    found = _request(bucket, key, "put_object", Body=text.encode(), **condition)
    if found is None:
        there = _request(bucket, key, "get_object")
        if there is None or there["Body"].read() != text.encode():
            return None
        found = there
    return str(found["ETag"])


def _age_seconds(found: dict[str, Any]) -> float:
    now = parsedate_to_datetime(found["ResponseMetadata"]["HTTPHeaders"]["date"])
    return float((now - found["LastModified"]).total_seconds())


def _renew(place: _Place, etag: str, lease: Lease, stop: threading.Event) -> None:
    """Write the lease again and again. A store that does not answer for too long counts as lost."""
    renewed = time.monotonic()
    turn = 0
    while not stop.wait(_RENEW_SECONDS):
        turn += 1
        try:
            found = _put(place.bucket, place.key, f"{place.owner} {turn}", IfMatch=etag)
        except OutletUnavailable:
            if time.monotonic() - renewed > _EXPIRES_SECONDS - _RENEW_SECONDS:
                return lease.lose()
            continue
        if found is None:
            return lease.lose()
        etag, renewed = found, time.monotonic()
    return None


def _request(bucket: str, key: str, operation: str, **arguments: Any) -> dict[str, Any] | None:
    """The response; None when a condition did not hold or nothing is there."""
    from botocore.exceptions import ClientError

    with s3.asking(f"s3://{bucket}/{key}", OutletUnavailable):
        try:
            found: dict[str, Any] = getattr(s3.client(), operation)(Bucket=bucket, Key=key, **arguments)
        except ClientError as error:
            if s3.error_code(error) in _TAKEN_CODES | s3.MISSING_CODES - {"NoSuchBucket"}:
                return None
            raise
    return found
