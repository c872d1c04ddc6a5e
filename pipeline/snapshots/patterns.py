"""Which of the files below a folder a location means: told by names and sizes alone, so that disk and S3 agree.

    data/night/              every parquet file below the folder
    data/dt=*/               every parquet file below each folder that the pattern matches
    data/**/part-?.parquet   `**` stands for any number of folders, also none; `*`, `?` and `[ab]` stay within a name

Names that start with `_` or `.` are not data (`_SUCCESS`, `_temporary/`, `.part.crc`), unless the pattern spells that
character out; `_x=1` is a folder of a column called `_x`, as Spark has it. A parquet file ends in .parquet, .parq or
.pq, or has no ending at all, as Athena and others write it, and is not empty; what else lies there is left alone,
unless the pattern spells its ending out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

WILDCARDS = "*?["
COUNTS = (
    "what counts ends in .parquet, .parq or .pq or has no ending, is not empty, and lies below no name that starts "
    "with _ or ."
)
_ENDINGS = (".parquet", ".parq", ".pq")
_ANY_DEPTH = "**"
States = frozenset[int]


@dataclass(frozen=True)
class Pattern:
    """What may vary of a location, part by part; no parts stand for a whole folder.

    `folders_only`: the location ends with `/`, so that what the last part matches is a folder.

    A walk goes from `start` name by name through `below`. Its states say how many parts may be used up by then; none
    is left where nothing further down can match.
    """

    parts: tuple[str, ...] = ()
    folders_only: bool = False
    start: States = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", self._closed({0}))

    def below(self, states: States, folder: str) -> States:
        """Where a walk is after going into a folder."""
        found = {after for state in states if (after := self._after(state, folder)) is not None}
        return self._closed(found)

    def chooses(self, states: States, file: str, size: int) -> bool:
        """Whether a file is meant that lies where a walk is, `size` bytes of it."""
        last, whole = len(self.parts) - 1, len(self.parts)
        if whole in states and not _hidden(file) and _is_parquet(file, size):
            return True
        if last not in states or self.folders_only or not _fits(file, self.parts[last]):
            return False
        ending = _spelt_ending(self.parts[last])
        return file == self.parts[last] or (ending is not None and file.endswith(ending)) or _is_parquet(file, size)

    def _after(self, state: int, folder: str) -> int | None:
        if state == len(self.parts) or self.parts[state] == _ANY_DEPTH:
            return None if _hidden(folder) else state
        return state + 1 if _fits(folder, self.parts[state]) else None

    def _closed(self, states: Iterable[int]) -> States:
        """`**` stands for no folder, too."""
        found = set(states)
        for state, part in enumerate(self.parts):
            if state in found and part == _ANY_DEPTH:
                found.add(state + 1)
        return frozenset(found)


def has_wildcard(part: str) -> bool:
    """Whether a part of a location may stand for several names."""
    return any(char in part for char in WILDCARDS)


def literal_start(part: str) -> str:
    """What every name that a part matches starts with."""
    return part[: min((part.index(char) for char in WILDCARDS if char in part), default=len(part))]


def _hidden(name: str) -> bool:
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def _fits(name: str, part: str) -> bool:
    """Whether a part matches a name; the very same text always does, `prod [v1]` for example."""
    return name == part or (fnmatchcase(name, part) and not (_hidden(name) and part[0] in WILDCARDS))


def _is_parquet(name: str, size: int) -> bool:
    if "." not in name:
        return size > 0  # an empty one marks a folder or a job that has ended
    return name.lower().endswith(_ENDINGS)


def _spelt_ending(part: str) -> str | None:
    """`.dat` of `part-*.dat`; None where the pattern leaves the ending open."""
    _, dot, ending = part.rpartition(".")
    return None if not dot or any(char in ending for char in f"{WILDCARDS}]") else f".{ending}"
