"""The one place that talks to S3, through boto3 and its own variables (AWS_ENDPOINT_URL_S3, AWS_PROFILE, ...)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import NightjarError, OutletUnavailable
from pipeline.storage import addresses
from pipeline.storage.causes import certificate_advice, distrusted, no_answer
from pipeline.storage.patience import outlet
from pipeline.storage.retries import worth_another_try

if TYPE_CHECKING:
    from botocore.client import BaseClient

SCHEME = "s3://"
MISSING_CODES = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound", "NoSuchVersion"})
CHANGED_CODES = frozenset({"412", "PreconditionFailed"})
_NO_OBJECT_CODES = MISSING_CODES - {"NoSuchBucket"}
_LOST_CODES = CHANGED_CODES | _NO_OBJECT_CODES | {"409", "ConditionalRequestConflict"}
_BYTES = "application/octet-stream"
_NO_ANSWER = frozenset({"EndpointConnectionError", "ConnectTimeoutError", "ConnectionClosedError", "ReadTimeoutError"})
_NETWORK = "check AWS_ENDPOINT_URL_S3 and the network"
_DENIED_CODES = frozenset({"403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"})
_EXPIRED_CODES = frozenset({"ExpiredToken", "TokenRefreshRequired", "RequestExpired", "InvalidToken"})
_CLOCK_CODES = frozenset({"RequestTimeTooSkewed"})
_FULL_CODES = frozenset({"507", "XMinioStorageFull", "QuotaExceeded", "InsufficientCapacity", "EntityTooLarge"})
_BUSY_CODES = frozenset({"503", "429", "SlowDown", "ServiceUnavailable", "TooManyRequests", "RequestTimeout"})
_FAULT_CODES = frozenset({"500", "502", "504", "InternalError"})
# What to say of S3's codes, and of botocore's errors.
_WORDS = {
    _DENIED_CODES: "access denied ({cause}); check the AWS credentials and the bucket policy",
    _EXPIRED_CODES: "access denied ({cause}); the AWS credentials are no longer valid: get new ones",
    _CLOCK_CODES: "access denied ({cause}); the clocks of this machine and of the store differ: set them",
    MISSING_CODES: "not found ({cause}); check the name, and who removed it",
    frozenset({"NotImplemented"}): "the store cannot do this ({cause}): conditional writes, as AWS, MinIO and RustFS "
    "know them, are needed",
    _FULL_CODES: "the store takes no more ({cause}); make room there, or ask for more",
    _BUSY_CODES: "the store at {endpoint} is too busy ({cause}), again and again; run again later",
    _FAULT_CODES: "the store at {endpoint} failed ({cause}), again and again; see its log, then run again",
    frozenset({"NoCredentialsError"}): "no AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
    "AWS_PROFILE",
    frozenset({"PartialCredentialsError"}): "half of the AWS credentials; set AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    frozenset({"IncompleteReadError", "ResponseStreamingError"}): "the connection broke off in the middle of the "
    "object, again and again; check the network",
}


def is_s3(uri: str) -> bool:
    """Whether a location is on S3 rather than on a local disk."""
    return uri.startswith(SCHEME)


def split(uri: str) -> tuple[str, str]:
    """`s3://bucket/some/key` as (bucket, key); the key may be empty."""
    bucket, _, key = uri.removeprefix(SCHEME).partition("/")
    return bucket, key


@lru_cache(maxsize=1)
def client() -> Any:
    """A boto3 client that retries throttling, server errors and refused connections itself, with backoff.

    Clients are safe to share between threads, sessions are not, so one client serves the process.
    """
    import boto3
    from botocore.config import Config

    config = Config(
        retries={"mode": "standard", "total_max_attempts": 5},
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=32,
    )
    s3: BaseClient = boto3.session.Session().client("s3", config=config)
    return s3


@contextmanager
def asking(
    uri: str, failed: Callable[[str], NightjarError], gone: Callable[[str], NightjarError] | None = None
) -> Iterator[None]:
    """A block of requests about an address; what goes wrong in it is raised as one of our errors.

    Args:
        uri: what the requests are about; the error names it.
        failed: makes the error from a sentence for people.
        gone: the same where the object or bucket is not there, or no longer in the state that was asked for.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except (BotoCoreError, ClientError, HTTPError) as error:
        absent = error_code(error) in MISSING_CODES | CHANGED_CODES
        make = gone if gone is not None and absent else failed
        raise make(_explain(error, uri)) from error


def is_denied(error: Exception) -> bool:
    """Whether an error of boto3's says that these credentials may not do this."""
    return error_code(error) in _DENIED_CODES | _EXPIRED_CODES | _CLOCK_CODES


@dataclass(frozen=True)
class Stored:
    """An object as it was found. `etag` names its state; `age_seconds` is read off the server's own clock."""

    content: bytes
    etag: str
    age_seconds: float


