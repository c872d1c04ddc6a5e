"""Nights that say how much of them chance explains: judged on a budget of alarms, and by fixed thresholds."""

from __future__ import annotations

import dataclasses

from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.night import NightView, Runs
from pipeline.results import ColumnDrift, Comparison, Decision, DriftResult, NightAlarms
from tests.publish import samples
from tests.publish.nights import past

SINCE_TRAINING, SINCE_LAST_MONTH = "the reference", "the quiet nights of the last 28 days"
ROWS, NEEDED = 24, 310


def alarms(chance: float = 1 / 4_023, **other: object) -> NightAlarms:
    """At most one false alarm in 365 nights, of which 28 are known; only what is as rare as that drifted."""
    return NightAlarms.model_validate({"per_nights": 365, "chance": chance, "nights": 28, "rows": 3_412, **other})


def column(position: int, drifted: bool) -> ColumnDrift:
    """A column on a budget: by quantiles or shares, and every seventh by its missing values."""
    before = samples.column(position, drifted)
    method = "missing" if position % 7 == 6 else "shares" if before.kind == "categorical" else "quantiles"
    threshold = 0.0831726 + position * 0.003
    past_it = (1.2 + position % 7 * 0.83) if drifted else 1 / (1.3 + position % 6)
    return before.model_copy(
        update={
            "method": method,
            "direction": "distance",
            "score": threshold * past_it,
            "threshold": threshold,
            "usual": threshold * 0.62,
            "chance": 1 / (7_000 + 137 * position) if drifted else 1 / (1.1 + position),
        }
    )


def drift(drifted: int = 9, told: NightAlarms | None = None) -> DriftResult:
    """Eighteen columns on a budget."""
    found = samples.drift(drifted=drifted)
    columns = tuple(column(place, item.drifted) for place, item in enumerate(found.columns))
    return found.model_copy(update={"columns": columns, "alarms": told or alarms()})


def budget_night() -> NightView:
    """Drifted since training, but not since last month."""
    found = drift()
    comparisons = (
        Comparison(
            against=SINCE_TRAINING, chance=1 / 4_023, drifted=tuple(item.name for item in found.drifted_columns)
        ),
        Comparison(against=SINCE_LAST_MONTH, chance=1 / 3),
    )
    told = alarms(window=7, rows=23_884, comparisons=comparisons)
    return dataclasses.replace(samples.view(), drift=drift(told=told), history=past())


def few_drift(**other: object) -> DriftResult:
    """Of 24 rows nothing can be told."""
    told = {"rows": ROWS, "too_few_rows": True, "rows_needed": NEEDED, **other}
    return drift(0, alarms(0.7, **told))


def few_night() -> NightView:
    """Too few rows, after nights of which some had too few, too."""
    before = tuple(few(night) if night.run_date.day in (9, 13) else night for night in past())
    reason = "too few rows to tell a change from chance: 24 instead of at least 310"
    return dataclasses.replace(
        samples.view(),
        pair=samples.pair().model_copy(update={"production": samples.snapshot("production", ROWS)}),
        drift=few_drift(),
        decision=Decision(snapshots=samples.pair().digest, status="too_few_rows", retrain=False, reason=reason),
        history=before,
        runs=Runs(airflow=f"scheduled__{samples.RUN_DATE}"),
    )


def few(night: PastNight) -> PastNight:
    """The night, had it had too few rows."""
    told = {"rows": ROWS, "nights": 1, "needed": NEEDED}
    quiet = {"drift_share": 0.0, "strengths": {}, "drifted": (), "retrain": False, "rows": ROWS, "hold": None}
    return PastNight.model_validate(night.model_dump() | quiet | {"status": "too_few_rows", "few": told})


def chance_night() -> NightView:
    """Fixed thresholds, of which it is known how often chance alone passes them."""
    found = samples.drift()
    columns = tuple(
        item.model_copy(update={"chance": (0.5, 0.012, 1e-4, 1e-7)[place % 4]})
        for place, item in enumerate(found.columns)
    )
    return dataclasses.replace(samples.view(), drift=found.model_copy(update={"columns": columns}), history=past())


VIEWS = {"budget": budget_night(), "few-rows": few_night(), "by-chance": chance_night()}
