"""The columns at an address, without its rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import SnapshotMissing, SnapshotUnreadable
from pipeline.snapshots import schema_at
from tests.snapshots.test_s3 import large_parquet


def test_the_columns_of_a_folder_are_those_of_a_file_in_it(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1], "b": ["x"]}).to_parquet(tmp_path / "part-0.parquet")
    assert schema_at(str(tmp_path)).names == ["a", "b"]


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
