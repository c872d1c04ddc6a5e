"""What happens when a monitor's champion changes: the value that hooks, pages and mails are given."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pipeline.results.base import Number, Result
from pipeline.results.probation import Watch

Mover = Literal["retraining", "person", "probation"]


class Move(Result):
    """How a version became champion, as it notes it before the alias moves; whoever is to be told is told from this.

    `number` grows with every move of the monitor's champion. `after` is the newest night there was: a probation begins
    with the one after it. `evidence` is what a rollback without a person rests on.
    """

    number: int
    event: Literal["promoted", "rolled_back"]
    by: Mover
    previous_version: str | None = None
    moment: datetime | None = None
    after: date | None = None
    evidence: Watch | None = None


class AliasChange(Result):
    """A promotion or a rollback: which version is champion now, which was before, and the reference that went along.

    `after_promotion` hooks are given this. `event` is `promoted`, `rolled_back`, or `unchanged`; `by` says who did it,
    `evidence` why, where nobody was asked. `number`, `moment` and `after` are those of the move. `told` says how the
    hooks went.
    """

    monitor: str
    event: str
    version: str
    previous_version: str | None
    model_uri: str
    model_source: str
    training_uri: str | None
    training_sha256: str | None
    run_date: str | None = None
    reason: str = ""
    drift_share: Number | None = None
    by: Mover = "person"
    number: int | None = None
    moment: datetime | None = None
    evidence: Watch | None = None
    told: str | None = None

    @property
    def words(self) -> str:
        """What happened, in one line."""
        before = f", after version {self.previous_version}" if self.previous_version else ""
        told = f"; {self.told}" if self.told else ""
        return f"{self.monitor}: {self.event.replace('_', ' ')}: version {self.version} is champion{before}{told}"
