"""Columns that are found usual all at once, beside the verdict on each one by itself."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from pipeline.checks.alarms.judge import Verdict, judge
from pipeline.checks.alarms.past import PastNight
from pipeline.checks.backtest.usual import Usual, is_plain
from pipeline.config import AlarmPolicy
from pipeline.results import ColumnProfile, NightProfile, Pieces, SideProfile

FIRST = date(2026, 1, 1)
COLUMNS, CELLS, REFERENCE_ROWS = 14, 12, 30_000


def side(counts: Any, missing: int) -> SideProfile:
    cells = tuple(int(many) for many in counts)
    return SideProfile(rows=sum(cells) + missing, missing=missing, cells=cells)


def nights_of(
    many: int, rows: int, moved: float, *, weekend: float = 0.0, incident: range = range(0), references: int = 1
) -> dict[date, NightProfile]:
    """Nights whose columns move by `moved`, on Sundays by `weekend` more; some drift far on the nights of an incident.

    The last column is missing on every third night, and the last but one has other cells from the tenth night on.
    """
    rng, nights = np.random.default_rng(3), {}
    shares = [rng.dirichlet(np.full(CELLS if at % 3 else 3, 3.0)) for at in range(COLUMNS)]
    sizes = [moved * scale for scale in rng.choice([0.0, 0.5, 1.0, 2.0], COLUMNS)]
    before = [[rng.multinomial(REFERENCE_ROWS, share) for share in shares] for _ in range(references)]
    for number in range(many):
        day, which = FIRST + timedelta(days=number), number * references // many
        columns = []
        for at, share in enumerate(shares):
            if at == COLUMNS - 1 and number % 3 == 2:
                continue
            tilt = sizes[at] * rng.normal() + weekend * (day.weekday() == 6) + 0.8 * (number in incident and at < 5)
            now = share * np.exp(tilt * np.linspace(-1, 1, share.size))
            counts = rng.multinomial(rows, now / now.sum())
            kind: Any = "numerical" if at % 2 else "categorical"
            shift = 0.5 * (at == COLUMNS - 2 and number >= 10)
            edges = {"edges": tuple((np.arange(share.size - 1) + shift).tolist())}
            pieces = Pieces(count=9, variation={"shares": 0.001, "missing": 0.0}) if at == 4 else None
            missing = 0 if at % 4 else int(rng.binomial(rows, 0.03))
            columns.append(
                ColumnProfile(
                    name=f"c{at}",
                    kind=kind,
                    **(edges if at % 2 else {"categories": tuple(f"k{place}" for place in range(share.size - 1))}),
                    reference=side(before[which][at], 0 if at % 4 else 900),
                    production=side(counts, missing),
                    pieces=pieces,
                )
            )
        nights[day] = NightProfile(snapshots="s", reference=f"r{which}", columns=tuple(columns))
    return nights


CASES: dict[str, dict[str, Any]] = {
    "few rows": {"many": 16, "rows": 60, "moved": 0.0},
    "quiet": {"many": 40, "rows": 3_000, "moved": 0.05},
    "many rows": {"many": 30, "rows": 400_000, "moved": 0.1},
    "an incident": {"many": 40, "rows": 3_000, "moved": 0.05, "incident": range(20, 27)},
    "one from the start": {"many": 16, "rows": 3_000, "moved": 0.05, "incident": range(3, 9)},
    "weekends": {"many": 40, "rows": 5_000, "moved": 0.03, "weekend": 0.3},
    "three references": {"many": 45, "rows": 3_000, "moved": 0.05, "references": 3},
}


@pytest.mark.parametrize("window", [1, 4])
@pytest.mark.parametrize("per_nights", [4, 365])
@pytest.mark.parametrize("case", sorted(CASES))
def test_no_column_that_is_found_usual_is_rare_when_looked_at(case: str, per_nights: int, window: int) -> None:
    policy, nights = AlarmPolicy(per_nights=per_nights, window=window), nights_of(**CASES[case])
    usual, past, found, rare = Usual(nights), list[PastNight](), 0, 0
    for day, profile in nights.items():
        names = usual.columns(1 / per_nights, profile, past, day)
        looked_at = judge(policy, 0.3, profile, past, day)
        spared = judge(policy, 0.3, profile, past, day, usual=names)

        if looked_at.alarms.window == 1:
            assert [name for name in names if looked_at.columns[name].chance <= 1 / per_nights] == []
        assert told(spared) == told(looked_at)
        found, rare = found + len(names), rare + len(looked_at.drifted["reference"])
        past.append(PastNight(day, profile.model_copy(update={"drifted": dict(looked_at.drifted)})))
    if case != "three references":  # where a reference is new, nights of the one before say what is usual
        assert found > 0.7 * (COLUMNS * len(nights) - rare)


def told(verdict: Verdict) -> tuple[object, ...]:
    alarms = verdict.alarms
    return dict(verdict.drifted), alarms.rows, alarms.rows_needed, alarms.too_few_rows, verdict.level


def test_what_is_not_plain_is_left_to_a_look_at_each_column() -> None:
    assert is_plain(AlarmPolicy(per_nights=30))
    assert is_plain(AlarmPolicy.model_validate({"per_nights": 30, "against": ["reference", {"trailing": 7}]}))
    assert not is_plain(AlarmPolicy.model_validate({"per_nights": 30, "against": [{"trailing": 7}, "reference"]}))
