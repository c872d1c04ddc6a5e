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


def note_told(store: RunStore, monitor: str, entries: Iterable[Told]) -> None:
    """Add to the log. Where it cannot be read it is left as it is: what it holds may be all that is known."""
    with store.alone(monitor):
        before = _read(store, monitor)
        if before is not None:
            store.write_page(_key(monitor), Tellings(tellings=(*before, *entries)).to_json())


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
