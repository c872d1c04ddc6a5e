"""Puts questions to the person at the terminal; where nobody sits there, every proposal is the answer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol

from pipeline.errors import ConfigError

NONE = "-"
"""What a person answers where there is none."""


class Person(Protocol):
    """Somebody to ask. Who is not `present` takes every proposal."""

    @property
    def present(self) -> bool:
        """Whether questions reach anybody."""

    def ask(self, question: str, proposal: str) -> str:
        """The answer; the proposal where nothing else is said."""

    def tell(self, words: str) -> None:
        """Say something that needs no answer."""


class Terminal:
    """The person at this process's terminal.

    Ctrl-C and Ctrl-D raise KeyboardInterrupt.
    """

    @property
    def present(self) -> bool:
        """Whether somebody can type an answer."""
        return sys.stdin.isatty()

    def ask(self, question: str, proposal: str) -> str:
        """One line of input, without the spaces around it; an empty one takes the proposal."""
        if not self.present:
            return proposal
        try:
            return input(f"{question}{f' [{proposal}]' if proposal else ''}: ").strip() or proposal
        except EOFError:
            raise KeyboardInterrupt from None

    def tell(self, words: str) -> None:
        """Print, if there is somebody to read it."""
        if self.present:
            print(words)


def ask(person: Person, flag: str, question: str, proposal: str, problem_with: Callable[[str], str | None]) -> str:
    """An answer that is allowed: somebody who is present is asked again until it is.

    Args:
        person: who is asked.
        flag: of the command line, which says the same.
        question: without the question mark.
        proposal: the answer where nothing else is said.
        problem_with: what is wrong with an answer; None where nothing is.

    Raises:
        ConfigError: nobody is there to think of anything better than a proposal that is not allowed.
    """
    while True:
        answer = person.ask(question, proposal)
        problem = problem_with(answer)
        if problem is None:
            return answer
        if not person.present:
            raise ConfigError([f"{flag}: {problem}"])
        person.tell(problem)
