"""Questions to a person: asked again until the answer will do, and only where somebody can answer."""

from __future__ import annotations

import io

import pytest

from pipeline.authoring.interview import Terminal, ask
from pipeline.errors import ConfigError


class Somebody:
    """Gives the answers one after the other, and remembers what was asked and said."""

    def __init__(self, *answers: str, present: bool = True) -> None:
        self.answers = list(answers)
        self.present = present
        self.heard: list[str] = []

    def ask(self, question: str, proposal: str) -> str:
        self.heard.append(question)
        return (self.answers.pop(0) or proposal) if self.present else proposal

    def tell(self, words: str) -> None:
        self.heard.append(words)


def even(answer: str) -> str | None:
    return None if int(answer) % 2 == 0 else f"found {answer}; allowed: an even number"


def test_an_answer_that_will_not_do_is_asked_for_again_with_the_reason() -> None:
    person = Somebody("3", "", "5")
    assert ask(person, "--n", "a number", "4", even) == "4"
    assert person.heard == ["a number", "found 3; allowed: an even number", "a number"]


def test_where_nobody_is_a_proposal_that_will_not_do_is_an_error_that_names_the_flag() -> None:
    nobody = Somebody(present=False)
    assert ask(nobody, "--n", "a number", "4", even) == "4"
    with pytest.raises(ConfigError, match="--n: found 3; allowed: an even number"):
        ask(nobody, "--n", "a number", "3", even)


def test_a_process_without_a_terminal_takes_proposals_and_prints_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("typed\n"))
    terminal = Terminal()
    assert not terminal.present
    assert terminal.ask("a name", "proposed") == "proposed"
    terminal.tell("something")
    assert capsys.readouterr().out == ""
