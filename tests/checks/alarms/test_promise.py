"""The promise in short: few false alarms of quiet nights, and what is found. In full: benchmarks/alarms.py."""

from __future__ import annotations

import pytest

from benchmarks.alarm_columns import columns
from benchmarks.alarm_nights import Fault, Setting
from benchmarks.alarm_settings import Power
from benchmarks.alarms import allowed, power, quiet

pytestmark = pytest.mark.slow
NORMAL = columns(10, "normal")


@pytest.mark.parametrize(
    "setting",
    [
        Setting("numbers", 300, NORMAL),
        Setting("heavy tails", 300, columns(10, "heavy")),
        Setting("few rows", 24, columns(10, "rare", "poisson", "zipf25"), before=30),
        Setting("many categories", 300, columns(10, "zipf1000"), before=1),
        Setting("copies", 300, NORMAL, factors=1),
        Setting("nights that move", 3000, NORMAL, night=0.1, shuffled=True),
        Setting("nights that move far", 3000, NORMAL, night=0.3, shuffled=True),
        Setting("nights of few rows that move", 300, NORMAL, night=0.3, before=30, shuffled=True),
        Setting("weekends", 3000, NORMAL, weekend=0.5, weekend_rows=1 / 3, before=28, shuffled=True),
    ],
    ids=lambda setting: setting.name,
)
def test_quiet_nights_keep_the_budget(setting: Setting) -> None:
    found = quiet(setting, streams=4, nights=60)
    assert found["alarms"] <= allowed(240, 1 / 365)
    assert found["twentieths"] * 240 <= allowed(240, 1 / 20)


@pytest.mark.parametrize("nights", [14, 30])
@pytest.mark.parametrize(
    ("fault", "kind", "found"),
    [
        (Fault(4, shift=0.3), "normal", "over"),
        (Fault(1, default=0.1), "heavy", "any"),
        (Fault(1, missing=0.05), "missing", "any"),
    ],
    ids=["shift", "default", "missing"],
)
def test_changes_that_matter_are_found_once_nights_are_known(fault: Fault, kind: str, found: str, nights: int) -> None:
    case = Power("", Setting("", 3000, columns(10, kind)), fault)
    assert power(case, nights, streams=5)[found] == 1.0


def test_a_shift_is_found_from_the_second_week_on_and_a_large_one_from_the_first_night_on() -> None:
    setting = Setting("", 3000, NORMAL)
    assert power(Power("", setting, Fault(4, shift=0.3)), 7, streams=5)["over"] == 1.0
    assert power(Power("", setting, Fault(4, shift=1.5)), 0, streams=5)["over"] == 1.0


def test_a_new_category_is_found() -> None:
    case = Power("", Setting("", 3000, columns(10, "zipf25")), Fault(1, new=0.02))
    assert power(case, 10, streams=6)["any"] >= 5 / 6


def test_a_change_that_lasts_does_not_silence_itself() -> None:
    case = Power("", Setting("", 3000, NORMAL), Fault(4, shift=0.3), lasts=20)
    assert power(case, 12, streams=2)["over"] == 1.0
    assert power(case, 0, streams=2)["over"] == 13 / 20  # the first week is over after seven
