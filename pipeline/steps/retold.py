"""A run store in which some nights were decided otherwise than they were."""

from __future__ import annotations

from datetime import date
from typing import TypeVar

from pipeline.errors import ResultMissing
from pipeline.results import DriftResult, Kept, Result
from pipeline.storage.run_store import RunStore

R = TypeVar("R", bound=Result)


class RetoldStore(RunStore):
    """What is published, and in place of some results others; nothing is written.

    So the steps that look at earlier nights find those that were decided again, and know nothing of it.
    """

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self._results: dict[tuple[str, date, str], Result | None] = {}
        self._nights: dict[str, list[date]] = {}

    def tell(self, monitor: str, run_date: date, *results: Kept) -> None:
        """Put results in place of those of a night. Of drift only what is said of the whole night is kept."""
        for result in results:
            slim = result.model_copy(update={"columns": ()}) if isinstance(result, DriftResult) else result
            self._results[monitor, run_date, result.file] = slim

    def drop(self, place: str, run_date: date) -> None:
        """What was published in a place for a date has not happened."""
        self._nights[place] = [day for day in self.nights(place) if day != run_date]

    def read_result(self, monitor: str, run_date: date, name: str, kind: type[R]) -> R | None:
        """See `RunStore`; each file is read once."""
        key = monitor, run_date, name
        if key not in self._results:
            self._results[key] = super().read_result(monitor, run_date, name, kind)
        found = self._results[key]
        return found if isinstance(found, kind) else None

    def load(self, monitor: str, run_date: date, name: str, kind: type[R]) -> R:
        """Nothing: what counts is what was published.

        Raises:
            ResultMissing: always.
        """
        raise ResultMissing(f"{self.night_uri(monitor, run_date, name)}: only what is published is looked at")

    def nights(self, monitor: str) -> list[date]:
        """See `RunStore`; a place is listed once."""
        if monitor not in self._nights:
            self._nights[monitor] = super().nights(monitor)
        return self._nights[monitor]
