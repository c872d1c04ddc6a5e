"""Columns that folders say: seen by every reader, part of what was pinned."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import pytest

from pipeline.checks.drift.compare_columns import compare_columns, infer_plans
from pipeline.checks.scan import open_table
from pipeline.config import dated_folders
from pipeline.errors import SnapshotUnreadable
from pipeline.results import Snapshot
from pipeline.snapshots import Cache, open_snapshot, pin
from pipeline.snapshots.partitions import partition_of
from pipeline.storage import s3 as s3_client
from tests.servers.s3 import S3
from tests.snapshots.reading import read_frame


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", 10**9)


def write(path: Path, *values: int, **columns: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"a": values, **columns}).to_parquet(path, index=False)


@pytest.mark.parametrize(
    ("uri", "location", "said"),
    [
        ("s3://b/n/country=DE/p.parquet", "s3://b/n/", (("country", "DE"),)),
        ("s3://b/n/country=DE/city=K%C3%B6ln%2Fx/p", "s3://b/n", (("country", "DE"), ("city", "Köln/x"))),
        ("/d/n/country=__HIVE_DEFAULT_PARTITION__/p", "/d/n/", (("country", None),)),
        ("/d/n/country=/p", "/d/n/", (("country", ""),)),
        ("/d/country=DE/n/p", "/d/country=DE/", ()),
        ("/d/country=DE/dt=2026-01-14/p", "/d/country=*/dt=2026-01-14/", (("country", "DE"),)),
        ("/d/dt=2026-01-14/hour=03/p", "/d/", (("hour", "03"),)),
        ("/d/_x=1/p", "/d/", (("_x", "1"),)),
        ("/d/a=b=c/p", "/d/", (("a", "b=c"),)),
        ("/d/=x/p", "/d/", ()),
        ("/d/n/x=1.parquet", "/d/n/", ()),
    ],
)
def test_folders_below_what_a_location_names_are_columns(
    uri: str, location: str, said: tuple[tuple[str, str | None], ...]
) -> None:
    assert partition_of(uri, location, ["dt"]) == said


@pytest.mark.parametrize(
    ("templates", "names"),
    [
        (("r/", "scored/dt={date}/", ""), {"dt"}),
        (("r/", "p/year={date:%Y}/month={date:%m}/day={date:%d}/", "l/on={date}/"), {"year", "month", "day", "on"}),
        (("r/", "p/{date:year=%Y/month=%m}/x.parquet", ""), {"year", "month"}),
        (("r/", "p/{date}/country=*/", ""), set()),
    ],
)
def test_folders_of_dates_are_known_by_the_locations(templates: tuple[str, ...], names: set[str]) -> None:
    assert dated_folders(*templates) == names


def test_every_reader_sees_the_column(tmp_path: Path, cache: Cache) -> None:
    write(tmp_path / "n" / "country=DE" / "p.parquet", 1, 2)
    write(tmp_path / "n" / "country=__HIVE_DEFAULT_PARTITION__" / "p.parquet", 3)
    write(tmp_path / "n" / "country=FR" / "p.parquet", 4)
    snapshot = pin(str(tmp_path / "n"), cache)
    assert [(field.name, field.type) for field in snapshot.fields] == [("a", "int64"), ("country", "string")]
    for opened in (snapshot, Snapshot.model_validate_json(snapshot.to_json())):
        with open_snapshot(opened, Cache(tmp_path / "elsewhere", 10**9)) as paths:
            assert read_frame(paths).to_dict("list") == {"a": [1, 2, 4, 3], "country": ["DE", "DE", "FR", None]}
            assert open_table([str(path) for path in paths]).column_names == ("a", "country")


@pytest.mark.parametrize(
    ("values", "kind", "read"),
    [
        (["1", "2"], "int64", [1, 2]),
        (["-1", "__HIVE_DEFAULT_PARTITION__"], "int64", [-1, None]),
        (["01", "02"], "string", ["01", "02"]),
        (["1", "x"], "string", ["1", "x"]),
        (["1_0", "2"], "string", ["1_0", "2"]),
        (["1", str(2**63)], "string", ["1", str(2**63)]),
        (["2026-01-14", "2026-01-15"], "string", ["2026-01-14", "2026-01-15"]),
    ],
)
def test_all_values_say_the_type(tmp_path: Path, cache: Cache, values: list[str], kind: str, read: list[Any]) -> None:
    for value in values:
        write(tmp_path / "n" / f"v={value}" / "p.parquet", 0)
    snapshot = pin(str(tmp_path / "n"), cache)
    assert snapshot.fields[1].type == kind
    with open_snapshot(snapshot, cache) as paths:
        found = read_frame(paths)["v"]
    assert [None if pd.isna(value) else value for value in found] == read


@pytest.mark.slow
def test_on_s3_too(s3: S3, tmp_path: Path, cache: Cache) -> None:
    s3_client.client.cache_clear()
    for country, values in (("DE", [1, 2]), ("a b#?%[x]", [3])):
        path = tmp_path / "n" / f"country={quote(country, safe='')}" / "p.parquet"
        write(path, *values)
        s3.put(path.relative_to(tmp_path).as_posix(), path.read_bytes())
    there, here = pin(s3.uri("n/"), cache), pin(str(tmp_path / "n"), cache)
    assert there.digest == here.digest
    assert there.fields == here.fields
    with open_snapshot(there, Cache(tmp_path / "elsewhere", 10**9)) as paths:
        found = read_frame(paths)
    assert sorted(zip(found["a"], found["country"], strict=True)) == [(1, "DE"), (2, "DE"), (3, "a b#?%[x]")]


def test_a_column_of_the_file_itself_counts(tmp_path: Path, cache: Cache) -> None:
    write(tmp_path / "n" / "country=DE" / "p.parquet", 1, country=["de"])
    write(tmp_path / "n" / "country=FR" / "p.parquet", 2, country=["fr"])
    snapshot = pin(str(tmp_path / "n"), cache)
    assert snapshot.form is None
    with open_snapshot(snapshot, cache) as paths:
        assert read_frame(paths)["country"].tolist() == ["de", "fr"]


def test_files_in_folders_of_different_columns_do_not_fit(tmp_path: Path, cache: Cache) -> None:
    write(tmp_path / "n" / "country=DE" / "p.parquet", 1)
    write(tmp_path / "n" / "p.parquet", 2)
    with pytest.raises(SnapshotUnreadable, match=r"n/p\.parquet: its columns differ .*country \(string / absent\)"):
        pin(str(tmp_path / "n"), cache)


def test_the_same_files_in_other_folders_are_other_data(tmp_path: Path, cache: Cache) -> None:
    for root, country in (("n", "DE"), ("m", "FR"), ("same", "DE")):
        write(tmp_path / root / f"country={country}" / "p.parquet", 1)
    one, other, same = (pin(str(tmp_path / root), cache) for root in ("n", "m", "same"))
    assert one.digest == same.digest != other.digest


def test_a_country_that_is_gone_is_a_finding(tmp_path: Path, cache: Cache) -> None:
    for root, countries in (("before", ("DE", "FR")), ("after", ("DE",))):
        for country in countries:
            write(tmp_path / root / f"country={country}" / "p.parquet", *range(50))
    before, after = (pin(str(tmp_path / root), cache) for root in ("before", "after"))
    with open_snapshot(before, cache) as reference, open_snapshot(after, cache) as production:
        sides = [str(path) for path in reference], [str(path) for path in production]
        found = {item.drift.name: item.drift for item in compare_columns(*sides, infer_plans(*sides))}
    assert found["country"].drifted
    assert [item.label for item in found["country"].vanished_categories] == ["FR"]
