"""The verdict on a night, from profiles alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from pipeline.checks.alarms.judge import Verdict, judge
from pipeline.checks.alarms.past import PastNight
from pipeline.config import AlarmPolicy
from pipeline.results import ColumnDrift, ColumnProfile, NightProfile
from tests.checks.alarms.profiles import FIRST, column, night, past

EVEN = (7_500, 7_500, 7_500, 7_500, 0)


def judged(*columns: ColumnProfile, nights: list[PastNight] | None = None, number: int = 60, **policy: Any) -> Verdict:
    budget = AlarmPolicy.model_validate({"per_nights": 365} | policy)
    return judge(budget, 0.3, night(*columns), nights or [], FIRST + timedelta(number))


def drifted(verdict: Verdict) -> tuple[str, ...]:
    return verdict.alarms.comparisons[0].drifted


def drawn(seed: int, rows: int = 1_000) -> tuple[int, ...]:
    """A night of the same four categories."""
    return (*tuple(np.random.default_rng(seed).multinomial(rows, [0.25] * 4).tolist()), 0)


def quiet_nights(many: int, reference: str = "reference") -> list[PastNight]:
    return [past(night(column(EVEN, drawn(number)), reference=reference), number) for number in range(many)]


MOVED = (600, 100, 150, 150, 0)


@pytest.mark.parametrize("many", [0, 1, 7, 30])
def test_a_night_like_the_reference_is_quiet_and_one_that_is_not_drifts(many: int) -> None:
    known = quiet_nights(many)
    assert drifted(judged(column(EVEN, drawn(99)), nights=known)) == ()
    verdict = judged(column(EVEN, MOVED), nights=known)
    assert drifted(verdict) == ("x",)
    assert verdict.alarms.chance < 1 / 365
    assert verdict.drifted == {"reference": ("x",)}
    assert (verdict.alarms.nights, verdict.alarms.learning) == ((0, True) if many < 7 else (many, False))


def test_in_the_first_week_nights_say_what_is_usual_of_their_own_weekday_alone() -> None:
    """Five working days alike say nothing of the Saturday that follows them."""
    monday_to_friday = quiet_nights(5)
    slightly = column(EVEN, (300, 234, 233, 233, 0))
    saturday, monday = (judged(slightly, nights=monday_to_friday, number=number) for number in (5, 7))
    assert (drifted(saturday), saturday.alarms.learning, saturday.alarms.nights) == ((), True, 0)
    assert (drifted(monday), monday.alarms.learning, monday.alarms.nights) == ((), False, 5)
    assert monday.alarms.chance < saturday.alarms.chance


def test_the_rarest_column_comes_first_and_quiet_ones_are_not_named() -> None:
    missing = column(EVEN, drawn(3, rows=900), "gaps", missing=(0, 100))
    verdict = judged(column(EVEN, drawn(1), "a"), column(EVEN, (700, 100, 100, 100, 0), "b"), missing)
    assert drifted(verdict) == ("gaps", "b")
    assert verdict.columns["gaps"].view == "missing"


def test_a_verdict_is_put_on_the_column_that_was_compared() -> None:
    verdict = judged(column(EVEN, MOVED))
    nothing = dict.fromkeys(("method", "score", "threshold"))
    compared = ColumnDrift(name="x", kind="categorical", drifted=False, status="evaluated", reason="c0", **nothing)
    found = verdict.on(compared)
    assert (found.method, found.direction, found.drifted, found.reason) == ("shares", "distance", True, "c0")
    assert found.score is not None
    assert found.threshold is not None
    assert found.usual is not None
    assert found.score > found.threshold > found.usual > 0
    unseen = verdict.on(compared.model_copy(update={"name": "y"}))
    assert (unseen.status, unseen.reason) == (
        "not_evaluable",
        "its values cannot be counted in the cells of the reference",
    )


def test_a_night_on_which_no_column_can_be_counted_is_as_usual_as_can_be() -> None:
    verdict = judged(nights=quiet_nights(20))
    assert verdict.alarms.chance == 1.0
    assert verdict.drifted == {"reference": ()}
    assert not verdict.alarms.too_few_rows


@pytest.mark.parametrize("rows", [0, 1])
def test_a_night_of_hardly_a_row_says_nothing_and_says_so(rows: int) -> None:
    verdict = judged(column(EVEN, (rows, 0, 0, 0, 0)), nights=quiet_nights(20))
    assert drifted(verdict) == ()
    assert verdict.alarms.rows == rows
    assert verdict.alarms.too_few_rows
    assert verdict.alarms.rows_needed is not None
    assert verdict.alarms.rows_needed > rows


def test_a_column_that_lost_all_its_values_drifts() -> None:
    assert drifted(judged(column(EVEN, (0, 0, 0, 0, 0), missing=(0, 1_000)), nights=quiet_nights(20))) == ("x",)


def test_more_categories_than_cells_are_counted_together() -> None:
    reference = (*([500] * 40), 10_000)
    parts, rng = np.array(reference) / sum(reference), np.random.default_rng(0)
    quiet, *others = (tuple(rng.multinomial(3_000, parts).tolist()) for _ in range(15))
    known = [past(night(column(reference, other)), number) for number, other in enumerate(others)]
    assert drifted(judged(column(reference, quiet), nights=known)) == ()
    assert drifted(judged(column(reference, (*quiet[:-1], quiet[-1] + 1_500)), nights=known)) == ("x",)


def test_a_column_that_always_had_one_value_drifts_where_it_has_another() -> None:
    assert drifted(judged(column((30_000, 0), (3_000, 0)))) == ()
    assert drifted(judged(column((30_000, 0), (2_700, 300)))) == ("x",)
    assert drifted(judged(column((0, 30_000, 0), (0, 0, 3_000), kind="numerical"))) == ("x",)


def test_nights_of_another_reference_say_how_much_a_column_moves_and_are_not_what_it_is_held_against() -> None:
    rng = np.random.default_rng(0)
    moving = []
    for number in range(30):
        moves = np.array([1.0, -1, 0, 0, 0]) * rng.normal(0, 0.06)
        cells = rng.multinomial(1_000, np.array([0.25, 0.25, 0.25, 0.25, 0]) + moves).tolist()
        moving.append(past(night(column(EVEN, cells), reference=f"of night {number}"), number))
    tonight = column(EVEN, (340, 170, 245, 245, 0))
    assert drifted(judged(tonight, nights=quiet_nights(30, "another"))) == ("x",)
    assert drifted(judged(tonight, nights=moving)) == ()


def test_a_window_looks_at_as_many_nights_as_it_needs() -> None:
    few = [past(night(column(EVEN, (6, 6, 6, 6, 0))), number) for number in range(20)]
    alone, together = (judged(column(EVEN, (6, 6, 6, 6, 0)), nights=few, number=20, window=size) for size in (1, 7))
    assert (alone.alarms.rows, alone.alarms.window, alone.alarms.too_few_rows) == (24, 1, True)
    assert (together.alarms.rows, together.alarms.too_few_rows) == (24 * together.alarms.window, False)
    assert 1 < together.alarms.window <= 7
    assert judged(column(EVEN, drawn(0)), nights=few, number=20, window=7).alarms.window == 1


def test_what_changed_long_ago_has_drifted_from_the_reference_and_not_since_last_week() -> None:
    changed = [past(night(column(EVEN, MOVED)), number, reference=("x",)) for number in range(30, 60)]
    verdict = judged(column(EVEN, MOVED), nights=[*quiet_nights(30), *changed], against=["reference", {"previous": 7}])
    assert verdict.drifted == {"reference": ("x",), "previous 7": ()}
    assert [item.against for item in verdict.alarms.comparisons] == ["the reference", "the last 7 quiet nights"]


def test_copies_of_a_column_change_no_verdict_of_one_alone() -> None:
    counts = (300, 240, 240, 220, 0)
    one = judged(column(EVEN, counts)).alarms.chance
    ten = judged(*(column(EVEN, counts, f"x{place}") for place in range(10))).alarms.chance
    assert ten == pytest.approx(one)


def test_the_same_night_is_judged_the_same_again() -> None:
    profile = NightProfile.model_validate_json(night(column(EVEN, MOVED)).to_json())
    budget = AlarmPolicy(per_nights=365)
    again = judge(budget, 0.3, profile, quiet_nights(12), FIRST + timedelta(60))
    assert again.alarms == judged(column(EVEN, MOVED), nights=quiet_nights(12)).alarms


def test_the_first_night_may_be_what_later_ones_are_held_against_although_it_is_not_like_the_reference() -> None:
    policy: dict[str, Any] = {"against": ["reference", {"trailing": 14}]}
    known: list[PastNight] = []
    for number in range(4):
        verdict = judged(column(EVEN, MOVED), nights=known, number=number, **policy)
        named = {key.replace(" ", "_"): names for key, names in verdict.drifted.items()}
        known.append(past(night(column(EVEN, MOVED)), number, **named))
        assert verdict.drifted == {"reference": ("x",), "trailing 14": ()}
    assert [bool(item.drifted) for item in verdict.alarms.comparisons] == [True, False]


def test_a_night_counted_in_other_cells_under_the_same_name_is_left_out() -> None:
    other = [past(night(column((9_000, 9_000, 0), (900, 100, 0))), number) for number in range(4)]
    with_them, without = (judged(column(EVEN, drawn(5)), nights=[*extra, *quiet_nights(12)]) for extra in (other, []))
    assert with_them.columns["x"].chance == pytest.approx(without.columns["x"].chance)
    assert with_them.columns["x"].nights == without.columns["x"].nights == 12
