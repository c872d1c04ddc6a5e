"""What the built-in checks look at: both snapshots, the roles of columns, what the reference is like, recent nights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.checks.quality.check import Check, Limits
from pipeline.results import ExpectationOutcome, SnapshotPair

if TYPE_CHECKING:
    from pipeline.checks.quality.built_in.reference import Profile
    from pipeline.checks.scan import Table
    from pipeline.config import ColumnRoles
    from pipeline.config.quality_checks import QualityChecks

Found = Check | ExpectationOutcome
"""An expectation to evaluate, or the outcome of one that schema, counts and times decide at once."""


@dataclass(frozen=True)
class Scene:
    """What the checks look at. `profiles` are of the reference, `recent_rows` are of earlier nights' production."""

    checks: QualityChecks
    roles: ColumnRoles
    pair: SnapshotPair
    production: Table
    reference: Table
    profiles: Mapping[str, Profile]
    recent_rows: Sequence[int] = ()
    limits: Limits = field(default_factory=Limits)

    @property
    def shared(self) -> list[Profile]:
        """Columns of the reference that production has with the same kind of value."""
        return [item for item in self.profiles.values() if item.family and self.family(item.name) == item.family]

    @property
    def features(self) -> list[Profile]:
        """Shared columns except the model's answers."""
        return [item for item in self.shared if item.name not in (self.roles.prediction, self.roles.score)]

    @property
    def empty(self) -> bool:
        """Whether production has no rows: then nothing can be said about its columns."""
        return self.production.rows == 0

    def family(self, name: str) -> str | None:
        """The kind of value production has in a column."""
        from pipeline.checks.quality.built_in.reference import family_of

        return family_of(self.production, name) if self.production.has(name) else None

    def private(self, name: str) -> bool:
        """Whether no value of the column may leave."""
        return name in self.roles.private

    def retyped(self, name: str) -> str | None:
        """How a column holds another kind of value than in the reference. One without any value holds none."""
        from pipeline.checks.quality.built_in.reference import family_of

        before, after = family_of(self.reference, name), self.family(name)
        if before == after or "null" in (before, after):
            return None
        return f"{name} ({self.production.type_label(name)} instead of {self.reference.type_label(name)})"