def read(uri: str) -> Stored | None:
    """An object; None where there is none.

    This and what follows raises OutletUnavailable when the store does not answer or refuses.
    """
    bucket, key = split(uri)
    with _storing(uri), _unless(_NO_OBJECT_CODES):
        found = client().get_object(Bucket=bucket, Key=key)
        now = parsedate_to_datetime(found["ResponseMetadata"]["HTTPHeaders"]["date"])
        age = (now - found["LastModified"]).total_seconds()
        return Stored(found["Body"].read(), str(found["ETag"]), age)
    return None


def write(uri: str, content: bytes, content_type: str = _BYTES) -> None:
    """Write an object, or put it in place of the one that is there."""
    bucket, key = split(uri)
    with _storing(uri):
        client().put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type)


def write_if(uri: str, content: bytes, etag: str | None, content_type: str = _BYTES) -> str | None:
    """Write an object that is still in a state, for None one that is not there; its new state, None if it was not so.

    A write whose answer got lost is sent again by boto3, and then meets itself: what is there tells. So the content has
    to be one that nobody else writes.
    """
    bucket, key = split(uri)
    condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
    with _storing(uri), _unless(_LOST_CODES):
        found = client().put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type, **condition)
        return str(found["ETag"])
    there = read(uri)
    return there.etag if there is not None and there.content == content else None


def copy(source: str, target: str) -> bool:
    """Copy an object within the store, with its content type; False where it is not there."""
    (from_bucket, from_key), (bucket, key) = split(source), split(target)
    with _storing(target), _unless(_NO_OBJECT_CODES):
        client().copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": from_bucket, "Key": from_key})
        return True
    return False


def upload(uri: str, path: Path) -> None:
    """Write a file of any size as an object."""
    bucket, key = split(uri)
    with _storing(uri), open(path, "rb") as stream:
        client().upload_fileobj(stream, bucket, key)


def exists(uri: str) -> bool:
    """Whether there is such an object."""
    bucket, key = split(uri)
    with _storing(uri), _unless(_NO_OBJECT_CODES):
        client().head_object(Bucket=bucket, Key=key)
        return True
    return False


def remove(uri: str) -> None:
    """Remove an object, if it is there."""
    bucket, key = split(uri)
    with _storing(uri):
        client().delete_object(Bucket=bucket, Key=key)


def names(prefix: str) -> list[str]:
    """What follows a prefix in the addresses of all objects below it."""
    bucket, key = split(prefix)
    with _storing(prefix):
        pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        return [item["Key"].removeprefix(key) for page in pages for item in page.get("Contents", ())]


def bytes_below(prefix: str) -> int:
    """What all objects below a prefix take."""
    bucket, key = split(prefix)
    with _storing(prefix):
        pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        return sum(int(item["Size"]) for page in pages for item in page.get("Contents", ()))


def folders(prefix: str) -> list[str]:
    """What follows a prefix up to the next `/`, where something follows that."""
    bucket, key = split(prefix)
    with _storing(prefix):
        pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key, Delimiter="/")
        found = [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", ())]
    return [name.removeprefix(key).rstrip("/") for name in found]


@contextmanager
def _storing(uri: str) -> Iterator[None]:
    with asking(uri, OutletUnavailable), outlet(f"the S3 store at {_endpoint()}"), asking(uri, OutletUnavailable):
        yield


@contextmanager
def _unless(codes: frozenset[str]) -> Iterator[None]:
    """Ends the block quietly where S3 answers with one of these codes."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if error_code(error) not in codes:
            raise


def error_code(error: BaseException) -> str:
    """The S3 error code of a botocore ClientError, or '' for any other error."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def may_pass(error: BaseException) -> bool:
    """Whether the same request may be answered later: a busy server, or a body that broke off.

    urllib3's errors are no `OSError`; a full disk is one that no retry mends.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    if isinstance(error, ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return worth_another_try(status) or error_code(error) == "RequestTimeout"  # which S3 answers with 400
    return isinstance(error, BotoCoreError | HTTPError | ConnectionError | TimeoutError)


def _explain(error: Exception, uri: str) -> str:
    """A sentence for people about a failed request; without credentials or signed addresses."""
    name, code = type(error).__name__, error_code(error)
    cause = code or name
    for causes, words in _WORDS.items():
        if cause in causes:
            return f"{uri}: {words.format(cause=cause, endpoint=_endpoint())}"
    distrust = distrusted(error)
    if distrust is not None:
        return f"{uri}: {_endpoint()}: {distrust}; {certificate_advice('AWS_CA_BUNDLE')}"
    words = no_answer(error, "AWS_ENDPOINT_URL_S3") or (name in _NO_ANSWER and _NETWORK) or ""
    if words:
        return f"{uri}: no answer from {_endpoint()} ({cause}): {words}"
    return f"{uri}: {name}{f' ({code})' if code else ''}"


def _endpoint() -> str:
    found = addresses.parse(str(client().meta.endpoint_url))
    return "the endpoint" if found is None else found.place
