"""Nights, fleets and pages of every state. Equal arguments give equal values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from pipeline.config import AlarmPolicy, Monitor
from pipeline.publish import pages
from pipeline.publish.facts.audit import Audit, Evidence, audit
from pipeline.publish.facts.fleet import Watched
from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.incidents import standing_of
from pipeline.publish.facts.night import NightView
from pipeline.publish.facts.retraining import remember
from pipeline.results import (
    Decision,
    DriftResult,
    ExpectationOutcome,
    PinnedObject,
    QualityResult,
    Shape,
    Snapshot,
    Told,
)
from tests.publish import budgets, incidents, performances, probations, profiles, retrainings, samples
from tests.publish.nights import past
from tests.publish.samples import HOSTILE

MEGABYTE = 1_000_000
NOW = datetime(2026, 1, 15, 9, tzinfo=UTC)


def drifted_night() -> NightView:
    return dataclasses.replace(samples.view(), history=past())


def incident_night() -> NightView:
    """The same, as one of an incident; some of what drifted and failed had done so before."""
    night = drifted_night()
    return dataclasses.replace(night, incident=standing_of((*night.history, night.tonight), night.run_date))


def broken_night() -> NightView:
    return dataclasses.replace(
        drifted_night(),
        quality=samples.quality(True),
        decision=samples.decision(failed=True),
        drift=samples.drift(not_evaluable=2),
        performance=samples.performance(measured=False),
    )


def first_night() -> NightView:
    drift = samples.drift(drifted=0)
    return dataclasses.replace(samples.view(), drift=drift, decision=samples.decision(drifted=False))


def expected_night(drifted: int = 2, words: Sequence[str] = ("price change, until 2026-02-14",)) -> NightView:
    """Some columns drifted, and the next three changed as expected."""
    drift = samples.drift(drifted=drifted + 3)
    moved = [item.name for item in drift.columns if item.drifted][drifted:]
    told = {name: {"drifted": False, "expected": words[place % len(words)]} for place, name in enumerate(moved)}
    columns = [item.model_copy(update=told.get(item.name, {})) for item in drift.columns]
    found = drift.model_copy(
        update={"columns": tuple(columns), "drifted": False, "drift_share": drifted / drift.evaluated}
    )
    return dataclasses.replace(first_night(), drift=found, history=past())


def hostile_night(names: Sequence[str] = HOSTILE) -> NightView:
    """Every text that comes from data or from a file was chosen by somebody with care."""
    shape = Shape(categories=tuple(names), reference=(0.1,) * len(names), production=(0.2,) * len(names))
    columns = tuple(
        samples.column(0, True, name).model_copy(
            update={"reason": name, "flags": (name,), "shape": shape if place % 2 else samples.bars(True)}
        )
        for place, name in enumerate(names)
    )
    outcomes = tuple(
        ExpectationOutcome(
            expectation="e", column=name, severity="critical", passed=False, sentence=name, observed=name, notes=name
        )
        for name in names
    )
    objects = tuple(PinnedObject(uri=name, size=1, sha256="0" * 64, rows=1, modified=name) for name in names)
    snapshot = Snapshot(uri=names[0], objects=objects, fields=(), rows=len(names))
    strengths = dict.fromkeys(names, 1.5)
    history = tuple(night.model_copy(update={"strengths": strengths, "drifted": tuple(names)}) for night in past(5))
    return dataclasses.replace(
        samples.view(),
        monitor=samples.monitor().model_copy(update={"description": names[0], "owner": names[0]}),
        pair=samples.pair().model_copy(update={"production": snapshot}),
        drift=DriftResult(snapshots="", drift_share=1.0, limit=0.3, drifted=True, columns=columns),
        quality=QualityResult(snapshots="", suite="churn", passed=False, outcomes=outcomes),
        decision=Decision(snapshots="", status="drifted", retrain=False, reason=names[0]),
        history=history,
    )


def all_nights() -> tuple[PastNight, ...]:
    return (*past(75), drifted_night().tonight)


def fleet(monitors: int = 12) -> list[Watched]:
    """Monitors of every state; every fifth is healthy, broken, late by a night, not run since long, or never run."""
    made: list[Watched] = []
    quiet = calm()
    for place in range(monitors):
        nights: Sequence[PastNight] = {
            0: quiet,
            1: (*quiet[:-1], quiet[-1].model_copy(update={"status": "data_broken", "critical_failures": 1})),
            2: quiet[:-1],
            3: quiet[:-5],
            4: (),
            5: all_nights()[-30:],
        }[place % 6]
        made.append(Watched(samples.monitor(f"monitor-{place:03d}"), nights))
    return made


def calm() -> tuple[PastNight, ...]:
    same = {"status": "healthy", "drift_share": 0.05, "retrain": False, "drifted": (), "critical_failures": 0}
    nights = (*past(30), drifted_night().tonight)
    return tuple(night.model_copy(update=same) for night in nights)


def columns() -> bytes:
    """Two of them are private, and half of the nights have kept nothing."""
    nights, secret = all_nights(), ("age", "plan")
    monitor = samples.monitor()
    roles = monitor.columns.model_copy(update={"private": secret})
    return pages.columns_page(
        monitor.model_copy(update={"columns": roles}), nights, list(profiles.of_nights(nights))[:30], {"region": 0.4}
    )


def hostile_columns() -> bytes:
    """Every name and every category was chosen by somebody with care."""
    night = hostile_night()
    kept = [
        profiles.countries(name, known=HOSTILE[:7]) if place % 2 else profiles.numbers(name, middle=1e300)
        for place, name in enumerate(HOSTILE)
    ]
    newest = night.history[-1].run_date
    return pages.columns_page(night.monitor, night.history, [(newest, profiles.profile(kept))])


def evidence(monitor: Monitor, more: Sequence[str] = ()) -> Evidence:
    """Of a monitor that lacks nothing but a drill."""
    mail = Told(run_date=samples.RUN_DATE, about="night", outlet="mail", moment=NOW, said="sent", identity="<1@x>")
    budget = monitor.drift.model_copy(update={"alarms": AlarmPolicy(per_nights=365)})
    return Evidence(
        monitor=monitor.model_copy(update={"drift": budget}),
        due=samples.RUN_DATE,
        now=NOW,
        nights=(performances.healthy_view().tonight,),
        quality=samples.quality(False),
        retrainings=[remember(retrainings.retraining(status)) for status in ("rejected", "promoted")],
        told=(mail,),
        outlets=("mail to ml-team@example.com", *more),
    )


def audits(monitor: Monitor, more: Sequence[str] = ()) -> list[Audit]:
    """Of that monitor, and of one that has only a file."""
    bare = Evidence(monitor=samples.monitor("pricing"), due=samples.RUN_DATE, now=NOW, lacking=("muted", *more))
    return [audit(evidence(monitor, more)), audit(bare)]


PAGES: dict[str, Callable[[], bytes]] = {
    "drifted": lambda: pages.night_page(drifted_night()),
    "broken": lambda: pages.night_page(broken_night()),
    "audit": lambda: pages.audit_page(audits(samples.monitor()), NOW),
    "short-audit": lambda: pages.audit_page(audits(samples.monitor())[:1], NOW),
    "hostile-audit": lambda: pages.audit_page(audits(hostile_night().monitor, HOSTILE), NOW),
    "first": lambda: pages.night_page(first_night()),
    "hostile": lambda: pages.night_page(hostile_night()),
    "incident-night": lambda: pages.night_page(incident_night()),
    "incident": lambda: pages.incident_page(incidents.view()),
    "long-incident": lambda: pages.incident_page(incidents.view(f"{'db-f' * 60}h")),
    "short-incident": lambda: pages.incident_page(incidents.bare("dh")),
    "hostile-incident": lambda: pages.incident_page(incidents.hostile()),
    "expected": lambda: pages.night_page(expected_night()),
    "hostile-expected": lambda: pages.night_page(expected_night(0, HOSTILE)),
    "monitor": lambda: pages.monitor_page(samples.monitor(), all_nights()),
    "hostile-monitor": lambda: pages.monitor_page(hostile_night().monitor, hostile_night().history),
    "columns": columns,
    "hostile-columns": hostile_columns,
    "short-columns": lambda: pages.columns_page(samples.monitor(), past(2), profiles.of_nights(past(2))),
    "old-columns": lambda: pages.columns_page(samples.monitor(), past(), ()),
    "empty-columns": lambda: pages.columns_page(samples.monitor(), (), ()),
    "empty-monitor": lambda: pages.monitor_page(samples.monitor(), ()),
    "fleet": lambda: pages.fleet_page(fleet(), {"pricing": "monitors/pricing.yaml:3: schedule: found 'x'"}),
    "hostile-fleet": lambda: pages.fleet_page([Watched(hostile_night().monitor, past())], {HOSTILE[0]: HOSTILE[0]}),
    "empty-fleet": lambda: pages.fleet_page([]),
    **{f"night-{name}": partial(pages.night_page, view) for name, view in performances.VIEWS.items()},
    "aged-monitor": lambda: pages.monitor_page(
        samples.monitor(),
        (*performances.aging(75, promoted=24), performances.healthy_view().tonight),
        performances.promotions(),
    ),
    **{f"night-{name}": partial(pages.night_page, view) for name, view in probations.VIEWS.items()},
    "undone-monitor": lambda: pages.monitor_page(
        samples.monitor(), probations.nights(ago=6), [probations.undone(ago=6)]
    ),
    "short-monitor": lambda: pages.monitor_page(samples.monitor(), probations.nights("proposed")[-8:]),
    **{f"night-{name}": partial(pages.night_page, view) for name, view in budgets.VIEWS.items()},
    "few-monitor": lambda: pages.monitor_page(
        samples.monitor(), (*budgets.few_night().before, budgets.few_night().tonight)
    ),
    "hostile-probation": lambda: pages.night_page(probations.hostile()),
    "judged-fleet": lambda: pages.fleet_page(performances.fleet()),
    "hostile-performance": lambda: pages.night_page(performances.hostile_view()),
    **{
        f"retraining-{status}": partial(pages.retraining_page, samples.monitor(), retrainings.retraining(status))
        for status in retrainings.STATUSES
    },
    "hostile-retraining": lambda: pages.retraining_page(samples.monitor(), retrainings.hostile()),
}
