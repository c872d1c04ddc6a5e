"""How long outlets are waited for, and that a silent one is waited for once."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from pipeline.errors import OutletRefused, OutletUnavailable, StoreBusy
from pipeline.storage.patience import OUTLET_SECONDS, one_wait_each, outlet, wait_at_most


@pytest.fixture(autouse=True)
def _little_time() -> Iterator[None]:
    wait_at_most(0.4)
    yield
    wait_at_most(OUTLET_SECONDS)


def fail(error: Exception, after: float = 0.0, what: str = "MLflow") -> None:
    with outlet(what):
        time.sleep(after)
        raise error


def test_a_silent_outlet_is_waited_for_once_and_others_are_asked() -> None:
    with one_wait_each():
        with pytest.raises(OutletUnavailable, match="did not finish within"):
            fail(OutletUnavailable("gone"), after=0.5)
        with pytest.raises(OutletUnavailable, match=r"did not finish within .* so it is not asked again in this run"):
            fail(ZeroDivisionError())
        with outlet("the Pushgateway"):
            pass
    with outlet("MLflow"):  # the next night asks it again
        pass


def test_one_that_is_slow_to_say_no_answer_is_silent_as_well() -> None:
    with one_wait_each():
        with pytest.raises(OutletUnavailable, match="no answer in time"):
            fail(OutletUnavailable("no answer in time"), after=0.15)
        with pytest.raises(OutletUnavailable, match="not asked again"):
            fail(ZeroDivisionError())


@pytest.mark.parametrize("error", [OutletUnavailable("refused"), OutletRefused("no"), StoreBusy("held")])
def test_one_that_answers_soon_is_soon_asked_again(error: Exception) -> None:
    after = 0.0 if type(error) is OutletUnavailable else 0.2
    with one_wait_each():
        with pytest.raises(type(error)):
            fail(error, after)
        with outlet("MLflow"):
            pass


def test_without_a_night_nothing_is_remembered() -> None:
    for _ in range(2):
        with pytest.raises(OutletUnavailable, match="no answer in time"):
            fail(OutletUnavailable("no answer in time"), after=0.15)
