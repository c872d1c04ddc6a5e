"""What happens when a monitor's champion changes: the value that hooks, pages and mails are given."""

from __future__ import annotations

from pipeline.results.base import Number, Result


class AliasChange(Result):
    """A promotion or a rollback: which version is champion now, which was before, and the reference that went along.

    `after_promotion` hooks are given this. `told` says how they went.
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
    told: str | None = None

    @property
    def words(self) -> str:
        """What happened, in one line."""
        before = f", after version {self.previous_version}" if self.previous_version else ""
        told = f"; {self.told}" if self.told else ""
        return f"{self.monitor}: {self.event.replace('_', ' ')}: version {self.version} is champion{before}{told}"
