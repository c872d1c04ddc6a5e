"""The pages of incidents: written where something of them changed, removed where nights that ran again show none.

They are made of what is remembered of nights and retrainings, of notes, and of the log of who was told: a few reads,
however long an incident is. Which incidents there are follows from the nights alone, so there is nothing to keep.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pipeline.steps import expecting, muting
from pipeline.steps.contain import attempt
from pipeline.steps.night import Workspace
from pipeline.steps.told import told

if TYPE_CHECKING:
    from pipeline.publish.facts.history import PastNight
    from pipeline.publish.facts.incident_story import Noted
    from pipeline.publish.facts.incidents import Incident
    from pipeline.publish.facts.retraining import PastRetraining

NEWEST = 3
"""So many incidents, the newest ones, are looked at again whenever something of a monitor is told; `site` does all."""


@dataclass(frozen=True)
class Known:
    """What is remembered of a monitor, each oldest first."""

    nights: tuple[PastNight, ...]
    retrainings: tuple[PastRetraining, ...]


def write_incidents(workspace: Workspace, known: Known, before: Sequence[PastNight]) -> None:
    """Write the pages of incidents that changed, and of the newest ones, of which something else may have.

    Args:
        workspace: whose.
        known: what is remembered now.
        before: the nights as they were remembered.
    """
    from pipeline.publish.facts.incidents import incidents_of

    old, new = ({one.first: one for one in incidents_of(nights)} for nights in (before, known.nights))
    _remove(workspace, old.keys() - new.keys())
    newest = sorted(new)[-NEWEST:]
    _write(workspace, known, [one for first, one in new.items() if one != old.get(first) or first in newest])


def write_all_incidents(workspace: Workspace, known: Known) -> None:
    """Write all of them, and remove those that are none."""
    from pipeline.publish.facts.incidents import incidents_of

    found = incidents_of(known.nights)
    _remove(workspace, set(workspace.store.nights(_place(workspace))) - {one.first for one in found})
    _write(workspace, known, found)


def _write(workspace: Workspace, known: Known, incidents: Sequence[Incident]) -> None:
    from pipeline.publish.facts.incident_story import IncidentView
    from pipeline.publish.pages import POST_MORTEM, incident_page, post_mortem

    if not incidents:
        return
    notes, log = _notes(workspace), told(workspace.store, workspace.name)
    for incident in incidents:
        view = IncidentView(workspace.monitor, incident, known.retrainings, notes, log, workspace.settings.environment)
        folder = f"{_place(workspace)}/{incident.first}"
        workspace.store.write_page(f"{folder}/{POST_MORTEM}", post_mortem(view))
        workspace.store.write_page(f"{folder}/index.html", incident_page(view))


def _remove(workspace: Workspace, firsts: set[date]) -> None:
    from pipeline.publish.pages import POST_MORTEM

    for first in sorted(firsts):
        for name in (POST_MORTEM, "index.html"):
            workspace.store.remove_page(f"{_place(workspace)}/{first}/{name}")


def _notes(workspace: Workspace) -> tuple[Noted, ...]:
    """What people expected and muted, those of the file first; notes that cannot be read are logged, and left out."""
    from pipeline.publish.facts.incident_story import Noted

    expected = attempt("expected changes", lambda: expecting.noted(workspace), lambda _: ())
    return (
        *(Noted(change) for change in workspace.monitor.expected),
        *(Noted(change, change.by) for change in expected),
        *(Noted(mute, mute.by) for mute in muting.known(workspace)),
    )


def _place(workspace: Workspace) -> str:
    return f"{workspace.name}/incidents"
