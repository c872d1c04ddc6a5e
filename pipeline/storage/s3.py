"""The one place that talks to S3, through boto3 and its own variables (AWS_ENDPOINT_URL_S3, AWS_PROFILE, ...)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pipeline.errors import NightjarError
from pipeline.storage import addresses
from pipeline.storage.retries import worth_another_try

if TYPE_CHECKING:
    from botocore.client import BaseClient

SCHEME = "s3://"
MISSING_CODES = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound", "NoSuchVersion"})
CHANGED_CODES = frozenset({"412", "PreconditionFailed"})


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
    code = error_code(error)
    if code in {"403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}:
        return f"{uri}: access denied ({code}); check the AWS credentials and the bucket policy"
    if code in MISSING_CODES:
        return f"{uri}: not found ({code})"
    name = type(error).__name__
    if name == "NoCredentialsError":
        return f"{uri}: no AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
    if name in {"IncompleteReadError", "ResponseStreamingError"}:
        return f"{uri}: the connection broke off in the middle of the object, again and again; check the network"
    if name in {"EndpointConnectionError", "ConnectTimeoutError", "ConnectionClosedError", "ReadTimeoutError"}:
        endpoint = addresses.parse(str(client().meta.endpoint_url))
        place = "the endpoint" if endpoint is None else endpoint.place
        return f"{uri}: no answer from {place} ({name}); check AWS_ENDPOINT_URL_S3 and the network"
    return f"{uri}: {name}{f' ({code})' if code else ''}"
