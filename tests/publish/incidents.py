"""Nights in a row, written as a line of letters, and what becomes of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from pipeline.config import ExpectedChange, Mute
from pipeline.publish.facts.history import FewRows, PastNight
from pipeline.publish.facts.incident_story import IncidentView, Noted
from pipeline.publish.facts.incidents import incidents_of
from pipeline.publish.facts.retraining import remember
from pipeline.results import Told
from tests.publish import samples
from tests.publish.retrainings import retraining
from tests.publish.samples import HOSTILE

FIRST = date(2026, 1, 1)
_HEALTHY = samples.view().tonight.model_copy(
    update={
        "status": "healthy",
        "drift_share": 0.0,
        "drifted": (),
        "retrain": False,
        "failures": 0,
        "found": "",
        "failing": (),
    }
)
_DRIFTED = samples.view().tonight
_LETTERS = {
    "h": _HEALTHY,
    "d": _DRIFTED,
    "g": _HEALTHY.model_copy(update={"status": "degraded", "degraded": True}),
    "b": _HEALTHY.model_copy(
        update={
            "status": "data_broken",
            "critical_failures": 1,
            "failures": 1,
            "failing": ("0123456789ab",),
            "found": "not so in 12.4% of the rows: tenure_days lies between 0 and 6000",
        }
    ),
    "s": _HEALTHY.model_copy(update={"stale": True}),
    "f": _HEALTHY.model_copy(update={"status": "too_few_rows", "few": FewRows(rows=24)}),
}


def nights(letters: str, first: date = FIRST) -> tuple[PastNight, ...]:
    """A night for each letter: healthy, drifted, degraded (g), broken, stale, too few rows (f); `-` is none."""
    return tuple(
        _LETTERS[letter].model_copy(update={"run_date": first + timedelta(place)})
        for place, letter in enumerate(letters)
        if letter != "-"
    )


def bare(letters: str = "dbh") -> IncidentView:
    """The first incident of some nights, of which nothing else is known."""
    return IncidentView(samples.monitor(), incidents_of(nights(letters))[0])


def view(letters: str = "hdbd-dh") -> IncidentView:
    """The same with all that people and Nightjar did about it."""
    found = bare(letters)
    first = found.incident.first
    return IncidentView(
        found.monitor,
        found.incident,
        retrainings=(remember(retraining("promoted", first + timedelta(2))),),
        notes=(noted_change(first), noted_mute(first + timedelta(1))),
        told=(
            *(told(night.run_date) for night in found.incident.troubled[:3]),
            told(first + timedelta(1), "team-chat", f"not sent: muted until {first + timedelta(3)}"),
        ),
    )


def noted_change(first: date, name: str = "age", why: str = "acknowledged") -> Noted:
    change = ExpectedChange.model_validate(
        {"columns": (name, "plan"), "from": first, "until": first + timedelta(14), "why": why}
    )
    return Noted(change, by="anna")


def noted_mute(first: date, why: str = "we repair the source") -> Noted:
    return Noted(Mute.model_validate({"from": first, "until": first + timedelta(3), "why": why}), by="anna")


def told(day: date, outlet: str = "mail", said: str = "sent", to: str = "ml-team@example.com") -> Told:
    return Told(
        run_date=day,
        about="night",
        outlet=outlet,
        to=(to,) if outlet == "mail" else (),
        moment=datetime.combine(day + timedelta(1), time(5, 12), UTC),
        said=said,
        identity=f"<{day}@example.com>",
    )


def hostile() -> IncidentView:
    """Every text that comes from data or from people was chosen by somebody with care."""
    (night,) = nights("b")
    some = [
        night.model_copy(update={"run_date": FIRST + timedelta(place), "found": text, "drifted": HOSTILE})
        for place, text in enumerate(HOSTILE)
    ]
    (incident,) = incidents_of(some)
    monitor = samples.monitor().model_copy(update={"description": HOSTILE[0], "owner": HOSTILE[0]})
    notes = [noted_change(FIRST, text, text[:200]) for text in HOSTILE] + [
        noted_mute(FIRST, text[:200]) for text in HOSTILE
    ]
    log = tuple(told(FIRST, text, text, text) for text in HOSTILE)
    return IncidentView(monitor, incident, notes=notes, told=log)
