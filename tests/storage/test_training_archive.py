"""Training sets, kept once under their digest, on a disk and on S3."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest

from pipeline.errors import OutletUnavailable
from pipeline.storage.training_archive import archive
from tests.servers.s3 import S3, FlakyS3

ROWS = b"PAR1 rows"
DIGEST = hashlib.sha256(ROWS).hexdigest()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "training.parquet"
    made.write_bytes(ROWS)
    return made


def test_on_disk_it_lies_under_its_digest_and_is_written_once(path: Path, tmp_path: Path) -> None:
    found = archive(str(tmp_path / "store"), "churn", path)
    kept = tmp_path / "store" / "churn" / "training" / f"{DIGEST}.parquet"
    assert (found.uri, found.sha256) == (str(kept), DIGEST)
    assert kept.read_bytes() == ROWS
    assert stat.S_IMODE(kept.stat().st_mode) == 0o444
    before = kept.stat()
    assert archive(str(tmp_path / "store"), "churn", path) == found
    assert kept.stat() == before
    assert list(kept.parent.iterdir()) == [kept]


def test_its_address_means_the_same_wherever_it_is_read(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert archive("store", "churn", path).uri == str(tmp_path / "store" / "churn" / "training" / f"{DIGEST}.parquet")


def test_on_disk_a_store_that_cannot_be_written_is_named(path: Path, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("in the way")
    with pytest.raises(OutletUnavailable, match=r"store/churn/training/.*cannot be written.*PIPELINE_STORE"):
        archive(str(tmp_path / "store"), "churn", path)


def test_on_disk_a_training_set_that_is_gone_is_not_blamed_on_the_store(path: Path, tmp_path: Path) -> None:
    path.unlink()
    with pytest.raises(FileNotFoundError):
        archive(str(tmp_path / "store"), "churn", path)


def test_on_s3_it_lies_under_its_digest_and_is_sent_once(path: Path, s3_flaky: FlakyS3) -> None:
    found = [archive(s3_flaky.s3.uri("store/"), "churn", path) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0].uri == f"s3://snapshots/store/churn/training/{DIGEST}.parquet"
    assert s3_flaky.s3.get(f"store/churn/training/{DIGEST}.parquet") == ROWS
    assert [exchange.method for exchange in s3_flaky.exchanges].count("PUT") == 1


@pytest.mark.parametrize("store", ["s3://snapshots", "s3://snapshots/", "s3://snapshots//a/b//"])
def test_on_s3_the_store_may_be_a_bucket_or_any_prefix(path: Path, s3: S3, store: str) -> None:
    prefix = "a/b/" if "a/b" in store else ""
    assert archive(store, "churn", path).uri == f"s3://snapshots/{prefix}churn/training/{DIGEST}.parquet"
    assert s3.keys() == [f"{prefix}churn/training/{DIGEST}.parquet"]
