"""Training sets, kept once under their digest, on a disk and on S3."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest

from pipeline.errors import ConfigError, OutletUnavailable, SnapshotChanged
from pipeline.storage.training_archive import Archive, Archived
from tests.servers.s3 import S3, FlakyS3

ROWS = b"PAR1 rows"
DIGEST = hashlib.sha256(ROWS).hexdigest()


def keep(place: str, path: Path, store: str = "store") -> Archived:
    """Keep a file of the monitor `churn`."""
    return Archive(place, store).keep("churn", path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "training.parquet"
    made.write_bytes(ROWS)
    return made


def test_on_disk_it_lies_under_its_digest_and_is_written_once(path: Path, tmp_path: Path) -> None:
    found = keep(str(tmp_path / "kept"), path)
    kept = tmp_path / "kept" / "churn" / f"{DIGEST}.parquet"
    assert (found.uri, found.sha256) == (str(kept), DIGEST)
    assert kept.read_bytes() == ROWS
    assert stat.S_IMODE(kept.stat().st_mode) == 0o400
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (kept.parent, kept.parent.parent)] == [0o700, 0o700]
    before = kept.stat()
    assert keep(str(tmp_path / "kept"), path) == found
    assert kept.stat() == before
    assert list(kept.parent.iterdir()) == [kept]


def test_its_address_means_the_same_wherever_it_is_read(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert keep("kept", path).uri == str(tmp_path / "kept" / "churn" / f"{DIGEST}.parquet")


def test_on_disk_a_store_that_cannot_be_written_is_named(path: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("in the way")
    with pytest.raises(OutletUnavailable, match=r"kept/churn/.*cannot be written.*PIPELINE_STORE"):
        keep(str(tmp_path / "kept"), path)


def test_on_disk_a_training_set_that_is_gone_is_not_blamed_on_the_store(path: Path, tmp_path: Path) -> None:
    path.unlink()
    with pytest.raises(FileNotFoundError):
        keep(str(tmp_path / "kept"), path)


def test_on_s3_it_lies_under_its_digest_and_is_sent_once(path: Path, s3_flaky: FlakyS3) -> None:
    found = [keep(s3_flaky.s3.uri("kept/"), path) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0].uri == f"s3://snapshots/kept/churn/{DIGEST}.parquet"
    assert s3_flaky.s3.get(f"kept/churn/{DIGEST}.parquet") == ROWS
    assert [exchange.method for exchange in s3_flaky.exchanges].count("PUT") == 1


@pytest.mark.parametrize("place", ["s3://snapshots", "s3://snapshots/", "s3://snapshots//a/b//"])
def test_on_s3_it_may_be_a_bucket_or_any_prefix(path: Path, s3: S3, place: str) -> None:
    prefix = "a/b/" if "a/b" in place else ""
    assert keep(place, path).uri == f"s3://snapshots/{prefix}churn/{DIGEST}.parquet"
    assert s3.keys() == [f"{prefix}churn/{DIGEST}.parquet"]


def test_what_earlier_versions_kept_among_the_pages_is_moved(tmp_path: Path) -> None:
    before = tmp_path / "store" / "churn" / "training"
    before.mkdir(parents=True)
    (before / f"{DIGEST}.parquet").write_bytes(ROWS)
    (before / f"{'0' * 64}.parquet").write_bytes(b"not what it is called")
    archive = Archive(str(tmp_path / "kept"), str(tmp_path / "store"))
    for _ in range(2):
        archive.adopt("churn")
        assert Path(archive.uri("churn", DIGEST)).read_bytes() == ROWS
        assert [path.name for path in before.iterdir()] == [f"{'0' * 64}.parquet"]
    assert stat.S_IMODE(Path(archive.uri("churn", DIGEST)).stat().st_mode) == 0o400


def test_on_s3_it_is_moved_as_well(s3: S3) -> None:
    s3.put(f"store/churn/training/{DIGEST}.parquet", ROWS)
    archive = Archive(s3.uri("kept"), s3.uri("store"))
    archive.adopt("churn")
    assert s3.keys() == [f"kept/churn/{DIGEST}.parquet"]
    assert s3.get(f"kept/churn/{DIGEST}.parquet") == ROWS


@pytest.mark.parametrize("digest", ["", "../../other/secret", "A" * 64, f"{DIGEST}.parquet", f"{DIGEST}/.."])
def test_only_a_digest_has_a_place(tmp_path: Path, digest: str) -> None:
    with pytest.raises(SnapshotChanged, match="is no digest of a training set"):
        Archive(str(tmp_path), "store").uri("churn", digest)


def test_without_a_place_it_is_said_what_to_set() -> None:
    with pytest.raises(ConfigError, match=r"PIPELINE_ARCHIVE: not set, and PIPELINE_STORE is a whole bucket"):
        Archive("", "s3://bucket")
