"""Past nights for the history: quiet at first, then a slow drift, one night with broken data, one that did not run."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache

from pipeline.publish.facts.history import PastNight
from tests.publish.samples import KNOWN, RUN_DATE

LIMIT = 0.30
BROKEN_DAYS_AGO = 11
NOT_RUN_DAYS_AGO = 5


def past(days: int = 40, until: date = RUN_DATE, columns: Sequence[str] = KNOWN) -> tuple[PastNight, ...]:
    """Nights before `until`, oldest first; equal arguments give equal nights."""
    return _past(days, until, tuple(columns))


@cache
def _past(days: int, until: date, columns: tuple[str, ...]) -> tuple[PastNight, ...]:
    chance = random.Random(7)
    return tuple(
        _night(until - timedelta(days=ago), ago, columns, chance)
        for ago in range(days, 0, -1)
        if ago != NOT_RUN_DAYS_AGO
    )


def _night(day: date, ago: int, columns: Sequence[str], chance: random.Random) -> PastNight:
    drifting = 0.3 + 0.7 * max(0, (20 - ago) / 20) ** 2
    strengths = {
        name: round(drifting * chance.uniform(0.2, 1.6) * (1.5 if place % 4 == 0 else 1.0), 3)
        for place, name in enumerate(columns)
    }
    drifted = tuple(sorted((name for name in columns if strengths[name] > 1), key=lambda name: -strengths[name]))
    share = len(drifted) / len(columns)
    broken = ago == BROKEN_DAYS_AGO
    return PastNight(
        run_date=day,
        status="data_broken" if broken else "drifted" if share > LIMIT else "healthy",
        drift_share=share,
        limit=LIMIT,
        passed_share=0.7 if broken else 1.0,
        critical_failures=2 if broken else 0,
        failures=3 if broken else 0,
        rows=1_200 if broken else chance.randint(3_200, 3_600),
        retrain=share > LIMIT and not broken,
        strengths=strengths,
        drifted=drifted,
        performance={"accuracy": round(0.86 - 0.03 * drifting, 4), "roc_auc": round(0.88 - 0.05 * drifting, 4)},
        labels_date=day - timedelta(days=7),
    )
