"""What a person is asked about the columns of a new monitor, about its task, and about who is told."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from pipeline.authoring.interview import NONE, Person, ask
from pipeline.authoring.monitor_text import ROLES, class_text
from pipeline.authoring.places import problem_with
from pipeline.config.documents import yaml_text
from pipeline.config.values import Email
from pipeline.errors import ConfigError
from pipeline.wording import listed, measured

if TYPE_CHECKING:
    from pipeline.authoring.evidence import Evidence
    from pipeline.authoring.roles import Columns, Known
    from pipeline.checks.scan import Key

_MOST_NAMES = 60
_TASKS = ("classification", "regression", "auto")
_WHEN = ("always", "change", "trouble")
_YES = ("yes", "no")
_FAR_BELOW = 0.45


@dataclass(frozen=True)
class Choices:
    """What was said beside addresses and columns; None is asked for, or guessed.

    `positive` as it is written, `email` with commas, `champion` yes or no, `alarms` a number of nights or `-`.
    """

    owner: str | None = None
    task: str | None = None
    positive: str | None = None
    champion: str | None = None
    min_rows: int | None = None
    email: str | None = None
    when: str | None = None
    alarms: str | None = None


def flag(key: str) -> str:
    """How a key is called on the command line."""
    return f"--{key.replace('_', '-')}"


def ask_columns(evidence: Evidence, known: Known, person: Person) -> Columns:
    """As guessed; every guess that nobody made up for is put to the person.

    Raises:
        ConfigError: a name is no column.
    """
    from pipeline.authoring.roles import Known, guess_columns

    names = list(evidence.profiles)
    said = {item.name: getattr(known, item.name) for item in fields(Known) if item.name != "scores"}

    def wrong(name: str) -> str | None:
        return _no_column(name, names)

    named = [*said.items(), *(("scores", name) for name in (known.scores or {}).values())]
    problems = [f"{flag(role)}: {problem}" for role, name in named if (problem := wrong(name or NONE))]
    if problems:
        raise ConfigError(problems)
    guessed = guess_columns(evidence, known)
    person.tell(f"The reference has the columns {names_listed(names)}.")
    for name in _only_here(evidence, guessed):
        person.tell(f"{yaml_text(name)} is in the reference and not in production: is it the label?")
    answers: dict[str, str] = {}
    for role, words in ROLES.items():
        if said[role] is None and not (role == "score" and guessed.scores):
            proposal = getattr(guessed, role) or NONE
            answers[role] = ask(person, flag(role), f"{role.replace('_', ' ')} ({words})", proposal, wrong)
            guessed = guess_columns(evidence, _with(known, said | answers))
    chosen = _with(known, said | answers)
    if known.scores is None and guessed.scores:
        proposal = scores_text(guessed.scores)
        words = "scores (a probability column for each class)"
        text = ask(person, "--scores", words, proposal, lambda text: _wrong_scores(text, names))
        chosen = replace(chosen, scores={} if text == NONE else read_scores(text))
    return guess_columns(evidence, chosen)


def _with(known: Known, said: Mapping[str, str | None]) -> Known:
    changes: dict[str, Any] = {role: "" if name == NONE else name for role, name in said.items()}
    return replace(known, **changes)


def _only_here(evidence: Evidence, columns: Columns) -> list[str]:
    """Columns that may be a label nobody called so."""
    return [name for name in columns.ignore if evidence.absent(name)] if columns.label is None else []


def _no_column(name: str, names: Sequence[str]) -> str | None:
    if name == NONE or name in names:
        return None
    close = difflib.get_close_matches(name, names, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"found {name!r}, which is no column of the reference; allowed: {names_listed(names)}, or - for none{hint}"


def names_listed(names: Sequence[str]) -> str:
    """Some names, as a monitor file has them."""
    return listed([yaml_text(name) for name in names], _MOST_NAMES)


def scores_text(scores: Mapping[str, str]) -> str:
    """`low=p_low, high=p_high`."""
    return ", ".join(f"{label}={name}" for label, name in scores.items())


def read_scores(text: str) -> dict[str, str]:
    """The same read back.

    Raises:
        ValueError: a part has no `=`.
    """
    parts = [part.rpartition("=") for part in text.split(",") if part.strip()]
    if not all(label.strip() and name.strip() for label, _, name in parts):
        raise ValueError("allowed: CLASS=COLUMN with commas between, such as low=p_low,high=p_high")
    return {label.strip(): name.strip() for label, _, name in parts}


def _wrong_scores(text: str, names: Sequence[str]) -> str | None:
    if text == NONE:
        return None
    try:
        found = read_scores(text)
    except ValueError as error:
        return f"found {text!r}; {error}"
    return next((problem for name in found.values() if (problem := _no_column(name, names))), None)


def ask_task(evidence: Evidence, columns: Columns, said: str | None, person: Person) -> str | None:
    """Classification or regression, as the reference's labels say; None where there is no label to say it."""
    from pipeline.authoring.scores import task_by

    if columns.label is None:
        return None if said == "auto" else said
    proposal = said or task_by(evidence, columns.label, columns.prediction) or "auto"
    words = "task (classification or regression, at night and when it is trained again)"
    answer = said or ask(person, "--task", words, proposal, one_of(_TASKS))
    return None if answer == "auto" else answer


