"""One at a time, whoever is killed or stands still, on a disk and on S3."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipeline.errors import OutletUnavailable, StoreBusy
from pipeline.retrain.champion import by_hand
from pipeline.storage import lease
from pipeline.storage.lease import Lease, hold_object
from pipeline.storage.run_store import RunStore
from tests.servers.s3 import S3, FlakyS3

DAY = date(2026, 1, 14)
KEY = "store/people/.retraining.lock"
HOLDER = """
import sys
from pipeline.storage.run_store import RunStore
with RunStore(sys.argv[1]).alone_retraining('people', 0) as lease:
    print('held', flush=True)
    sys.stdin.readline()
    lease.require()
    print('still held', flush=True)
"""


@pytest.fixture(params=["disk", pytest.param("s3", marks=pytest.mark.slow)])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "store") if request.param == "disk" else str(request.getfixturevalue("s3").uri("store"))


@pytest.fixture
def ask_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_ASK_AGAIN_SECONDS", 0.2)


def start_holder(store: str) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, store],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def kill(holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.communicate()


def is_free(uri: str, key: str) -> bool:
    try:
        with RunStore(uri).alone(key, 0) as held:
            held.require()
    except StoreBusy:
        return False
    return True


def test_it_is_free_again_afterwards_also_after_an_error(uri: str) -> None:
    with RunStore(uri).alone("people"):
        assert not is_free(uri, "people")
    assert is_free(uri, "people")
    with pytest.raises(KeyError), RunStore(uri).alone("people"):
        raise KeyError
    assert is_free(uri, "people")


def test_a_monitor_its_nights_its_retraining_the_fleet_and_others_are_held_apart(uri: str) -> None:
    store = RunStore(uri)
    with store.alone("people"):
        assert [is_free(uri, key) for key in ("", ".fleet", "others", f"people/{DAY}", "people/retraining")] == [
            True
        ] * 5
        with store.alone(f"people/{DAY}"), store.alone_retraining("people", 0):
            assert not is_free(uri, f"people/{DAY}")
            assert not is_free(uri, f"people/{DAY + timedelta(1)}")  # all nights of a monitor share one
            assert is_free(uri, f"others/{DAY}")
            assert is_free(uri, f"people/retraining/{DAY}")
    with store.alone(""):
        assert not is_free(uri, "")
        assert is_free(uri, "people")


def test_leases_of_many_nights_do_not_pile_up_and_are_no_nights(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path))
    days = [DAY + timedelta(number) for number in range(30)]
    for day in days:
        store.publish_night("people", day, {"index.html": b""})
    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*lock")] == [Path("people/.nights/.lock")]
    assert store.nights("people") == days


def test_on_s3_leases_of_many_nights_do_not_pile_up_and_are_no_nights(s3: S3) -> None:
    store = RunStore(s3.uri("store"))
    days = [DAY + timedelta(number) for number in range(5)]
    for day in days:
        store.publish_night("people", day, {"index.html": b""})
    assert list(filter(lambda key: key.endswith("lock"), s3.keys())) == ["store/people/.nights/.lock"]
    assert store.nights("people") == days


ERRORS = [FileNotFoundError(2, "No such file or directory", "night.html.j2"), PermissionError(13, "no"), OSError("x")]


@pytest.mark.parametrize("error", [*ERRORS, TimeoutError(), KeyError("x")], ids=repr)
def test_what_goes_wrong_while_it_is_held_is_not_blamed_on_the_store(uri: str, error: Exception) -> None:
    with pytest.raises(type(error)) as caught, RunStore(uri).alone("people"):
        raise error
    assert caught.value is error


def test_whoever_waits_gets_it_as_soon_as_it_is_free(uri: str) -> None:
    holder = start_holder(uri)
    told = "held by another retraining, promotion or rollback; try again when it has ended"
    with pytest.raises(StoreBusy, match=told), RunStore(uri).alone_retraining("people", 0.3):
        pass
    assert holder.communicate("go on\n") == ("still held\n", "")
    with RunStore(uri).alone_retraining("people", 20) as held:
        held.require()


def test_on_a_disk_it_is_free_once_its_holder_was_killed(tmp_path: Path) -> None:
    kill(start_holder(str(tmp_path)))
    with RunStore(str(tmp_path)).alone_retraining("people", 0) as held:
        held.require()


def in_the_way(folder: Path) -> None:
    folder.write_text("a file")


def nowhere(folder: Path) -> None:
    folder.symlink_to(folder)


@pytest.mark.parametrize("spoil", [in_the_way, nowhere])
@pytest.mark.parametrize("key", ["people", f"people/{DAY}", "people/retraining"])
def test_a_store_that_cannot_be_written_is_named(tmp_path: Path, spoil: Callable[[Path], None], key: str) -> None:
    spoil(tmp_path / "people")
    told = f"{tmp_path}/people/.*: cannot be locked: .*; see PIPELINE_STORE"
    with pytest.raises(OutletUnavailable, match=told), RunStore(str(tmp_path)).alone(key, 0):
        pass


@pytest.mark.usefixtures("ask_often")
def test_on_s3_a_holder_that_was_killed_is_followed_when_its_lease_ran_out(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill(start_holder(s3.uri("store")))
    with pytest.raises(StoreBusy), RunStore(s3.uri("store")).alone_retraining("people", 0.1):
        pass
    monkeypatch.setattr(lease, "EXPIRES_SECONDS", 1.0)
    with RunStore(s3.uri("store")).alone_retraining("people", 20) as held:
        held.require()


@pytest.mark.usefixtures("ask_often")
def test_on_s3_a_holder_that_stood_still_knows_that_it_was_followed(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks the store: it may be running again before its own clock tells it anything."""
    holder = start_holder(s3.uri("store"))
    holder.send_signal(signal.SIGSTOP)
    monkeypatch.setattr(lease, "EXPIRES_SECONDS", 1.0)
    with RunStore(s3.uri("store")).alone_retraining("people", 20) as held:
        holder.send_signal(signal.SIGCONT)
        said, error = holder.communicate("go on\n")
        assert said == ""
        assert "StoreBusy: this run stood still for too long" in error
        held.require()


