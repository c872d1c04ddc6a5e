"""Columns that a monitor file names, held against those that its data has: a misspelt one is found before a night."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.config import ColumnRoles, Monitor, resolve_location
from pipeline.config.settings import Settings
from pipeline.errors import NightjarError
from pipeline.wording import clip, count, listed

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa

_ANYWHERE = ("production", "reference", "labels")


@dataclass(frozen=True)
class Seen:
    """Schemas by what they are of (production, reference, labels), and in words what could not be read."""

    schemas: Mapping[str, pa.Schema]
    words: str

    def names(self, *wanted: str) -> set[str] | None:
        """Columns that any of these has; None where one of them is not known, or there are none."""
        if not wanted or any(where not in self.schemas for where in wanted):
            return None
        return {name for where in wanted for name in self.schemas[where].names}


def see(monitor: Monitor, settings: Settings, now: date) -> Seen:
    """The columns of the monitor's data, from one footer each; of the newest date where an address has dates.

    Args:
        monitor: whose snapshots to look at.
        settings: where relative addresses start.
        now: the date that the next night is about, for addresses without data yet.
    """
    from pipeline.snapshots import schema_at
    from pipeline.snapshots.dates import newest_date

    sources = monitor.snapshots
    addresses = {"production": sources.production, "reference": sources.base, "labels": sources.labels}
    schemas: dict[str, pa.Schema] = {}
    unknown: list[str] = []
    for where, template in addresses.items():
        if template is None:
            continue
        try:
            day = newest_date(template, settings.data_root) or now
            location = resolve_location(template, day, settings.data_root)
            schemas[where] = schema_at(location, sources.dated_folders, sources.complete)
        except NightjarError as error:
            unknown.append(f"{where} unknown ({clip(str(error).splitlines()[0], 120)})")
    known = [f"{count(len(schema.names), 'column')} in {where}" for where, schema in schemas.items()]
    return Seen(schemas, "; ".join([*known, *unknown]))


def column_problems(monitor: Monitor, seen: Seen) -> list[str]:
    """Every column that the monitor file names and its data does not have, by key, with what it may have meant."""
    problems = []
    for key, name, places in _named(monitor):
        known = seen.names(*(where for where in places if where in seen.schemas or where != "labels"))
        if known is None or name in known:
            continue
        close = difflib.get_close_matches(name, sorted(known), 1)
        hint = f"; did you mean {clip(close[0], 60)}?" if close else f"; found: {listed(sorted(known), 12)}"
        where = " nor ".join(place for place in places if place in seen.schemas)
        problems.append(f"{key}: {clip(name, 60)} is no column of {where}{hint}")
    return problems


def _named(monitor: Monitor) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Key, column, and where it has to be: in one of these."""
    yield from _roles(monitor.columns)
    both = ("production", "reference")
    for key, names in (("critical", monitor.drift.critical), ("columns", tuple(monitor.drift.columns))):
        for name in names:
            yield f"drift.{key}", name, both
    for name in monitor.retrain.segments:
        yield "retrain.segments", name, _ANYWHERE
    freshness = monitor.quality.checks.freshness
    if freshness is not None and isinstance(freshness.column, str):
        yield "quality.checks.freshness.column", freshness.column, ("production",)


def _roles(roles: ColumnRoles) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    single = {
        "prediction": ("production",), "score": ("production",),
        "model_version": ("production", "reference"), "label": _ANYWHERE,
    }  # fmt: skip
    for role, places in single.items():
        name = getattr(roles, role)
        if name is not None:
            yield f"columns.{role}", name, places
    for place in ("production", "labels") if roles.id is not None else ():
        yield "columns.id", str(roles.id), (place,)
    for label, name in roles.scores.items():
        yield f"columns.scores.{label}", name, ("production",)
    for key in ("numerical", "categorical", "ignore", "private"):
        for name in getattr(roles, key) or ():
            yield f"columns.{key}", name, _ANYWHERE
