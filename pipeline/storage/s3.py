"""The one place that talks to S3, through boto3 and its own variables (AWS_ENDPOINT_URL_S3, AWS_PROFILE, ...)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

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


def error_code(error: Exception) -> str:
    """The S3 error code of a botocore ClientError, or '' for any other error."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def explain(error: Exception, uri: str) -> str:
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
        endpoint = urlsplit(str(client().meta.endpoint_url)).netloc.rpartition("@")[2]
        return f"{uri}: no answer from {endpoint} ({name}); check AWS_ENDPOINT_URL_S3 and the network"
    return f"{uri}: {name}{f' ({code})' if code else ''}"
