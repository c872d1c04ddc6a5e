"""What Nightjar itself knows of the versions that it registered: the registry is believed only where this agrees.

    <store>/<monitor>/.versions/<run_id>.json    one of each, written before the version is there

Whoever may write the registry can add versions, tags and aliases; what Nightjar trained, only the run store can say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pydantic import ValidationError

from pipeline.results import Result, RetrainResult
from pipeline.storage.run_store import RunStore


class Registered(Result):
    """A version as it was registered; `number` is not known before the registry has given it."""

    run_id: str
    model_sha256: str | None
    training_sha256: str | None
    number: str | None = None


@dataclass(frozen=True)
class Records:
    """The records of one monitor. Every method raises OutletUnavailable when the run store does."""

    monitor: str
    store: RunStore

    def note(self, run_id: str, tags: Mapping[str, str], number: str | None = None) -> None:
        """Keep what is registered under a run."""
        record = Registered(
            run_id=run_id,
            model_sha256=tags.get("model_sha256"),
            training_sha256=tags.get("training_sha256"),
            number=number,
        )
        self.store.write_page(self._key(run_id), record.to_json())

    def forget(self, run_id: str) -> None:
        """Remove what was kept of a run that did not become a version."""
        self.store.remove_page(self._key(run_id))

    def agree(self, number: str, run_id: str | None, tags: Mapping[str, str]) -> bool:
        """Whether a version is one that Nightjar registered, with the model and training set that its tags name."""
        if run_id is None or not re.fullmatch(r"[\w-]{1,64}", run_id):
            return False
        told = Registered(
            run_id=run_id,
            model_sha256=tags.get("model_sha256"),
            training_sha256=tags.get("training_sha256"),
            number=number,
        )
        known = self._of(run_id) or self._before(tags)
        return known is not None and told == known.model_copy(update={"number": known.number or number})

    def none_yet(self) -> bool:
        """Whether nothing was ever trained here, so that no version can be Nightjar's own."""
        return not self.store.nights(f"{self.monitor}/retraining")

    def _of(self, run_id: str) -> Registered | None:
        content = self.store.read_page(self._key(run_id))
        try:
            return None if content is None else Registered.model_validate_json(content)
        except ValidationError:
            return None

    def _before(self, tags: Mapping[str, str]) -> Registered | None:
        """What an earlier version of Nightjar kept: the published retraining of the date."""
        try:
            day = date.fromisoformat(tags.get("run_date", ""))
        except ValueError:
            return None
        found = self.store.read_result(f"{self.monitor}/retraining", day, RetrainResult.file, RetrainResult)
        if found is None or found.lineage is None:
            return None
        made = found.lineage
        return Registered(
            run_id=made.run_id,
            model_sha256=made.model_sha256,
            training_sha256=made.training_sha256,
            number=made.version,
        )

    def _key(self, run_id: str) -> str:
        return f"{self.monitor}/.versions/{run_id}.json"
