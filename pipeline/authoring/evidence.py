"""What a new monitor is guessed from: the reference column by column, nights that are there already, other names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.authoring.observe import Night, Seen, observe
from pipeline.checks.quality.check import Limits

if TYPE_CHECKING:
    from pipeline.authoring.formats import Texts
    from pipeline.checks.quality.built_in.reference import Profile

MAX_CATEGORIES = 50


@dataclass(frozen=True)
class Evidence:
    """What is known before anybody was asked.

    `production` and `labels` are names of columns there, none where nothing is there yet. `nights` are production
    snapshots, oldest first. `problems` says why a column of the reference cannot be looked at, and `lists` are those
    that hold lists of numbers.
    """

    reference: tuple[Path, ...]
    rows: int
    profiles: Mapping[str, Profile]
    seen: Mapping[str, Seen] = field(default_factory=dict)
    texts: Mapping[str, Texts] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    production: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    nights: tuple[Night, ...] = ()
    limits: Limits = field(default_factory=Limits)

    @property
    def names(self) -> list[str]:
        """Columns of the reference; a monitor file cannot list one without a name."""
        return [name for name in self.profiles if name]

    def absent(self, name: str) -> bool:
        """Whether production is there and lacks the column."""
        return bool(self.production) and name not in self.production

    def on_nights(self, name: str) -> list[tuple[Night, Seen]]:
        """The column on the nights that have it, with more rows than one: a single one tells nothing."""
        return [(night, night.seen[name]) for night in self.nights if name in night.seen and night.rows > 1]

    def in_unit(self, name: str) -> bool:
        """Whether it holds fractions from 0 to 1, as probabilities are."""
        numbers = self.profiles[name].numbers
        return numbers is not None and not numbers.whole and numbers.low >= 0 and numbers.high <= 1


def gather(
    reference: Sequence[Path],
    limits: Limits,
    *,
    production: Sequence[str] = (),
    labels: Sequence[str] = (),
    nights: Sequence[Night] = (),
) -> Evidence:
    """Look at every row of the reference.

    Args:
        reference: local parquet files.
        limits: memory and cores.
        production: names of production's columns; none where there is no snapshot yet.
        labels: names of the columns that arrive with the labels; none where there are none.
        nights: production snapshots that are there, oldest first.

    Raises:
        SnapshotUnreadable: a file is damaged.
    """
    from pipeline.authoring.formats import describe_texts
    from pipeline.checks.quality.validate import open_files
    from pipeline.checks.scan import is_number_list, open_table

    table = open_table([str(path) for path in reference])
    profiles = look_at(reference, limits)
    rows, seen = observe(reference, limits)
    written = [name for name, item in seen.items() if item.form == "text" and item.values]
    problems = {name: problem for name in table.column_names if (problem := table.problem_with(name)) is not None}
    return Evidence(
        reference=tuple(reference),
        rows=rows,
        profiles=profiles,
        seen=seen,
        texts=describe_texts(open_files(reference), written, limits) if written else {},
        problems=problems,
        lists=tuple(name for name in problems if (of := table.types_of(name)) and all(map(is_number_list, of))),
        production=tuple(production),
        labels=tuple(labels),
        nights=tuple(nights),
        limits=limits,
    )


def look_at(reference: Sequence[Path], limits: Limits) -> dict[str, Profile]:
    """Every column of local parquet files as a category, and as a number where it has too many values for one.

    Raises:
        SnapshotUnreadable: a file is damaged.
    """
    from pipeline.checks.quality.built_in.reference import profile_columns
    from pipeline.checks.scan import open_table

    table = open_table([str(path) for path in reference])
    names = table.column_names
    found = profile_columns(table, dict.fromkeys(names, "categorical"), MAX_CATEGORIES, 1.5, limits)
    numbers = [name for name in names if found[name].family == "number"]
    return found | {
        name: replace(profile, categories=found[name].categories)
        for name, profile in profile_columns(
            table, dict.fromkeys(numbers, "numerical"), MAX_CATEGORIES, 1.5, limits
        ).items()
    }