def ask_positive(
    evidence: Evidence, columns: Columns, task: str | None, said: str | None, person: Person
) -> tuple[Key | None, list[str]]:
    """Of two classes the positive one, and what a person should know of the score.

    Raises:
        ConfigError: it is no class.
    """
    from pipeline.authoring.scores import areas, called_positive, classes_of, likely_positive

    classes = classes_of(evidence, columns.label) or classes_of(evidence, columns.prediction)
    if task == "regression" or len(classes) != 2:
        if said not in (None, NONE):
            raise ConfigError([f"--positive: found {said!r}; allowed where there are two classes"])
        return None, []
    found = areas(evidence, columns.label, columns.score) if columns.label and columns.score else {}
    notes = _of_the_score(columns.score, called_positive(classes), found)
    for note in notes:
        person.tell(note)
    written = {_bare(key): key for key in classes}
    likely = likely_positive(classes, found)

    def wrong(text: str) -> str | None:
        allowed = f"allowed: {' or '.join(written)}, or - for the second one in order"
        return None if text in written or text == NONE else f"found {text!r}; {allowed}"

    if said is not None and (problem := wrong(said)):
        raise ConfigError([f"--positive: {problem}"])
    area = f" with ROC AUC {measured(found[likely])}" if likely in found else ""
    of_score = f", and {columns.score} the probability of{area}" if columns.score else ""
    words = f"positive (of {' and '.join(written)} the class that precision and recall are about{of_score})"
    answer = said or ask(person, "--positive", words, _bare(likely), wrong)
    return written.get(answer), notes


def _bare(key: object) -> str:
    return key if isinstance(key, str) else class_text(key)


def _of_the_score(score: str | None, usual: Any, found: Mapping[Any, float]) -> list[str]:
    """What is odd about it: it points the other way, or nowhere."""
    if not found or score is None:
        return []
    if usual in found and found[usual] < _FAR_BELOW:
        other = next(key for key in found if key != usual)
        area = f"ROC AUC {measured(found[usual])} on the reference"
        words = f"{score} is lower where the label is {_bare(usual)} ({area}): is it the probability of {_bare(other)}?"
        return [f"{words} So it is taken; --positive says otherwise"]
    best = max(found.values())
    area = f"ROC AUC {measured(best)} on the reference"
    return [f"{score} hardly tells the classes apart ({area})"] if best < 1 - _FAR_BELOW else []


def ask_people(said: Choices, person: Person) -> tuple[str, tuple[str, ...], str]:
    """Owner, whom to mail, and of which nights.

    Raises:
        ConfigError: an address is none.
    """
    owner = said.owner or person.ask("owner (a person, a team, an address)", "unknown")
    proposal = owner if problem_with(Email, owner) is None else NONE
    words = "email (who gets the summary of a night; addresses, with commas between them)"
    text = _answer(said.email, person, "--email", words, proposal, wrong=_wrong_addresses)
    addresses = tuple(part.strip() for part in text.split(",") if part.strip() not in ("", NONE))
    if not addresses and said.when is None:
        return owner, addresses, "always"
    words = "when (always; change: when the verdict changes; trouble: when something is wrong)"
    return owner, addresses, _answer(said.when, person, "--when", words, "always", wrong=one_of(_WHEN))


def ask_champion(said: str | None, possible: bool, person: Person) -> bool:
    """Whether the reference follows the promoted model; asked where models can be trained again."""
    if not possible and said is None:
        return False
    words = (
        "champion (yes: once a new model is promoted, nights are compared with what that one learnt from; no: always "
        "with this reference, and drift that a new model has learnt stays drift)"
    )
    return _answer(said, person, "--champion", words, "yes", wrong=one_of(_YES)) == "yes"


def ask_alarms(said: str | None, person: Person) -> int | None:
    """In how many quiet nights one false alarm may be; None for fixed thresholds.

    Raises:
        ConfigError: it is no such number.
    """
    words = (
        "alarms (at most one false alarm in so many quiet nights, learnt from what nights do; "
        "- for Evidently's fixed thresholds)"
    )
    answer = _answer(said, person, "--alarms", words, "365", wrong=_wrong_nights)
    return None if answer == NONE else int(answer)


def _wrong_nights(text: str) -> str | None:
    if text == NONE or (text.isdigit() and 2 <= int(text) <= 100_000):
        return None
    return f"found {text!r}; allowed: a whole number from 2 to 100000, or - for fixed thresholds"


def _answer(
    said: str | None, person: Person, name: str, words: str, proposal: str, *, wrong: Callable[[str], str | None]
) -> str:
    if said is None:
        return ask(person, name, words, proposal, wrong)
    problem = wrong(said)
    if problem is not None:
        raise ConfigError([f"{name}: {problem}"])
    return said


def _wrong_addresses(text: str) -> str | None:
    parts = [part.strip() for part in text.split(",") if part.strip() not in ("", NONE)]
    return next((problem for part in parts if (problem := problem_with(Email, part))), None)


def one_of(allowed: Sequence[str]) -> Callable[[str], str | None]:
    """What is wrong with an answer that has to be one of a few."""
    return lambda answer: None if answer in allowed else f"found {answer!r}; allowed: {', '.join(allowed)}"
