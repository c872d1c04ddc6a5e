"""Where killed commands keep what they write: a disk with the embedded MLflow, or S3 and an MLflow server."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.faults.kills import State, files_of, leftovers, plain, plain_files, state_from
from tests.servers.processes import LOOPBACK
from tests.servers.s3 import CREDENTIALS, S3

After = tuple[str, ...]
"""Commands that were run before."""


class Place(Protocol):
    """What commands write, put back to what it was after other commands."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables that make commands write here."""

    @property
    def kept(self) -> frozenset[After]:
        """The states that can be put back."""

    def keep(self, after: After) -> None:
        """Keep the state as it is now."""

    def put_back(self, after: After) -> None:
        """Have the state again that was kept."""

    def state(self) -> State:
        """What is compared."""


@dataclass
class OnDisk:
    """The embedded parts: everything is in one folder."""

    folder: Path
    templates: Path
    _kept: dict[After, Path] = field(default_factory=dict)

    @property
    def environment(self) -> Mapping[str, str]:
        """See `Place`."""
        return {}

    @property
    def kept(self) -> frozenset[After]:
        """See `Place`."""
        return frozenset(self._kept)

    def keep(self, after: After) -> None:
        """See `Place`."""
        self._kept[after] = self.templates / str(len(self._kept))
        shutil.copytree(self.folder, self._kept[after], symlinks=True)

    def put_back(self, after: After) -> None:
        """See `Place`."""
        copy_over(self._kept[after], self.folder)

    def state(self) -> State:
        """See `Place`."""
        files = plain_files(files_of(self.folder / "store"))
        return state_from(files, self.folder / "mlflow.db", self.folder / "mlflow-artifacts", leftovers(self.folder))


@dataclass
class OnServers:
    """The run store in a bucket, and a server's MLflow: its database, and the folder of its artifacts."""

    local: OnDisk
    s3: S3
    mlflow_url: str
    mlflow: Path
    _objects: dict[After, dict[str, bytes]] = field(default_factory=dict)

    @property
    def environment(self) -> Mapping[str, str]:
        """See `Place`."""
        return {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL_S3": self.s3.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": LOOPBACK,
            "PIPELINE_STORE": self.s3.uri("store"),
            "MLFLOW_TRACKING_URI": self.mlflow_url,
        }

    @property
    def kept(self) -> frozenset[After]:
        """See `Place`."""
        return self.local.kept

    def keep(self, after: After) -> None:
        """See `Place`."""
        self._objects[after] = self._bucket()
        copy_database(self.mlflow / "mlflow.db", self.local.folder / "server.db")
        copy_over(self.mlflow / "mlflow-artifacts", self.local.folder / "server-artifacts")
        self.local.keep(after)

    def put_back(self, after: After) -> None:
        """See `Place`."""
        self.local.put_back(after)
        copy_database(self.local.folder / "server.db", self.mlflow / "mlflow.db")
        copy_over(self.local.folder / "server-artifacts", self.mlflow / "mlflow-artifacts")
        wanted, there = self._objects[after], self._bucket()
        for key in there.keys() - wanted.keys():
            self.s3.client.delete_object(Bucket=self.s3.bucket, Key=key)
        for key, content in wanted.items():
            if there.get(key) != content:
                self.s3.put(key, content)

    def state(self) -> State:
        """See `Place`."""
        left = [*leftovers(self.local.folder), *self._left_in_bucket()]
        files = {key.removeprefix("store/"): content for key, content in self._bucket().items()}
        visible = {name: content for name, content in files.items() if not name.endswith(".lock")}
        return state_from(plain_files(visible), self.mlflow / "mlflow.db", self.mlflow / "mlflow-artifacts", iter(left))

    def _bucket(self) -> dict[str, bytes]:
        return {key: self.s3.get(key) for key in self._keys()}

    def _keys(self) -> list[str]:
        pages = self.s3.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.s3.bucket, PaginationConfig={"PageSize": 1_000}
        )
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def _left_in_bucket(self) -> Iterator[str]:
        """Files of nights that are not in their place yet, leases that somebody still has, and halves of objects."""
        for key in self._keys():
            if "/.nights/" in key and not key.endswith(".lock"):
                yield plain(key)
            if key.endswith(".lock") and self.s3.get(key) != b"free":
                yield f"{key} is held"
        for upload in self.s3.client.list_multipart_uploads(Bucket=self.s3.bucket).get("Uploads", []):
            yield f"half of {upload['Key']}"


def copy_over(source: Path, target: Path) -> None:
    """Have a folder be as another one is, which need not be there."""
    shutil.rmtree(target, ignore_errors=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)


def copy_database(source: Path, target: Path) -> None:
    """Have a database be as another one is, whoever has it open."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target, timeout=30)) as other:
        one.backup(other)
