"""One at a time, whoever is killed, on a disk and on S3."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import OutletUnavailable, RetrainingBusy
from pipeline.storage import lease
from pipeline.storage.lease import hold
from tests.servers.s3 import S3, FlakyS3

KEY = "store/people/.retraining.lock"
HOLDER = "import sys, time\nfrom pipeline.storage.lease import hold\nwith hold(sys.argv[1], 'people', 0):\n print('held', flush=True)\n time.sleep(600)"  # noqa: E501


def start_holder(store: str) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, store],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def kill(holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert holder.stdout is not None
    holder.stdout.close()


def test_on_a_disk_one_waits_until_the_other_is_killed(tmp_path: Path) -> None:
    holder = start_holder(str(tmp_path))
    try:
        with pytest.raises(RetrainingBusy, match="try again when it has ended"), hold(str(tmp_path), "people", 0.1):
            pass
        with hold(str(tmp_path), "others", 0):  # another monitor has nothing to do with it
            pass
    finally:
        kill(holder)
    with hold(str(tmp_path), "people", 0) as held:
        held.require()


def test_a_store_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "people").write_text("in the way")

    with pytest.raises(OutletUnavailable, match="PIPELINE_STORE"), hold(str(tmp_path), "people", 0):
        pass


def test_on_s3_it_is_free_again_afterwards(s3: S3) -> None:
    with hold(s3.uri("store"), "people", 0) as held:
        held.require()
        assert s3.keys() == [KEY]
        with pytest.raises(RetrainingBusy), hold(s3.uri("store"), "people", 0):
            pass
    assert s3.keys() == []
    with hold(s3.uri("store"), "people", 0):
        pass


def test_on_s3_a_holder_that_was_killed_is_followed_when_its_lease_ran_out(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill(start_holder(s3.uri("store")))
    with pytest.raises(RetrainingBusy), hold(s3.uri("store"), "people", 0.1):
        pass
    monkeypatch.setattr(lease, "_EXPIRES_SECONDS", 1.0)
    monkeypatch.setattr(lease, "_ASK_AGAIN_SECONDS", 0.2)

    with hold(s3.uri("store"), "people", 20) as held:
        held.require()


def test_on_s3_a_living_holder_renews_its_lease(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_RENEW_SECONDS", 0.2)
    monkeypatch.setattr(lease, "_EXPIRES_SECONDS", 3.0)

    with hold(s3.uri("store"), "people", 0) as held:
        first = s3.get(KEY)
        time.sleep(3.5)
        assert s3.get(KEY) != first
        with pytest.raises(RetrainingBusy), hold(s3.uri("store"), "people", 0):
            pass
        held.require()


def test_on_s3_a_holder_that_was_followed_knows_it(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_RENEW_SECONDS", 0.1)

    with hold(s3.uri("store"), "people", 0) as held:
        s3.put(KEY, b"another one")
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                held.require()
            except RetrainingBusy:
                break
            time.sleep(0.05)
        else:
            pytest.fail("the lease was lost, and its holder does not know")
    assert s3.get(KEY) == b"another one"  # it is theirs, and stays


def test_on_s3_a_write_that_meets_itself_is_its_own(s3: S3) -> None:
    """As when the answer to a write got lost, and boto3 sent it again."""
    bucket, key = s3.bucket, "lease"
    first = lease._put(bucket, key, "me 1", IfNoneMatch="*")

    assert first == lease._put(bucket, key, "me 1", IfNoneMatch="*")
    assert lease._put(bucket, key, "another", IfNoneMatch="*") is None


def test_s3_that_does_not_answer_is_an_outlet(s3_flaky: FlakyS3) -> None:
    s3_flaky.fail(times=10, status=403, code="AccessDenied")

    with pytest.raises(OutletUnavailable, match="access denied"), hold(s3_flaky.s3.uri("store"), "people", 0):
        pass
