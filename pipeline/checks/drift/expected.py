"""Columns whose change people expect tonight: compared as ever, and out of everything that decides."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pipeline.config import ExpectedChange
from pipeline.results import ColumnDrift, NightAlarms, NightProfile

if TYPE_CHECKING:
    from pipeline.checks.alarms.judge import Verdict


class Judged(NamedTuple):
    """Columns with their verdicts, how the night was judged on a budget of alarms, and `NightProfile.drifted`."""

    columns: tuple[ColumnDrift, ...]
    alarms: NightAlarms | None
    drifted: dict[str, tuple[str, ...]]


def words_of(expected: Iterable[ExpectedChange]) -> dict[str, str]:
    """Why each column may change, and until when; of several reasons that which lasts longest."""
    by_end = sorted(expected, key=lambda change: change.until)
    return {name: change.words for change in by_end for name in change.columns}


def marked(column: ColumnDrift, words: Mapping[str, str]) -> ColumnDrift:
    """A column that drifted as expected decides nothing; any other stays as it is."""
    if not column.drifted or column.name not in words:
        return column
    return column.model_copy(update={"drifted": False, "expected": words[column.name]})


def judged_apart(
    judge: Callable[[NightProfile], Verdict],
    columns: Sequence[ColumnDrift],
    profile: NightProfile,
    expected: Collection[str],
) -> Judged:
    """On a budget of alarms: expected columns by themselves, and the night by all others.

    A change that everybody knows of would make less rare what counts as rare in all other columns (see
    `pipeline.checks.alarms.budget`), and the night would keep its budget no longer.

    Args:
        judge: the verdict on a night of some columns.
        columns: as they were compared.
        profile: of tonight.
        expected: names of the expected columns.
    """
    others, known = (_only(profile, expected, wanted) for wanted in (False, True))
    night = judge(others if others.columns else known)
    if not others.columns or not known.columns:
        return Judged(tuple(map(night.on, columns)), night.alarms, dict(night.drifted))
    apart = judge(known)
    found = ((apart if column.name in apart.columns else night).on(column) for column in columns)
    drifted = {against: names + apart.drifted[against] for against, names in night.drifted.items()}
    return Judged(tuple(found), night.alarms, drifted)


def _only(profile: NightProfile, names: Collection[str], wanted: bool) -> NightProfile:
    """The profile of those columns that are among the names, or of all others."""
    columns = tuple(column for column in profile.columns if (column.name in names) == wanted)
    return NightProfile(
        snapshots=profile.snapshots, reference=profile.reference, columns=columns, version=profile.version
    )
