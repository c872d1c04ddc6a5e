"""The columns at an address, without its rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import SnapshotMissing, SnapshotUnreadable
from pipeline.snapshots import Cache, pin, schema_at
from tests.snapshots.test_s3 import large_parquet


def test_the_columns_of_a_folder_are_those_of_a_file_in_it(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1], "b": ["x"]}).to_parquet(tmp_path / "part-0.parquet")
    assert schema_at(str(tmp_path)).names == ["a", "b"]


def test_the_columns_are_those_that_readers_of_the_snapshot_see(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.5, 2.5], "id": ["x", "y"]})
    frames = {
        "plain": frame,
        "an index with a name": frame.set_index("id"),
        "an index without one": frame.set_axis([7, 5]),
        "a range with a name": frame.rename_axis("key"),
    }
    for name, written in frames.items():
        for folder in ("dt=2026-01-14/country=DE", "dt=2026-01-15/country=FR"):
            path = tmp_path / name / folder / "part-0.parquet"
            path.parent.mkdir(parents=True)
            written.to_parquet(path)
        pinned = pin(str(tmp_path / name), Cache(tmp_path / "cache", 10**9), {"dt"})
        seen = schema_at(str(tmp_path / name), {"dt"})
        assert [(field.name, str(field.type)) for field in seen] == [(item.name, item.type) for item in pinned.fields]


def test_nothing_there_and_no_parquet_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(SnapshotMissing):
        schema_at(str(tmp_path / "none"))
    (tmp_path / "part-0.parquet").write_bytes(b"no parquet")
    with pytest.raises(SnapshotUnreadable, match=r"part-0\.parquet: not a readable parquet file"):
        schema_at(str(tmp_path))


@pytest.mark.slow
def test_of_an_object_on_s3_only_the_footer_is_fetched(s3_flaky: Any) -> None:
    from pipeline.storage import s3 as s3_client

    s3_client.client.cache_clear()
    body = large_parquet()
    s3_flaky.s3.put("p/0.parquet", body)
    assert schema_at(s3_flaky.s3.uri("p/")).names == ["a"]
    assert 1 <= len(s3_flaky.gets("p/0.parquet")) <= 3
    s3_client.client.cache_clear()
