"""Gathers what an audit of monitors rests on: their files, and what the run store remembers of nights and people."""

from __future__ import annotations

from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pipeline.config.environment import channel_variable
from pipeline.config.schedule import day_that_ended, last_moment
from pipeline.results import QualityResult
from pipeline.steps import muting
from pipeline.steps.drill import last_drill
from pipeline.steps.night import Workspace
from pipeline.steps.remembering import nights_of, retrainings_of
from pipeline.steps.told import told
from pipeline.wording import listed

if TYPE_CHECKING:
    from pipeline.publish.facts.audit import Audit


def audit(workspace: Workspace, now: datetime) -> Audit:
    """The audit of a monitor.

    Raises:
        OutletUnavailable: the run store does not answer.
    """
    from pipeline.publish.facts import audit as facts

    nights = nights_of(workspace)
    outlets, lacking = _outlets(workspace)
    mute = muting.muted_on(workspace, now.date())
    if mute is not None:
        lacking.append(f"muted: {mute.words}")
    schedule = workspace.monitor.schedule
    return facts.audit(
        facts.Evidence(
            monitor=workspace.monitor,
            due=day_that_ended(last_moment(schedule, last_moment(schedule, now))),  # the last one may still run
            now=now,
            nights=nights,
            quality=workspace.on(nights[-1].run_date).read(QualityResult) if nights else None,
            retrainings=retrainings_of(workspace),
            told=told(workspace.store, workspace.name),
            outlets=outlets,
            lacking=lacking,
            drill=last_drill(workspace),
        )
    )


def _outlets(workspace: Workspace) -> tuple[list[str], list[str]]:
    """The ways on which people can be told, and what those that are asked for lack."""
    notify, settings = workspace.monitor.notify, workspace.settings
    found: list[str] = []
    lacking: list[str] = []
    if notify.email and settings.smtp_url is not None:
        found.append(f"mail to {listed(notify.email)}")
    elif notify.email:
        lacking.append("PIPELINE_SMTP_URL is not set, so mails are files in the store")
    for channel in notify.channels:
        variable = channel_variable(channel)
        if variable not in settings.channels:
            lacking.append(f"{variable} is not set")
        elif find_spec("apprise") is None:
            lacking.append("the extra 'chat' is not installed")
        else:
            found.append(f"chat to {channel}")
    return found, lacking
