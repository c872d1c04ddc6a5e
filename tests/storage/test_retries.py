"""When an outlet is asked again."""

from __future__ import annotations

import pytest

from pipeline.errors import OutletRefused, OutletUnavailable
from pipeline.storage.retries import with_retries, worth_another_try
from pipeline.storage.time_limit import time_limit
from tests.servers.processes import wait_until


@pytest.mark.parametrize("status", [408, 425, 429, 499, 500, 502, 503, 504, 599])
def test_answers_that_mean_not_now(status: int) -> None:
    assert worth_another_try(status)


@pytest.mark.parametrize("status", [200, 204, 301, 304, 400, 401, 403, 404, 409, 422])
def test_answers_that_mean_yes_or_no(status: int) -> None:
    assert not worth_another_try(status)


def test_what_is_unavailable_is_asked_four_times_with_longer_and_longer_pauses() -> None:
    pauses: list[float] = []

    def ask() -> None:
        raise OutletUnavailable("not now")

    with pytest.raises(OutletUnavailable, match="not now"):
        with_retries(pauses.append)(ask)
    assert [int(pause) for pause in pauses] == [1, 2, 4]


def test_no_two_wait_alike() -> None:
    pauses: list[float] = []

    def ask() -> None:
        raise OutletUnavailable("not now")

    for _ in range(2):
        with pytest.raises(OutletUnavailable):
            with_retries(pauses.append)(ask)
    assert len(set(pauses)) == 6


def test_what_has_no_time_left_is_not_asked_again() -> None:
    def ask() -> None:
        asked.append(1)
        wait_until(lambda: limit.over, "the end of its time", timeout=10)
        raise OutletUnavailable("not now")

    asked: list[int] = []
    with pytest.raises(OutletUnavailable, match="it did not finish within"), time_limit(0.05, "it") as limit:
        with_retries(lambda _: pytest.fail("nothing to wait for"))(ask)
    assert asked == [1]


def test_what_is_refused_is_asked_once() -> None:
    def ask() -> None:
        raise OutletRefused("no")

    with pytest.raises(OutletRefused):
        with_retries(lambda _: pytest.fail("nothing to wait for"))(ask)
