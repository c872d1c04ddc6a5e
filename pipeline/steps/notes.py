"""What people note of a monitor by commands, each kind in a file of the run store, the oldest note first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from pipeline.config.spell import Spell
from pipeline.errors import ConfigError
from pipeline.steps.night import Workspace
from pipeline.wording import clip

S = TypeVar("S", bound=Spell)
_NAME_LETTERS = 8


@dataclass(frozen=True)
class Notes(Generic[S]):
    """Notes of one kind.

    Args:
        file: its name, in the monitor's folder.
        kind: what each of them is.
        what: what they say, as in "note again what is expected".
    """

    file: str
    kind: type[S]
    what: str

    def of(self, workspace: Workspace) -> tuple[S, ...]:
        """What was noted.

        Raises:
            ConfigError: it cannot be read.
        """
        key = self._key(workspace)
        content = workspace.store.read_page(key)
        if content is None:
            return ()
        try:
            return self._all.validate_json(content, strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"])) or "file"
            problem = f"{workspace.store.page_uri(key)}: cannot be read: {place}: {clip(first['msg'], 200)}"
            raise ConfigError([f"{problem}; repair it, or remove it and note again {self.what}"]) from error

    def made(self, told: Mapping[str, object]) -> S:
        """A note as a command is told of it.

        Raises:
            ConfigError: it makes no sense; says all that is wrong.
        """
        try:
            return self.kind.model_validate(told)
        except ValidationError as error:
            problems = [_problem(item["loc"], item["msg"]) for item in error.errors(include_url=False)]
            raise ConfigError(problems) from error

    def add(self, workspace: Workspace, note: S) -> bool:
        """Note it; whether it was not noted already, by whomever.

        Raises:
            ConfigError: what was noted before cannot be read.
        """
        with workspace.store.alone(workspace.name):
            before = self.of(workspace)
            is_new = name_of(note) not in map(name_of, before)
            if is_new:
                self.keep(workspace, (*before, note))
        return is_new

    def remove(self, workspace: Workspace, name: str) -> S | None:
        """Take back the note of a name; what it was, None where there is none, as after it was taken back.

        Raises:
            ConfigError: what was noted cannot be read.
        """
        with workspace.store.alone(workspace.name):
            before = self.of(workspace)
            found = [note for note in before if name_of(note) == name]
            if found:
                self.keep(workspace, tuple(note for note in before if note not in found))
        return found[0] if found else None

    def keep(self, workspace: Workspace, notes: tuple[S, ...]) -> None:
        """Put these in place of what was noted. Whoever read that before is still alone with the monitor."""
        told = [note.model_dump(mode="json", by_alias=True) for note in notes]
        text = json.dumps(told, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
        workspace.store.write_page(self._key(workspace), text.encode())

    @property
    def _all(self) -> TypeAdapter[tuple[S, ...]]:
        return TypeAdapter(tuple[self.kind, ...])  # type: ignore[name-defined]

    def _key(self, workspace: Workspace) -> str:
        return f"{workspace.name}/{self.file}"


def name_of(note: Spell) -> str:
    """What a note is called by whoever takes it back: it follows from what the note says, whoever noted it.

    Not its place among the others: that is another one once one before it is gone.
    """
    said = note.model_dump_json(exclude={"by"})
    return hashlib.sha256(said.encode()).hexdigest()[:_NAME_LETTERS]


def _problem(place: tuple[int | str, ...], message: str) -> str:
    option = f"--{place[0]}: " if place else ""
    return option + message.removeprefix("Value error, ")
