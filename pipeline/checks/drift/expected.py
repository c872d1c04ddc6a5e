"""Columns whose change people expect tonight: compared as ever, and out of everything that decides."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.config import ExpectedChange
from pipeline.results import ColumnDrift, NightAlarms, NightProfile

if TYPE_CHECKING:
    from pipeline.checks.alarms.judge import Verdict


def words_of(expected: Iterable[ExpectedChange]) -> dict[str, str]:
    """Why each column may change, and until when; of several reasons that which lasts longest."""
    by_end = sorted(expected, key=lambda change: change.until)
    return {name: change.words for change in by_end for name in change.columns}


def marked(column: ColumnDrift, words: Mapping[str, str]) -> ColumnDrift:
    """A column that drifted as expected decides nothing; any other stays as it is."""
    if not column.drifted or column.name not in words:
        return column
    return column.model_copy(update={"drifted": False, "expected": words[column.name]})


@dataclass(frozen=True, slots=True)
class JudgedApart:
    """The verdict on a night, and the one on its expected columns, where there are any beside others."""

    night: Verdict
    apart: Verdict | None = None

    @property
    def alarms(self) -> NightAlarms:
        """How the night was judged: by all columns that are not expected, if there are any."""
        return self.night.alarms

    @property
    def drifted(self) -> dict[str, tuple[str, ...]]:
        """See `NightProfile.drifted`: expected columns are among them."""
        apart = {} if self.apart is None else self.apart.drifted
        return {against: names + apart.get(against, ()) for against, names in self.night.drifted.items()}

    def on(self, column: ColumnDrift) -> ColumnDrift:
        """A column that was compared, with its verdict; see `Verdict.on`."""
        if self.apart is not None and column.name in self.apart.columns:
            return self.apart.on(column)
        return self.night.on(column)


def judged_apart(
    judge: Callable[[NightProfile], Verdict], profile: NightProfile, expected: Collection[str]
) -> JudgedApart:
    """On a budget of alarms: expected columns by themselves, and the night by all others.

    A change that everybody knows of would make less rare what counts as rare in all other columns (see
    `pipeline.checks.alarms.budget`), and the night would keep its budget no longer.

    Args:
        judge: the verdict on a night of some columns.
        profile: of tonight.
        expected: names of the expected columns.
    """
    others, known = (_only(profile, expected, wanted) for wanted in (False, True))
    if not others.columns or not known.columns:
        return JudgedApart(judge(profile))
    return JudgedApart(judge(others), judge(known))


def _only(profile: NightProfile, names: Collection[str], wanted: bool) -> NightProfile:
    """The profile of those columns that are among the names, or of all others."""
    columns = tuple(column for column in profile.columns if (column.name in names) == wanted)
    return NightProfile(
        snapshots=profile.snapshots, reference=profile.reference, columns=columns, version=profile.version
    )
