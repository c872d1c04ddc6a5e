"""Copy what lies below prefixes of a bucket into one tar file, and back: `objects.py save|empty|load ...`.

`deploy/backup.py` runs it in the network of the S3 server. The tar file goes to standard output, or comes from standard
input, so nothing is mounted. Keys of the server come from /run/secrets, endpoint and region from boto3's variables.

A monitor's results are copied again until nothing of them has changed between two listings: then the copy is what was
there at one moment, although nights may be published meanwhile. Leases are left out: their holders are not restored.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import IO, Any

ROUNDS = 30
LISTING = "listing.json"
CONTENT_TYPE = "NIGHTJAR.content-type"
_MEMORY = 64 << 20
"""Bytes of one object that are held in memory; a larger one goes through a temporary file."""


class NotSaved(Exception):
    """The objects could not be copied or put back; the message says what to do."""


def client() -> Any:
    """The server, as its root account."""
    import boto3

    secrets = Path(os.environ.get("SECRETS", "/run/secrets"))
    key, secret = ((secrets / f"s3_root_{part}_key").read_text(encoding="ascii") for part in ("access", "secret"))
    return boto3.client("s3", aws_access_key_id=key, aws_secret_access_key=secret)


def list_objects(s3: Any, bucket: str, prefixes: Iterable[str]) -> dict[str, str]:
    """The ETag of each object below the prefixes by its key, without leases."""
    pages = (s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix) for prefix in prefixes)
    found = {entry["Key"]: entry["ETag"] for listing in pages for page in listing for entry in page.get("Contents", [])}
    return {key: etag for key, etag in found.items() if not key.endswith(".lock")}


def save(s3: Any, bucket: str, prefixes: list[str], out: IO[bytes]) -> None:
    """Write the objects as a tar file; where a key is in it twice, the last one counts, and only those of its listing.

    Raises:
        NotSaved: something below a prefix went on changing.
    """
    copied: dict[str, str] = {}
    settled: set[str] = set()
    with tarfile.open(fileobj=out, mode="w|gz", format=tarfile.PAX_FORMAT) as tar:
        for _ in range(ROUNDS):
            there = {key: tag for key, tag in list_objects(s3, bucket, prefixes).items() if _group(key) not in settled}
            gone = {key for key in copied.keys() - there.keys() if _group(key) not in settled}
            changed = [key for key, tag in there.items() if copied.get(key) != tag]
            moving = {_group(key) for key in [*gone, *changed]}
            settled |= {_group(key) for key in there} - moving
            if not moving:
                break
            for key in gone:
                del copied[key]
            copied |= {key: there[key] for key in changed if _copy(s3, bucket, key, there[key], tar)}
        else:
            raise NotSaved(f"{', '.join(sorted(moving))} went on changing: back up when fewer nights run")
        _add(tar, LISTING, BytesIO(json.dumps(sorted(copied)).encode()), "application/json")


def _group(key: str) -> str:
    """What has to be of one moment: the first two parts of a key, such as `store/churn`."""
    return "/".join(key.split("/")[:2])


def _copy(s3: Any, bucket: str, key: str, etag: str, tar: tarfile.TarFile) -> bool:
    """Copy the object in the state that was listed; whether it still was in it."""
    from botocore.exceptions import ClientError

    try:
        found = s3.get_object(Bucket=bucket, Key=key, IfMatch=etag)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404", "PreconditionFailed", "412"):
            return False
        raise
    # Whole before any of it is written: a connection that breaks leaves no torn member behind.
    with tempfile.SpooledTemporaryFile(_MEMORY) as body:
        for chunk in found["Body"].iter_chunks(1 << 20):
            body.write(chunk)
        _add(tar, key, body, found["ContentType"])
    return True


def _add(tar: tarfile.TarFile, name: str, body: Any, content_type: str) -> None:
    member = tarfile.TarInfo(name)
    member.size = body.seek(0, os.SEEK_END)
    member.pax_headers = {CONTENT_TYPE: content_type}
    body.seek(0)
    tar.addfile(member, body)


def require_empty(s3: Any, bucket: str, prefixes: list[str]) -> None:
    """Raise `NotSaved` if there are objects below a prefix."""
    if list_objects(s3, bucket, prefixes):
        raise NotSaved(f"s3://{bucket} is not empty below {', '.join(prefixes)}: --replace removes what is there")


def load(s3: Any, bucket: str, prefixes: list[str], source: IO[bytes], *, replace: bool) -> int:
    """Put the objects of a tar file back; returns how many there are.

    Raises:
        NotSaved: there are objects below a prefix and `replace` is not set, or the tar file has no listing.
    """
    if not replace:
        require_empty(s3, bucket, prefixes)
    there = list_objects(s3, bucket, prefixes)
    listing: set[str] | None = None
    put = set(there)
    with tarfile.open(fileobj=source, mode="r|gz") as tar:
        for member in tar:
            body = tar.extractfile(member)
            if body is None:
                raise NotSaved(f"{member.name!r} in the tar file is no object")
            if member.name == LISTING:
                listing = set(json.load(body))
                continue
            with tempfile.SpooledTemporaryFile(_MEMORY) as whole:  # boto3 wants to go back in what it sends
                while chunk := body.read(1 << 20):
                    whole.write(chunk)
                whole.seek(0)
                kind = member.pax_headers.get(CONTENT_TYPE, "application/octet-stream")
                s3.upload_fileobj(whole, bucket, member.name, ExtraArgs={"ContentType": kind})
            put.add(member.name)
    if listing is None:
        raise NotSaved("the tar file ends before its listing: it was not written to its end")
    for key in put - listing:
        s3.delete_object(Bucket=bucket, Key=key)
    return len(listing)


def main() -> None:
    """`save BUCKET PREFIX ...`, `empty BUCKET PREFIX ...` or `load BUCKET PREFIX ... [--replace]`."""
    parser = argparse.ArgumentParser(description="Copy objects of the stack's S3 server into a tar file, and back.")
    parser.add_argument("what", choices=["save", "empty", "load"])
    parser.add_argument("bucket")
    parser.add_argument("prefixes", nargs="+")
    parser.add_argument("--replace", action="store_true", help="remove what is there before")
    options = parser.parse_args()
    try:
        if options.what == "save":
            save(client(), options.bucket, options.prefixes, sys.stdout.buffer)
        elif options.what == "empty":
            require_empty(client(), options.bucket, options.prefixes)
        else:
            number = load(client(), options.bucket, options.prefixes, sys.stdin.buffer, replace=options.replace)
            print(f"s3://{options.bucket}: {number} objects below {', '.join(options.prefixes)}")
    except NotSaved as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
