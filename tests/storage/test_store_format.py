"""A run store says which form it has, and one of a later form is left alone."""

from __future__ import annotations

import stat
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.errors import ExitCode, LaterFormat
from pipeline.results import Decision
from pipeline.storage import s3 as s3_client
from pipeline.storage.run_store import RunStore
from pipeline.storage.store_format import FORMAT
from tests.project import Project

DAY = date(2026, 1, 14)
DECISION = Decision(snapshots="abc", status="healthy", retrain=False, reason="fine")
FILES = {"index.html": b"page"}


@pytest.fixture(params=["disk", pytest.param("s3", marks=pytest.mark.slow)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "disk":
        return str(tmp_path / "store")
    bucket = request.getfixturevalue("s3")
    s3_client.client.cache_clear()
    return str(bucket.uri("some/store"))


def test_it_is_noted_with_the_first_publication(address: str) -> None:
    store = RunStore(address)
    store.save("churn", DAY, "decision", DECISION)
    assert store.read_page(".format") is None
    store.publish_night("churn", DAY, FILES)
    assert store.read_page(".format") == f"{FORMAT}\n".encode()
    assert store.nights("churn") == [DAY]


USES: list[Callable[[RunStore], object]] = [
    lambda store: store.nights("churn"),
    lambda store: store.read_night("churn", DAY),
    lambda store: store.read_result("churn", DAY, "decision", Decision),
    lambda store: store.read_page("index.html"),
    lambda store: store.save("churn", DAY, "decision", DECISION),
    lambda store: store.publish_night("churn", DAY, FILES),
    lambda store: store.replace_in_night("churn", DAY, FILES),
    lambda store: store.write_page("index.html", b"page"),
    lambda store: store.note_receipt("churn", DAY, "mail", "sent"),
    lambda store: store.alone("churn").__enter__(),
]


@pytest.mark.parametrize("found", [b"2\n", b"999999999999", b"two", b"", b"-1", b"\xff"])
def test_a_store_of_a_later_form_is_neither_read_nor_written(address: str, found: bytes) -> None:
    writer = RunStore(address)
    writer.publish_night("churn", DAY, FILES)
    writer.write_page(".format", found)
    for use in USES:
        with pytest.raises(LaterFormat, match=r"\.format: the run store has format .* a later version wrote it"):
            use(RunStore(address))
    assert writer.read_night("churn", DAY) == FILES
    assert writer.read_page("index.html") is None


def test_a_store_without_a_form_is_of_the_first_one_and_says_so_from_the_next_publication_on(address: str) -> None:
    RunStore(address).publish_night("churn", DAY, FILES)
    RunStore(address).remove_page(".format")
    store = RunStore(address)
    assert store.read_night("churn", DAY) == FILES
    store.publish_night("churn", DAY, FILES | {"more.json": b"{}"})
    assert store.read_page(".format") == f"{FORMAT}\n".encode()


@pytest.mark.parametrize("command", [["run", "people", "--date", "2026-01-14"], ["site"], ["check"]])
def test_commands_refuse_it_in_one_line(
    project: Project, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    project.complete()
    project.write_text("var/store/.format", "7\n")
    before = sorted(project.store.rglob("*"))
    assert main(command) == (ExitCode.SOUND if command == ["check"] else ExitCode.USAGE)
    told = "".join(capsys.readouterr())
    assert ("run store has format '7'" in told) is (command != ["check"])
    assert sorted(project.store.rglob("*")) == before


def test_whoever_may_read_pages_may_read_it(project: Project) -> None:
    RunStore(str(project.store)).publish_night("churn", DAY, FILES)
    assert stat.S_IMODE((project.store / ".format").stat().st_mode) == 0o640
