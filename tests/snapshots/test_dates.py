"""Dates in addresses: the newest there is data of, and where an address could have `{date}`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.snapshots.dates import dated_address, newest_date
from tests.servers.s3 import S3


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"parquet in name only")


@pytest.mark.parametrize(
    ("files", "given", "address"),
    [
        (["p/dt=2026-01-13/a.parquet", "p/dt=2026-01-14/a.parquet"], "p", "p/dt={date}/"),
        (["p/dt=2026-01-14/a.parquet"], "p/", "p/dt={date}/"),
        (["p/dt=2026-01-14/a.parquet"], "p/dt=2026-01-14", "p/dt={date}/"),
        (["p/dt=2026-01-14/hour=03/a.parquet"], "p", "p/dt={date}/"),
        (["p/20260114/a.parquet"], "p", "p/{date:%Y%m%d}/"),
        (["p/2026/01/14/a.parquet"], "p", "p/{date:%Y/%m/%d}/"),
        (["p/year=2026/month=01/day=14/a.parquet"], "p", "p/{date:year=%Y/month=%m/day=%d}/"),
        (["p/scored-2026-01-14.parquet"], "p/", "p/scored-{date}.parquet"),
        (["p/scored-2026-01-14.parquet"], "p/scored-2026-01-14.parquet", "p/scored-{date}.parquet"),
        (["p/2026-01-14-part-0.parquet", "p/2026-01-14-part-1.parquet"], "p", "p/{date}*.parquet"),
        (["p/scored-2026-01-14.pq"], "p/", "p/scored-{date}.pq"),
        (["p/2026-01-14_0.parq", "p/2026-01-14_1.parq"], "p", "p/{date}*.parq"),
        (["p/20260114_00001_abcde"], "p", "p/{date:%Y%m%d}*"),
        (
            ["p/country=DE/dt=2026-01-14/a.parquet", "p/country=FR/dt=2026-01-14/a.parquet"],
            "p",
            "p/country=*/dt={date}/",
        ),
        (["p=x/country=DE/2026-01-14.parquet"], "p=x", "p=x/country=*/{date}.parquet"),
        (["p/old/2025-12-31/a.parquet", "p/new/2026-01-14/a.parquet"], "p", "p/new/{date}/"),
    ],
)
def test_data_by_date_has_an_address_that_finds_it(tmp_path: Path, files: list[str], given: str, address: str) -> None:
    touch(tmp_path, *files)
    assert dated_address(given, tmp_path) == address
    assert newest_date(address, tmp_path) == date(2026, 1, 14)
    absolute = dated_address(str(tmp_path / given), tmp_path)
    assert absolute == str(tmp_path / address) + ("/" if address.endswith("/") else "")


@pytest.mark.parametrize(
    ("files", "given"),
    [
        (["p/part-0.parquet"], "p"),
        (["p/2026-13-45/a.parquet"], "p"),
        (["p/a20260114b/a.parquet"], "p"),
        (["p/1202601145/a.parquet"], "p"),
        (["2026-01-14/p/a.parquet"], "2026-01-14/p"),
        (["p/dt=2026-01-14/{x}.parquet"], "p"),
        (["p/dt=2026-01-14/a.parquet"], "p/dt={date}/"),
        (["p/dt=2026-01-14/a.parquet"], "p/dt=*/"),
        ([], "p"),
    ],
)
def test_other_data_has_none(tmp_path: Path, files: list[str], given: str) -> None:
    touch(tmp_path, *files)
    assert dated_address(given, tmp_path) is None


def test_the_newest_date_needs_a_placeholder_and_data(tmp_path: Path) -> None:
    touch(tmp_path, "p/dt=2026-01-14/a.parquet", "p/dt=2026-01-13/a.parquet", "p/dt=latest/a.parquet")
    assert newest_date("p/dt={date}/", tmp_path) == date(2026, 1, 14)
    assert newest_date("p/", tmp_path) is None
    assert newest_date("q/dt={date}/", tmp_path) is None


@pytest.mark.parametrize(
    "template", ["**/dt={date}/*.parquet", "p/*/dt={date}/", "p/[v]1/dt={date}/", "p/??/dt={date}/"]
)
def test_the_newest_date_is_found_behind_patterns(tmp_path: Path, template: str) -> None:
    touch(tmp_path, "p/v1/dt=2026-01-14/a.parquet", "p/v1/dt=2026-01-13/a.parquet")
    assert newest_date(template, tmp_path) == date(2026, 1, 14)


@pytest.mark.slow
def test_data_by_date_is_found_on_s3_too(s3: S3, tmp_path: Path) -> None:
    for day in (13, 14):
        s3.put(f"scored/dt=2026-01-{day}/a.parquet", b"")
    found: Any = dated_address(s3.uri("scored"), tmp_path)
    assert found == s3.uri("scored/dt={date}/")
    assert newest_date(found, tmp_path) == date(2026, 1, 14)
