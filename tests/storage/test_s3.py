"""Objects on S3: what is read, what is written on a condition, and what a refusal means."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import NightjarError, OutletRefused, OutletUnavailable
from pipeline.storage import s3 as objects
from tests.servers.s3 import S3, FlakyS3


def test_an_object_is_written_only_in_the_state_that_is_expected(s3: S3) -> None:
    uri = s3.uri("a")
    assert objects.read(uri) is None
    assert objects.write_if(uri, b"of nobody", "an etag") is None
    first = objects.write_if(uri, b"first", None)
    assert first is not None
    assert objects.write_if(uri, b"second", None) is None
    second = objects.write_if(uri, b"second", first)
    assert objects.write_if(uri, b"third", first) is None
    found = objects.read(uri)
    assert found is not None
    assert (found.content, found.etag) == (b"second", second)
    assert 0 <= found.age_seconds < 60


def test_listings_come_whole_and_relative(s3: S3) -> None:
    for key in ("p/a", "p/b/1", "p/b/2", "p/c/d/3", "pq", "p/e"):
        s3.put(key, b"")
    assert objects.names(s3.uri("p/")) == ["a", "b/1", "b/2", "c/d/3", "e"]
    assert objects.folders(s3.uri("p/")) == ["b", "c"]
    assert objects.names(s3.uri("nothing/")) == objects.folders(s3.uri("nothing/")) == []


def test_a_copy_takes_the_content_type_along_and_needs_a_source(s3: S3) -> None:
    objects.write(s3.uri("a b/ü"), b"x", "text/html")
    assert objects.copy(s3.uri("a b/ü"), s3.uri("c"))
    assert s3.get("c") == b"x"
    assert s3.client.head_object(Bucket=s3.bucket, Key="c")["ContentType"] == "text/html"
    assert not objects.copy(s3.uri("nothing"), s3.uri("c"))
    objects.remove(s3.uri("c"))
    objects.remove(s3.uri("c"))
    assert not objects.exists(s3.uri("c"))


def test_a_bucket_that_is_not_there_is_no_missing_object(s3: S3) -> None:
    for ask in (objects.read, objects.names, objects.folders, objects.remove):
        with pytest.raises(OutletUnavailable, match=r"s3://no-such/a: not found \(NoSuchBucket\)"):
            ask("s3://no-such/a")


@pytest.mark.parametrize("gone", [None, OutletRefused])
def test_a_room_says_which_of_its_errors_a_missing_object_is(s3: S3, gone: type[NightjarError] | None) -> None:
    with pytest.raises(gone or OutletUnavailable, match=r"s3://snapshots/a: not found \(NoSuchKey\)"):  # noqa: SIM117
        with objects.asking(s3.uri("a"), OutletUnavailable, gone):
            objects.client().get_object(Bucket=s3.bucket, Key="a")


def test_an_upload_that_is_denied_says_so(s3_flaky: FlakyS3, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"rows")
    s3_flaky.fail(times=5, status=403, code="AccessDenied")
    with pytest.raises(OutletUnavailable, match=r"access denied \(AccessDenied\)"):
        objects.upload(s3_flaky.s3.uri("a"), tmp_path / "file")


def test_an_endpoint_with_a_password_is_named_without_it(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://me:secret@127.0.0.1:9")
    monkeypatch.setattr("time.sleep", lambda _: None)  # boto3's own pauses
    objects.client.cache_clear()
    with pytest.raises(OutletUnavailable, match=r"no answer from 127\.0\.0\.1:9 \(EndpointConnectionError\)") as caught:
        objects.read(s3.uri("a"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code", "passing"),
    [
        (503, "SlowDown", True),
        (500, "InternalError", True),
        (400, "RequestTimeout", True),
        (429, "TooManyRequests", True),
        (403, "AccessDenied", False),
        (404, "NoSuchKey", False),
        (412, "PreconditionFailed", False),
    ],
)
def test_which_answers_pass(status: int, code: str, passing: bool) -> None:
    from botocore.exceptions import ClientError

    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    assert objects.may_pass(ClientError(answer, "GetObject")) is passing
