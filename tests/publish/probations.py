"""Believable probations of a new champion, in every outcome. Equal arguments give equal values."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from typing import Any

from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.night import NightView
from pipeline.publish.facts.probation import PastWatch
from pipeline.publish.facts.retraining import PastRetraining, remember
from pipeline.results import Done, LossComparison, MetricComparison, ProbationResult, Watch
from tests.publish import performances, samples
from tests.publish.retrainings import retraining
from tests.publish.samples import HOSTILE

SINCE, UNTIL = samples.RUN_DATE - timedelta(days=3), samples.RUN_DATE + timedelta(days=3)
DECISIONS: dict[Done, str] = {"kept": "better", "rolled_back": "worse", "proposed": "worse"}
FIGURES = {
    "worse": (0.4213, 0.3521, 0.0692, 0.0214, 0.1170, 0.7804, 0.8123),
    "better": (0.3521, 0.4213, -0.0692, -0.1170, -0.0214, 0.8123, 0.7804),
    "open": (0.3634, 0.3521, 0.0113, -0.0241, 0.0467, 0.8098, 0.8123),
}


def watch(done: Done = "watching", night: date = samples.RUN_DATE, **changed: Any) -> Watch:
    """Version 3 beside version 2, four nights after it was promoted."""
    decision = DECISIONS.get(done, "open")
    new, old, difference, low, high, now, before = FIGURES[decision]
    says = "within the noise" if decision == "open" else f"{decision} beyond the noise"
    values: dict[str, Any] = {
        "kind": "probation",
        "version": "3",
        "against": "2",
        "since": SINCE,
        "until": UNTIL,
        "night": night,
        "task": "classification",
        "nights": 4,
        "rows": 13_648,
        "labelled_nights": 3,
        "labelled_rows": 9_861,
        "agreement": 0.943,
        "main": MetricComparison(
            name="roc_auc", better="higher", challenger=now, champion=before, improvement=now - before
        ),
        "loss": LossComparison(
            loss="log_loss", rows=9_861, version=new, against=old, difference=difference, low=low, high=high
        ),
        "decision": decision,
        "done": done,
        "answered": "both answered 13,648 rows of 4 nights, with the same prediction for 94.3%",
        "sentence": f"version 3 against version 2 on 9,861 labelled rows of 3 nights: log loss {new:.3f} against "
        f"{old:.3f}, {difference:+.3f} (95% interval over all looks {low:+.2g} to {high:+.2g}), ROC AUC {now:.3f} "
        f"against {before:.3f}: {says}",
        "notes": (f"{SINCE}: left out, its production fails the suite",),
    }
    return Watch.model_validate({**values, **changed})


def shadow(**changed: Any) -> Watch:
    """Version 4, which waits, beside version 3: no label has come."""
    said = "both answered 3,412 rows of 1 night, with the same prediction for 91%"
    without = {"main": None, "loss": None, "labelled_nights": 0, "labelled_rows": 0, "notes": (), "answered": said}
    sentence = f"version 4 against version 3: {said}; no label has come yet"
    return watch(kind="shadow", version="4", against="3", sentence=sentence, **{**without, **changed})


def found(done: Done = "watching", beside: Watch | None = None, **changed: Any) -> ProbationResult:
    """What a night keeps of it."""
    return ProbationResult(monitor="churn", run_date=samples.RUN_DATE, probation=watch(done, **changed), shadow=beside)


def not_possible() -> ProbationResult:
    """One of the two is gone."""
    words = "version 3 and version 2 cannot be compared: churn version 2: its files are gone"
    nothing: dict[str, Any] = {
        "main": None,
        "loss": None,
        "nights": 0,
        "rows": 0,
        "agreement": None,
        "answered": "",
        "notes": (),
    }
    return found("not_possible", sentence=words, **nothing)


def alone() -> ProbationResult:
    """The first champion."""
    words = "version 1 is the first champion, so no other one can answer beside it"
    return ProbationResult(monitor="churn", run_date=samples.RUN_DATE, notes=(words,))


def view(result: ProbationResult) -> NightView:
    """A healthy night with it."""
    return dataclasses.replace(performances.healthy_view(), probation=result)


VIEWS: dict[str, NightView] = {
    **{f"probation-{done}": view(found(done)) for done in ("watching", "kept", "rolled_back", "proposed")},
    "probation-not_possible": view(not_possible()),
    "probation-alone": view(alone()),
    "probation-shadow": view(found("watching", shadow())),
    "probation-degraded": dataclasses.replace(performances.degraded_view(), probation=found("rolled_back")),
}
"""Nights on which a champion was on probation, by what came of it."""


def undone(ago: int = 0) -> PastRetraining:
    """The retraining of the version that did not stand its probation."""
    result = retraining("promoted", SINCE - timedelta(days=ago + 1))
    return remember(result.model_copy(update={"since": "rolled back in its probation"}))


def nights(done: Done = "rolled_back", ago: int = 0) -> tuple[PastNight, ...]:
    """A month of nights, of which those of the probation know of it; it ended `ago` nights before the last one."""
    made = (*performances.aging(30, promoted=24), performances.healthy_view().tonight)
    last = samples.RUN_DATE - timedelta(days=ago)
    since, until = SINCE - timedelta(days=ago), UNTIL - timedelta(days=ago)

    def of(night: PastNight) -> PastWatch | None:
        if not since <= night.run_date <= last:
            return None
        outcome = done if night.run_date == last else "watching"
        return PastWatch(version="3", against="2", since=since, until=until, done=outcome)

    return tuple(night.model_copy(update={"probation": of(night)}) for night in made)


def hostile() -> NightView:
    """Every text of it was chosen by somebody with care."""
    text = " ".join(HOSTILE[:6])
    bad: dict[str, Any] = {
        "sentence": text,
        "answered": HOSTILE[0],
        "notes": HOSTILE,
        "version": HOSTILE[0],
        "against": HOSTILE[1],
    }
    result = found("proposed", watch(kind="shadow", **bad), **bad)
    return view(result)
