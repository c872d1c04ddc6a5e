"""A night is whole for whoever reads it, however many publish it, wherever one of them is killed or stands still."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.errors import StoreBusy
from pipeline.storage import lease
from pipeline.storage.run_store import RunStore
from tests.servers.s3 import S3, FlakyS3
from tests.storage.publisher import DAY, night, start
from tests.storage.stopping import Requests

Files = dict[str, bytes]
Change = Callable[[RunStore], object]
OLD: Files = {"index.html": b"old", "summary.eml": b"old"}
NEW: Files = {"index.html": b"new", "runs.json": b"new"}
OTHER: Files = {"index.html": b"other", "summary.eml": b"other"}


def publish(files: Files) -> Change:
    return lambda store: store.publish_night("churn", DAY, files)


def replace(**files: bytes) -> Change:
    return lambda store: store.replace_in_night("churn", DAY, {f"{name}.html": new for name, new in files.items()})


@pytest.fixture
def requests(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Requests:
    """Of one process at a time; whoever holds a lease has stood still for too long in the eyes of the others."""
    monkeypatch.setattr(lease, "EXPIRES_SECONDS", -1.0)
    return Requests()


def require_consistent(s3: S3, store: RunStore) -> Files:
    """The night, which is in its place and whole there, too, for those who read it without a run store."""
    found = store.read_night("churn", DAY)
    assert found is not None
    manifest = json.loads(s3.get(f"store/churn/{DAY}/night.json"))
    assert manifest.get("in_place", True)
    places = {name: s3.get(f"store/churn/{DAY}/{name}") for name in manifest["files"]}
    assert places == found
    assert {name: hashlib.sha256(content).hexdigest() for name, content in places.items()} == manifest["files"]
    return found


def require_tidy(s3: S3) -> None:
    assert s3.keys("store/churn/.nights/") == ["store/churn/.nights/.lock"]


def steps(requests: Requests, change: Change, store: RunStore) -> int:
    with requests.counted():
        change(store)
    return requests.count


CHANGES: dict[str, tuple[Change, Files]] = {
    "publish": (publish(NEW), NEW),
    "replace": (replace(index=b"new", runs=b"new"), {**OLD, "index.html": b"new", "runs.html": b"new"}),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("then", ["refresh", "refresh unchanged", "publish", "the same again"])
def test_on_s3_a_publisher_killed_at_any_request_leaves_the_old_night_or_the_new_one(
    s3: S3, requests: Requests, change: str, then: str
) -> None:
    store, (act, new) = RunStore(s3.uri("store")), CHANGES[change]
    publish(OLD)(store)
    last, seen = steps(requests, act, store), set()
    for step in range(1, last + 2):
        publish(OLD)(store)
        with requests.killed_at(step):
            act(store)
        found = store.read_night("churn", DAY)
        assert found in (OLD, new), step
        seen.add(found == new)
        if then == "refresh":
            replace(index=b"refreshed")(store)
            assert require_consistent(s3, store) == {**found, "index.html": b"refreshed"}, step
            require_tidy(s3)
        elif then == "refresh unchanged":
            store.replace_in_night("churn", DAY, {"index.html": found["index.html"]})
            assert require_consistent(s3, store) == found, step
        elif then == "the same again":
            act(store)
            assert require_consistent(s3, store) == new, step
            require_tidy(s3)
        else:
            publish(OTHER)(store)
            assert require_consistent(s3, store) == OTHER, step
            require_tidy(s3)
    assert seen == {False, True}


def test_on_s3_a_first_publisher_killed_at_any_request_leaves_no_night_or_a_whole_one(
    s3: S3, requests: Requests
) -> None:
    store, seen = RunStore(s3.uri("store")), set[bool]()
    for step in range(1, 100):
        for key in s3.keys(""):
            s3.client.delete_object(Bucket=s3.bucket, Key=key)
        with requests.killed_at(step):
            publish(NEW)(store)
            break
        found = store.read_night("churn", DAY)
        assert found in (None, NEW)
        assert store.nights("churn") == ([] if found is None else [DAY])
        seen.add(found is None)
        publish(OTHER)(store)
        assert require_consistent(s3, store) == OTHER
    assert seen == {False, True}


@pytest.mark.parametrize("meanwhile", CHANGES)
@pytest.mark.parametrize("change", CHANGES)
def test_on_s3_one_that_stood_still_at_any_request_does_not_undo_what_another_did(
    s3: S3, requests: Requests, change: str, meanwhile: str
) -> None:
    """The other does all of it while the first stands still; the first then goes on as if nothing had happened."""
    store, (act, _) = RunStore(s3.uri("store")), CHANGES[change]
    others: dict[str, tuple[Change, Files]] = {
        "publish": (publish(OTHER), OTHER),
        "replace": (replace(index=b"other"), {"index.html": b"other"}),
    }
    other, theirs = others[meanwhile]
    publish(OLD)(store)
    last, busy = steps(requests, act, store), 0
    for step in range(1, last + 1):
        publish(OLD)(store)
        try:
            with requests.standing_still_at(step, lambda: other(store)):
                act(store)
        except StoreBusy:
            busy += 1
            found = require_consistent(s3, store)
            assert found.items() >= theirs.items(), step
        else:
            require_consistent(s3, store)
        publish(OTHER)(store)
        assert require_consistent(s3, store) == OTHER, step
        require_tidy(s3)
    assert busy > 2


@pytest.mark.parametrize("third", [False, True], ids=["nobody", "a third"])
@pytest.mark.parametrize("killed", ["after the manifest", "between two copies"])
def test_on_s3_one_that_stood_still_does_no_harm_when_another_was_killed_meanwhile(
    s3: S3, requests: Requests, killed: str, third: bool
) -> None:
    """A first stands still once its night is noted, a second is killed, a third completes the second's, or nobody."""
    store = RunStore(s3.uri("store"))
    publish(OLD)(store)
    last = steps(requests, publish(NEW), store)
    noted = requests.manifests[0]
    moment = noted + 1 if killed == "after the manifest" else requests.copies[-1]
    for step in range(noted, last + 1):
        publish(OLD)(store)

        def meanwhile() -> None:
            with requests.killed_at(moment):
                publish(OTHER)(store)
            if third:
                store.replace_in_night("churn", DAY, {"index.html": OTHER["index.html"]})
                assert require_consistent(s3, store) == OTHER

        with suppress(StoreBusy), requests.standing_still_at(step, meanwhile):
            publish(NEW)(store)
        found = store.read_night("churn", DAY)
        assert found in (NEW, OTHER), step
        store.replace_in_night("churn", DAY, {"index.html": found["index.html"]})
        assert require_consistent(s3, store) == found, step