def test_on_s3_a_living_holder_renews_its_lease(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_RENEW_SECONDS", 0.2)
    monkeypatch.setattr(lease, "EXPIRES_SECONDS", 3.0)
    with RunStore(s3.uri("store")).alone_retraining("people", 0) as held:
        first = s3.get(KEY)
        time.sleep(3.5)
        assert s3.get(KEY) != first
        with pytest.raises(StoreBusy), RunStore(s3.uri("store")).alone_retraining("people", 0):
            pass
        held.require()


def test_a_killed_holder_is_followed_before_whoever_moves_the_champion_by_hand_gives_up() -> None:
    assert lease.EXPIRES_SECONDS + 10 < by_hand.PATIENCE_SECONDS


def test_on_s3_a_store_that_did_not_answer_for_long_costs_nobody_a_lease_that_nobody_took(
    s3_flaky: FlakyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)  # boto3's own pauses
    monkeypatch.setattr(lease, "EXPIRES_SECONDS", 0.1)
    monkeypatch.setattr(lease, "_RENEW_SECONDS", 0.1)
    heard: list[Lease] = []
    monkeypatch.setattr(Lease, "lose", heard.append)
    with hold_object(s3_flaky.s3.uri(KEY), 0, "nobody") as held:
        turn = s3_flaky.s3.get(KEY)
        s3_flaky.fail(key=KEY, times=5)  # a renewal with all its attempts
        deadline = time.monotonic() + 60
        while s3_flaky.s3.get(KEY) == turn and time.monotonic() < deadline:
            threading.Event().wait(0.05)
        held.require()
    assert heard == []


def test_on_s3_a_holder_that_was_followed_hears_of_it_while_it_works(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_RENEW_SECONDS", 0.1)
    heard: list[Lease] = []

    def hear(lost: Lease) -> None:
        heard.append(lost)

    monkeypatch.setattr(Lease, "lose", hear)
    with RunStore(s3.uri("store")).alone_retraining("people", 0) as held:
        s3.put(KEY, b"another one")
        deadline = time.monotonic() + 10
        while not heard and time.monotonic() < deadline:
            time.sleep(0.05)
        assert heard == [held]
        with pytest.raises(StoreBusy):
            held.require()
    assert s3.get(KEY) == b"another one"  # it is theirs, and stays


def test_on_s3_a_write_whose_answer_was_lost_is_known_again(s3_flaky: FlakyS3) -> None:
    """boto3 sends it again, and finds its own condition broken by itself."""
    key = "store/.lock"
    for _ in range(2):  # the second finds a lease that was given back
        s3_flaky.lose_answers(key=key)
        with hold_object(s3_flaky.s3.uri(key), 0, "nobody") as held:
            s3_flaky.lose_answers(key=key)
            held.require()
            held.require()
            s3_flaky.lose_answers(key=key)
        assert s3_flaky.s3.get(key) == b"free"


def test_on_s3_a_renewal_that_came_through_unheard_does_not_lose_the_lease(
    s3_flaky: FlakyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = s3_flaky.s3.uri("store/.lock")
    monkeypatch.setattr("time.sleep", lambda _: None)  # boto3's own pauses
    with hold_object(uri, 0, "nobody") as held:
        s3_flaky.lose_answers(key="store/.lock")
        s3_flaky.fail(key="store/.lock", times=4)
        with pytest.raises(OutletUnavailable):
            held.require()
        assert s3_flaky.s3.get("store/.lock").endswith(b" 1")
        held.require()


def test_s3_that_refuses_is_an_outlet_and_says_what_is_needed(s3_flaky: FlakyS3) -> None:
    uri = s3_flaky.s3.uri("store")
    s3_flaky.fail(times=10, status=403, code="AccessDenied")
    with pytest.raises(OutletUnavailable, match="access denied"), RunStore(uri).alone("people", 0):
        pass


def test_s3_without_conditional_writes_is_told_apart(s3_flaky: FlakyS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)  # boto3's own pauses
    s3_flaky.fail(method="PUT", times=10, status=501, code="NotImplemented")
    told = r"cannot do this \(NotImplemented\): conditional writes"
    with pytest.raises(OutletUnavailable, match=told), RunStore(s3_flaky.s3.uri("store")).alone("people", 0):
        pass
