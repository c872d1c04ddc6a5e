"""Brings the published pages up to date: gather what is remembered, ask the pure pages, write what differs.

    <store>/<monitor>/history.json              its nights, so that the fleet's page needs one read for each monitor
    <store>/<monitor>/retraining/history.json   its retrainings, apart, as a night may end while a retraining goes on
    <store>/<monitor>/incidents/<first night>/  the pages of an incident, see `pipeline.steps.incident_pages`

Both are made again from the nights and retrainings themselves where they are missing. A night changes other pages, too:
`publish.facts.history.touched` says which. Whoever changes pages of a monitor is alone with them meanwhile, and writes
`history.json` last: who is interrupted before is made up for by whoever comes next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

from pipeline.config import Settings
from pipeline.config import monitor_files as monitors
from pipeline.log_context import Pool
from pipeline.results import (
    ProbationResult,
    RetrainResult,
)
from pipeline.steps import muting
from pipeline.steps.column_page import write_columns
from pipeline.steps.contain import Mishaps
from pipeline.steps.incident_pages import Known, write_incidents
from pipeline.steps.labelled_nights import days_of
from pipeline.steps.night import Night, Workspace
from pipeline.steps.remembering import nights_of, recall, remember, remember_retrainings, remembered, retrainings_of
from pipeline.steps.same_news import retraining_mail
from pipeline.steps.told import told
from pipeline.steps.views import beside, published_view, runs_of
from pipeline.storage.run_store import RunStore

if TYPE_CHECKING:
    from pipeline.config.monitor_files import MonitorFiles
    from pipeline.publish.facts.fleet import Watched
    from pipeline.publish.facts.history import PastNight
    from pipeline.publish.facts.night import NightView

FLEET = ".fleet"  # no monitor has such a name; folders with a dot are not shown
_READERS = 16


def compile_templates() -> None:
    """Compile the templates of all pages and mails, for processes that are forked from this one."""
    from pipeline.publish.templates import compile_all

    compile_all()


def publish(night: Night, view: NightView, make: Callable[[NightView], Mapping[str, bytes]], mishaps: Mishaps) -> None:
    """Publish a night, and bring every page up to date that shows it.

    Args:
        night: the night.
        view: the same, as it is told; its history is filled in here.
        make: the night's files from the whole view.
        mishaps: is told of pages that cannot be made; those that can are.
    """
    from pipeline.publish.facts.history import touched
    from pipeline.publish.facts.incidents import moved

    with night.store.alone(night.name):
        before = remembered(night) or ()
        tonight = mishaps.attempt("history", lambda: view.tonight)
        nights = _matured(night, recall(night, (*before, *([] if tonight is None else [tonight]))))
        log = told(night.store, night.name)
        whole = mishaps.attempt("nights beside it", lambda: beside(view, nights, log))
        night.publish(make(view if whole is None else whole))
        for day in sorted({*touched(before, nights), *moved(before, nights)}):
            mishaps.attempt(f"page of {day}", partial(_write_nights, night, nights, [day]))
        mishaps.attempt("monitor's page", lambda: write_monitor(night, nights))
        write_columns(night, nights, mishaps)
        mishaps.attempt("incidents' pages", lambda: write_incidents(night, known_of(night, nights), before))
        remember(night, nights)
    mishaps.attempt("fleet's page", lambda: write_fleet(night.store, night.settings))


def _matured(night: Night, nights: Sequence[PastNight]) -> tuple[PastNight, ...]:
    """Nights as they are remembered, those of tonight's window with the labels that have come since."""
    from pipeline.publish.facts.history import with_labels

    days = set(days_of(night))
    found = ((past, night.read_labelled(past.run_date) if past.run_date in days else None) for past in nights)
    return tuple(past if labelled is None else with_labels(past, labelled) for past, labelled in found)


def publish_retraining(workspace: Workspace, result: RetrainResult) -> None:
    """Publish a retraining with everything people and programs read of it, and every page that shows it."""
    with workspace.store.alone(workspace.name):
        nights = nights_of(workspace)
        files = _retraining_files(workspace, result, nights)
        workspace.store.publish_night(workspace.retraining_place, result.run_date, files)
        remember_retrainings(workspace)
        _write_nights(workspace, nights, _showing(nights, result.run_date))
        write_monitor(workspace, nights)
        write_incidents(workspace, known_of(workspace, nights), nights)
    write_fleet(workspace.store, workspace.settings)


def _showing(nights: Sequence[PastNight], day: date) -> list[date]:
    """The nights whose charts reach back to a day."""
    from pipeline.publish.facts.history import SHOWN_BEFORE

    return [night.run_date for night in nights if day <= night.run_date <= day + timedelta(days=SHOWN_BEFORE)]


def _retraining_files(workspace: Workspace, result: RetrainResult, nights: Sequence[PastNight]) -> dict[str, bytes]:
    from pipeline.publish.facts.incidents import standing_of
    from pipeline.publish.gauges.retraining import exposition
    from pipeline.publish.messages.retraining_mail import build_retraining
    from pipeline.publish.pages import retraining_page

    monitor, settings = workspace.monitor, workspace.settings
    incident = standing_of(nights, result.run_date, told(workspace.store, workspace.name))
    message = build_retraining(
        monitor, result, settings.mail_from, settings.report_base_url, incident, environment=settings.environment
    )
    message = retraining_mail(workspace, result, message)
    return {
        f"{result.file}.json": result.to_json(),
        "index.html": retraining_page(monitor, result, settings.environment),
        "gauges.prom": exposition(result),
        **({} if message is None else {"summary.eml": message.as_bytes()}),
    }