def test_on_s3_the_lease_is_asked_for_right_before_the_manifest(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore(s3.uri("store"))
    publish(OLD)(store)
    monkeypatch.setattr(lease.Lease, "require", lost)
    before = s3.get(f"store/churn/{DAY}/night.json")
    with pytest.raises(StoreBusy, match="stood still"):
        publish(NEW)(store)
    assert s3.get(f"store/churn/{DAY}/night.json") == before
    assert require_consistent(s3, store) == OLD


def lost(_: object) -> None:
    raise StoreBusy("this run stood still")


def test_on_s3_answers_that_get_lost_change_nothing(s3_flaky: FlakyS3) -> None:
    store = RunStore(s3_flaky.s3.uri("store"))
    publish(OLD)(store)
    for key in (f"churn/{DAY}/night.json", f"churn/{DAY}/index.html", "churn/.nights/.lock"):
        s3_flaky.lose_answers(key=f"store/{key}", times=2)
        publish(NEW)(store)
        assert require_consistent(s3_flaky.s3, store) == NEW
        require_tidy(s3_flaky.s3)


def test_on_s3_what_browsers_are_told_of_a_file_survives_its_way(s3: S3) -> None:
    RunStore(s3.uri("store")).publish_night("churn", DAY, {"index.html": b"", "drift.json": b"", "gauges.prom": b""})

    def kind(name: str) -> str:
        head = s3.client.head_object(Bucket=s3.bucket, Key=f"store/churn/{DAY}/{name}")
        return str(head["ContentType"])

    assert kind("index.html") == "text/html; charset=utf-8"
    assert kind("gauges.prom") == "text/plain; charset=utf-8"
    assert kind("drift.json") == kind("night.json") == "application/json"


def test_on_s3_nights_of_earlier_versions_are_read_refreshed_and_replaced(s3: S3) -> None:
    store = RunStore(s3.uri("store"))
    for name, content in OLD.items():
        s3.put(f"store/churn/{DAY}/{name}", content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in OLD.items()}
    s3.put(f"store/churn/{DAY}/night.json", json.dumps({"files": digests}).encode())
    assert store.read_night("churn", DAY) == OLD
    replace(index=b"new")(store)
    assert require_consistent(s3, store) == {**OLD, "index.html": b"new"}
    s3.put(f"store/churn/{DAY}/summary.eml", b"of another publication")  # as two writers left it
    assert store.read_night("churn", DAY) is None
    publish(NEW)(store)
    assert require_consistent(s3, store) == NEW


# --- real processes, on a disk and on S3


@pytest.fixture(params=["disk", pytest.param("s3", marks=pytest.mark.slow)])
def uri(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(lease, "_ASK_AGAIN_SECONDS", 0.1)
    return str(tmp_path / "store") if request.param == "disk" else str(request.getfixturevalue("s3").uri("store"))


def token_of(files: Files) -> bytes:
    """The one token that all files of a night hold, those aside that were put into it later."""
    (token,) = {content[: content.index(b".") + 1] for content in map(files.get, night("")) if content is not None}
    assert files["drift_report.html"] == token * 10_000
    return token


def test_two_processes_that_publish_one_night_again_and_again_come_one_after_the_other(uri: str) -> None:
    store, times = RunStore(uri), 8 if uri.startswith("s3") else 60
    store.publish_night("churn", DAY, night("first."))
    writers = [start(uri, name, times) for name in ("a", "b")]
    seen: set[bytes] = set()
    while any(writer.poll() is None for writer in writers):
        found = store.read_night("churn", DAY)
        assert found is not None
        seen.add(token_of(found))
    assert [writer.wait() for writer in writers] == [0, 0]
    found = store.read_night("churn", DAY)
    assert found is not None
    assert token_of(found) in {b"a%d." % (times - 1), b"b%d." % (times - 1)}
    assert len(seen) > 3
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.close()


def test_processes_that_are_killed_while_they_publish_leave_a_whole_night(
    uri: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = RunStore(uri)
    store.publish_night("churn", DAY, night("first."))
    for attempt in range(3):
        writer = start(uri, f"{attempt}-", 10_000)
        time.sleep(random.uniform(0.5, 1))
        writer.kill()
        writer.communicate()
        found = store.read_night("churn", DAY)
        assert found is not None
        token_of(found)
        with monkeypatch.context() as patch:
            patch.setattr(lease, "EXPIRES_SECONDS", 0.5)
            assert store.replace_in_night("churn", DAY, {"notes.html": b"%d" % attempt})
            refreshed = store.read_night("churn", DAY)
            assert refreshed == {**found, "notes.html": b"%d" % attempt}
            store.publish_night("churn", DAY + timedelta(1), night("next."))  # its neighbours share the lease
    if not uri.startswith("s3"):
        store.publish_night("churn", DAY, night("last."))
        assert len(list((tmp_path / "store" / "churn" / ".nights" / str(DAY)).iterdir())) == 2
