"""The log of who was told: one file of a monitor, so that an incident needs one read for all of its nights."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from pydantic import ValidationError

from pipeline.results import Tellings, Told
from pipeline.storage.run_store import RunStore
from pipeline.wording import count

log = logging.getLogger(__name__)


def told(store: RunStore, monitor: str) -> tuple[Told, ...]:
    """Everything that was told of a monitor, in order; nothing where the file cannot be read, which is logged."""
    return _read(store, monitor) or ()


def note_told(store: RunStore, monitor: str, entries: Iterable[Told], settled: Iterable[Told] = ()) -> bool:
    """Add to the log; whether anything was. Where it cannot be read it is left as it is: it may be all that is known.

    Args:
        store: the run store.
        monitor: whose log.
        entries: what was told now.
        settled: what was told before; added where the log lacks it, as whoever told it was killed before it was noted.
    """
    with store.alone(monitor):
        before = _read(store, monitor)
        if before is None:
            return False
        known = {_what(entry) for entry in before}
        new = [*(entry for entry in settled if _what(entry) not in known), *entries]
        if new:
            store.write_page(_key(monitor), Tellings(tellings=(*before, *new)).to_json())
    return bool(new)


def _what(entry: Told) -> tuple[object, ...]:
    return entry.run_date, entry.about, entry.outlet, entry.identity


def _read(store: RunStore, monitor: str) -> tuple[Told, ...] | None:
    content = store.read_page(_key(monitor))
    if content is None:
        return ()
    try:
        return Tellings.model_validate_json(content).tellings
    except ValidationError as error:
        problems = count(error.error_count(), "problem")
        log.error("%s: cannot be read: %s", store.page_uri(_key(monitor)), problems)
        return None


def _key(monitor: str) -> str:
    return f"{monitor}/.receipts/told.json"