def note_run(night: Night, mlflow: str) -> None:
    """Add the id of its MLflow run to a published night, and to its page."""
    with night.store.alone(night.name):
        view = published_view(night)
        if view is not None:
            runs = runs_of(night).model_copy(update={"mlflow": mlflow})
            page = page_files(replace(view, runs=runs), nights_of(night))
            night.replace({f"{runs.file}.json": runs.to_json(), **page})


def note_outlets(night: Night, mine: Collection[str], missed: Collection[str]) -> None:
    """Put in a published night, and on its page, which of some outlets it has not reached, in place of before."""
    with night.store.alone(night.name):
        view = published_view(night)
        if view is not None:
            missing = tuple(sorted({*view.runs.missing} - {*mine} | {*missed}))
            runs = view.runs.model_copy(update={"missing": missing})
            page = page_files(replace(view, runs=runs), nights_of(night))
            night.replace({f"{runs.file}.json": runs.to_json(), **page})


def show_notes(workspace: Workspace, first: date, until: date) -> None:
    """Bring up to date what pages say of notes about some run dates, after people changed these."""
    with workspace.store.alone(workspace.name):
        nights = nights_of(workspace)
        _write_nights(workspace, nights, [night.run_date for night in nights if first <= night.run_date <= until])
        if nights:
            write_monitor(workspace, nights)
            write_incidents(workspace, known_of(workspace, nights), nights)
    write_fleet(workspace.store, workspace.settings)


def show_incidents(workspace: Workspace) -> None:
    """Bring the pages of the newest incidents up to date: with who was told, and with what people note."""
    with workspace.store.alone(workspace.name):
        nights = nights_of(workspace)
        write_incidents(workspace, known_of(workspace, nights), nights)


def note_probation(night: Night, found: ProbationResult) -> None:
    """Add to a published night what was found of a champion on probation, and to every page that shows it."""
    from pipeline.publish.facts.history import touched

    with night.store.alone(night.name):
        before = nights_of(night)
        night.replace(probation_files(found))
        view = published_view(night)
        if view is None:
            return
        nights = tuple(view.tonight if past.run_date == night.run_date else past for past in before)
        _write_nights(night, nights, sorted({night.run_date, *touched(before, nights)}))
        write_monitor(night, nights)
        write_incidents(night, known_of(night, nights), before)
        remember(night, nights)
    write_fleet(night.store, night.settings)


def probation_files(found: ProbationResult) -> dict[str, bytes]:
    """What a night holds of a champion on probation beside its page."""
    from pipeline.publish.gauges.probation import exposition

    return {f"{found.file}.json": found.to_json(), "probation.prom": exposition(found)}


def write_fleet(store: RunStore, settings: Settings) -> None:
    """Write the fleet's page from what is remembered of every monitor."""
    from pipeline.publish.pages import fleet_page

    with store.alone(""):
        files = monitors.load_all(settings)
        page = fleet_page(watched(store, settings, files), problems(files), environment=settings.environment)
        store.write_page("index.html", page)


def watched(store: RunStore, settings: Settings, files: MonitorFiles) -> list[Watched]:
    """Every monitor with what is remembered of it; read side by side, as an S3 store answers one at a time slowly."""
    from pipeline.publish.facts.fleet import Watched

    def read(workspace: Workspace) -> Watched:
        return Watched(workspace.monitor, nights_of(workspace), retrainings_of(workspace), muting.known(workspace))

    with Pool(_READERS) as readers:
        return list(readers.map(read, (Workspace(monitor, settings, store) for monitor in files.monitors)))


def problems(files: MonitorFiles) -> dict[str, str]:
    """What is wrong with monitor files that cannot be read, by file name."""
    return {name: str(error) for name, error in files.errors.items()}


def page_files(view: NightView, nights: Sequence[PastNight]) -> dict[str, bytes]:
    """What a published night holds that depends on others, or on what pages remember."""
    from pipeline.publish.pages import night_page

    whole = beside(view, nights)
    return {"index.html": night_page(whole), f"{view.tonight.file}.json": view.tonight.to_json()}


def known_of(workspace: Workspace, nights: Sequence[PastNight]) -> Known:
    """What is remembered of a monitor."""
    return Known(tuple(nights), retrainings_of(workspace))


def _write_nights(workspace: Workspace, nights: Sequence[PastNight], days: Iterable[date]) -> None:
    """Write the pages of some nights again, where they are not what they should be."""
    for day in days:
        night = workspace.on(day)
        view = published_view(night)
        if view is not None:
            night.replace(page_files(view, nights))


def write_monitor(workspace: Workspace, nights: Sequence[PastNight]) -> None:
    """Write the page of a monitor."""
    from pipeline.publish.pages import monitor_page

    environment = workspace.settings.environment
    page = monitor_page(workspace.monitor, nights, retrainings_of(workspace), muting.known(workspace), environment)
    workspace.store.write_page(f"{workspace.name}/index.html", page)
