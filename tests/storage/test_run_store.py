"""The run store, on disk and on S3: published whole, read whole."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import OutletUnavailable, ResultMissing
from pipeline.results import Decision
from pipeline.storage import s3 as s3_client
from pipeline.storage.run_store import RunStore
from tests.servers.s3 import FlakyS3

DAY = date(2026, 1, 14)
DECISION = Decision(snapshots="abc", status="healthy", retrain=False, reason="fine")


@pytest.fixture(params=["disk", pytest.param("s3", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> RunStore:
    if request.param == "disk":
        return RunStore(str(tmp_path / "store"))
    bucket = request.getfixturevalue("s3")
    s3_client.client.cache_clear()
    return RunStore(bucket.uri("some/store"))


def test_a_page_can_be_removed_and_again_is_no_error(store: RunStore) -> None:
    store.write_page("churn/.probation/2/2026-01-14.parquet", b"answers")
    store.remove_page("churn/.probation/2/2026-01-14.parquet")
    store.remove_page("churn/.probation/2/2026-01-14.parquet")

    assert store.read_page("churn/.probation/2/2026-01-14.parquet") is None


def test_a_result_comes_back_as_it_was_kept(store: RunStore) -> None:
    store.save("churn", DAY, "decision", DECISION)
    assert store.load("churn", DAY, "decision", Decision) == DECISION


def test_a_missing_or_broken_result_says_which_step_to_run(store: RunStore) -> None:
    with pytest.raises(ResultMissing, match=r"2026-01-14/decision\.json is missing: run the night of 2026-01-14"):
        store.load("churn", DAY, "decision", Decision)
    store._files.write(f"churn/.work/{DAY}/decision.json", b'{"status": "fine"')
    with pytest.raises(ResultMissing, match="does not hold a Decision"):
        store.load("churn", DAY, "decision", Decision)


def test_a_night_replaces_the_one_published_before_whole(store: RunStore) -> None:
    assert store.read_night("churn", DAY) is None
    store.publish_night("churn", DAY, {"index.html": b"one", "old.json": b"1"})
    store.publish_night("churn", DAY, {"index.html": b"two", "new.json": b"2"})
    assert store.read_night("churn", DAY) == {"index.html": b"two", "new.json": b"2"}
    assert store.nights("churn") == [DAY]
    assert store.nights("other") == []


def test_some_files_of_a_night_are_replaced_and_the_others_stay(store: RunStore) -> None:
    assert store.replace_in_night("churn", DAY, {"index.html": b"one"}) is False
    assert store.read_night("churn", DAY) is None
    store.publish_night("churn", DAY, {"index.html": b"one", "drift.json": b"{}"})
    assert store.replace_in_night("churn", DAY, {"index.html": b"two", "runs.json": b"[]"}) is True
    assert store.read_night("churn", DAY) == {"index.html": b"two", "drift.json": b"{}", "runs.json": b"[]"}
    assert store.replace_in_night("churn", DAY, {"index.html": b"two"}) is False


def test_a_part_of_a_night_can_be_read(store: RunStore) -> None:
    store.publish_night("churn", DAY, {"index.html": b"one", "drift.json": b"{}"})
    assert store.read_night("churn", DAY, ("drift.json", "absent.json")) == {"drift.json": b"{}"}


def test_a_night_that_is_published_again_just_so_is_left_alone(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = {"index.html": b"one", "drift.json": b"{}"}
    store.publish_night("churn", DAY, night)
    written: list[object] = []
    publish = store._files.publish

    def noted(*given: Any) -> None:
        written.append(given)
        publish(*given)

    monkeypatch.setattr(store._files, "publish", noted)
    store.publish_night("churn", DAY, night)
    assert written == []
    store._files.write(f"churn/{DAY}/index.html", b"somebody else's")
    store.publish_night("churn", DAY, night)
    store.publish_night("churn", DAY, {"index.html": b"one"})
    assert len(written) == 2
    assert store.read_night("churn", DAY) == {"index.html": b"one"}


def test_receipts_are_kept_apart_from_the_night(store: RunStore) -> None:
    assert store.receipt("churn", DAY, "mail") is None
    store.note_receipt("churn", DAY, "mail", "<id@host>")
    store.publish_night("churn", DAY, {"index.html": b"one"})
    assert store.receipt("churn", DAY, "mail") == "<id@host>"


def test_a_damaged_receipt_is_of_nothing_that_was_delivered(store: RunStore) -> None:
    store.write_page(f"churn/.receipts/{DAY}/mail", b"\xff\xfe<id@host>")
    assert store.receipt("churn", DAY, "mail") not in (None, "<id@host>")


def test_one_result_of_a_published_night_can_be_read(store: RunStore) -> None:
    store.publish_night("churn", DAY, {"decision.json": DECISION.to_json(), "quality.json": b"{}"})
    assert store.read_result("churn", DAY, "decision", Decision) == DECISION
    assert store.read_result("churn", DAY, "quality", Decision) is None
    assert store.read_result("churn", DAY, "absent", Decision) is None


def test_on_s3_a_half_published_night_is_not_taken_for_one(s3: Any) -> None:
    s3_client.client.cache_clear()
    store = RunStore(s3.uri("store"))
    store.publish_night("churn", DAY, {"a": b"1", "b": b"1"})
    s3.put(f"store/churn/{DAY}/a", b"2")
    assert store.read_night("churn", DAY) is None


def test_a_night_that_says_nothing_of_its_files_is_none(store: RunStore) -> None:
    for content in (b"", b"[]", b"{", b"{}", b'{"files": 3}', b"null"):
        store._files.write(f"churn/{DAY}/night.json", content)
        assert store.read_night("churn", DAY) is None
        assert store.replace_in_night("churn", DAY, {"index.html": b"one"}) is False


def test_a_file_that_a_night_had_before_is_part_of_it_again_once_it_is_put_there(store: RunStore) -> None:
    store.publish_night("churn", DAY, {"index.html": b"one", "runs.json": b"[]"})
    store.publish_night("churn", DAY, {"index.html": b"two"})
    assert store.replace_in_night("churn", DAY, {"runs.json": b"[]"})
    assert store.read_night("churn", DAY) == {"index.html": b"two", "runs.json": b"[]"}


def test_a_file_that_somebody_wrote_over_is_put_back(store: RunStore) -> None:
    store.publish_night("churn", DAY, {"index.html": b"one", "runs.json": b"[]"})
    store._files.write(f"churn/{DAY}/index.html", b"somebody else's")
    assert store.replace_in_night("churn", DAY, {"index.html": b"one"})
    assert store.read_night("churn", DAY) == {"index.html": b"one", "runs.json": b"[]"}


@pytest.mark.parametrize("store", ["disk"], indirect=True)
def test_a_night_of_which_somebody_removed_a_file_is_none_and_does_not_stop_a_refresh(store: RunStore) -> None:
    store.publish_night("churn", DAY, {"index.html": b"one", "runs.json": b"[]"})
    Path(store.night_uri("churn", DAY, "runs.json")).unlink()
    assert store.read_night("churn", DAY) is None
    assert store.replace_in_night("churn", DAY, {"index.html": b"two"})
    assert store.read_night("churn", DAY, ["index.html"]) == {"index.html": b"two"}
    assert store.read_night("churn", DAY) is None


# --- on a disk


def test_on_disk_a_reader_never_sees_a_mixture(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path))
    stop, mixtures, seen = threading.Event(), [], set()

    def read() -> None:
        while not stop.is_set():
            night = store.read_night("churn", DAY)
            if night is not None:
                seen.add(night["a"])
                if night["a"] != night["b"]:
                    mixtures.append(night)

    store.publish_night("churn", DAY, {"a": b"0", "b": b"0"})
    reader = threading.Thread(target=read)
    reader.start()
    for version in range(1, 200):
        store.publish_night("churn", DAY, {"a": b"%d" % version, "b": b"%d" % version})
    stop.set()
    reader.join()
    assert not mixtures
    assert seen
    assert len(list((tmp_path / "churn" / ".nights" / str(DAY)).iterdir())) <= 2


def test_on_disk_those_who_publish_a_night_at_once_lose_nothing(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path))
    store.publish_night("churn", DAY, {"index.html": b"0", "drift.json": b"{}"})

    def replace(place: int) -> None:
        for version in range(20):
            store.replace_in_night("churn", DAY, {f"{place}.json": b"%d" % version})

    writers = [threading.Thread(target=replace, args=(place,)) for place in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    last = {f"{place}.json": b"19" for place in range(4)}
    assert store.read_night("churn", DAY) == {"index.html": b"0", "drift.json": b"{}", **last}


def absolute(folder: Path) -> str:
    return str(folder / "store")


def relative(folder: Path) -> str:
    return "store"


def roundabout(folder: Path) -> str:
    (folder / "aside").mkdir()
    return "aside/../store/"


def through_a_link(folder: Path) -> str:
    (folder / "disk").mkdir()
    (folder / "link").symlink_to(folder / "disk", target_is_directory=True)
    return str(folder / "link" / "store")


def with_a_monitor_elsewhere(folder: Path) -> str:
    (folder / "disk").mkdir()
    (folder / "store").mkdir()
    (folder / "store" / "churn").symlink_to("../disk", target_is_directory=True)
    return str(folder / "store")


@pytest.mark.parametrize("path", [absolute, relative, roundabout, through_a_link, with_a_monitor_elsewhere])
def test_on_disk_a_reader_in_the_version_before_is_left_alone_however_the_store_is_named(
    path: Callable[[Path], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = RunStore(path(tmp_path))
    for number in range(4):
        store.publish_night("churn", DAY, {"index.html": b"%d" % number})
        reader = Path(store.night_uri("churn", DAY)).resolve()
        store.publish_night("churn", DAY, {"index.html": b"next"})
        assert (reader / "index.html").read_bytes() == b"%d" % number
        assert len(list(reader.parent.iterdir())) == 2


def test_on_disk_a_relative_store_stays_where_it_is_when_the_process_goes_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = RunStore("store")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.publish_night("churn", DAY, {"index.html": b"one"})
    assert store.night_uri("churn", DAY, "index.html") == str(tmp_path / "store" / "churn" / str(DAY) / "index.html")
    assert Path(store.night_uri("churn", DAY, "index.html")).read_bytes() == b"one"


def test_on_disk_what_killed_publishers_left_is_cleared_away(tmp_path: Path) -> None:
    store, versions = RunStore(str(tmp_path)), tmp_path / "churn" / ".nights" / str(DAY)
    store.publish_night("churn", DAY, {"index.html": b"one"})
    (versions / "half").mkdir()
    (versions / "half" / "index.html").write_bytes(b"ha")
    (versions / "whole.link").symlink_to("half")
    (versions / "gone.link").symlink_to("nowhere")
    store.publish_night("churn", DAY, {"index.html": b"two"})
    assert len(list(versions.iterdir())) == 2
    assert store.read_night("churn", DAY) == {"index.html": b"two"}


def test_on_disk_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "churn" / "index.html").mkdir(parents=True)
    store = RunStore(str(tmp_path))
    with pytest.raises(OutletUnavailable, match=r"churn/index.html: cannot be written: Is a directory"):
        store._files.write("churn/index.html", b"page")
    assert [path.name for path in (tmp_path / "churn").iterdir()] == ["index.html"]


def test_a_store_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file, not a folder")
    with pytest.raises(OutletUnavailable, match=r"store/churn/.*cannot be written.*PIPELINE_STORE"):
        RunStore(str(tmp_path / "store")).save("churn", DAY, "decision", DECISION)


@pytest.mark.slow
def test_a_store_that_does_not_answer_is_an_error_that_names_it(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    s3_client.client.cache_clear()
    with pytest.raises(OutletUnavailable, match=r"s3://snapshots/store/.*no answer from 127\.0\.0\.1:9"):
        RunStore(s3.uri("store")).save("churn", DAY, "decision", DECISION)
    s3_client.client.cache_clear()


CALLS: dict[str, Callable[[RunStore], object]] = {
    "load": lambda store: store.load("churn", DAY, "decision", Decision),
    "read_result": lambda store: store.read_result("churn", DAY, "decision", Decision),
    "read_night": lambda store: store.read_night("churn", DAY),
    "read_page": lambda store: store.read_page("churn/index.html"),
    "receipt": lambda store: store.receipt("churn", DAY, "mail"),
    "nights": lambda store: store.nights("churn"),
    "save": lambda store: store.save("churn", DAY, "decision", DECISION),
    "write_page": lambda store: store.write_page("churn/index.html", b"page"),
    "remove_page": lambda store: store.remove_page("churn/index.html"),
    "note_receipt": lambda store: store.note_receipt("churn", DAY, "mail", "<id@host>"),
    "publish_night": lambda store: store.publish_night("churn", DAY, {"index.html": b"one"}),
    "replace_in_night": lambda store: store.replace_in_night("churn", DAY, {"index.html": b"one"}),
}


@pytest.mark.parametrize("call", CALLS)
def test_on_disk_whatever_the_system_refuses_is_an_error_that_names_the_place(tmp_path: Path, call: str) -> None:
    (tmp_path / "churn").symlink_to("churn")  # a loop: no path through it can be opened, by nobody
    told = (
        rf"{tmp_path}/churn.*: cannot be (read|listed|written|locked|removed): Too many levels .*; see PIPELINE_STORE"
    )
    with pytest.raises(OutletUnavailable, match=told):
        CALLS[call](RunStore(str(tmp_path)))


@pytest.mark.parametrize("call", CALLS)
def test_on_s3_whatever_is_refused_is_an_error_that_names_the_place(s3_flaky: FlakyS3, call: str) -> None:
    store = RunStore(s3_flaky.s3.uri("store"))
    assert store.read_page("index.html") is None  # its form is known
    s3_flaky.fail(times=20, status=403, code="AccessDenied")
    with pytest.raises(OutletUnavailable, match=r"s3://snapshots/store/churn.*: access denied \(.*check the AWS"):
        CALLS[call](store)


@pytest.mark.parametrize("call", ["load", "read_result", "read_page", "receipt"])
def test_on_disk_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path, call: str) -> None:
    for key in (f".work/{DAY}/decision.json", f"{DAY}/decision.json", "index.html", f".receipts/{DAY}/mail"):
        (tmp_path / "churn" / key).mkdir(parents=True)
    with pytest.raises(OutletUnavailable, match="cannot be read: Is a directory"):
        CALLS[call](RunStore(str(tmp_path)))


def test_who_writes_where_somebody_removes_writes_it_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mail was sent, and its receipt is noted as `prune` removes all that there is of the night."""
    store, make = RunStore(str(tmp_path)), tempfile.NamedTemporaryFile

    def meanwhile(**options: Any) -> Any:
        monkeypatch.setattr(tempfile, "NamedTemporaryFile", make)
        RunStore(str(tmp_path)).remove_night("churn", DAY)
        return make(**options)

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", meanwhile)
    store.note_receipt("churn", DAY, "mail", "sent")
    assert store.receipt("churn", DAY, "mail") == "sent"


def test_who_removes_where_somebody_writes_or_removes_removes_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = RunStore(str(tmp_path)), RunStore(str(tmp_path))
    steps: list[Callable[[], None]] = [
        lambda: other.save("churn", DAY, "decision", DECISION),
        lambda: other.remove_monitor("churn"),
    ]
    rmdir = os.rmdir

    def meanwhile(*arguments: Any, **options: Any) -> None:
        if steps:
            steps.pop(0)()
        rmdir(*arguments, **options)

    store.save("churn", DAY, "drift", DECISION)
    monkeypatch.setattr(os, "rmdir", meanwhile)
    store.remove_monitor("churn")
    assert not steps
    assert not store.knows("churn")
