"""Expectations about text that matches regular expressions: in RE2 where that finds what Python finds."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from pipeline.checks.quality.engines.asking import Asking, Question
from pipeline.checks.quality.engines.literals import text_literal
from pipeline.checks.quality.engines.questions.scene import Arguments, Ask, NotInSQL, Scene, count_where
from pipeline.checks.quality.engines.questions.values import where
from pipeline.checks.quality.engines.regular import regular


def _matches(scene: Scene, arguments: Arguments) -> Asking:
    condition = yield from _condition(scene, arguments, [arguments["regex"]], "OR")
    return (yield from where(scene, scene.column(arguments), f"NOT ({condition})"))


def _matches_some(scene: Scene, arguments: Arguments) -> Asking:
    joint = "AND" if arguments.get("match_on") == "all" else "OR"
    condition = yield from _condition(scene, arguments, arguments["regex_list"], joint)
    return (yield from where(scene, scene.column(arguments), f"NOT ({condition})"))


def _matches_not(scene: Scene, arguments: Arguments) -> Asking:
    condition = yield from _condition(scene, arguments, [arguments["regex"]], "OR")
    return (yield from where(scene, scene.column(arguments), condition))


def _matches_none(scene: Scene, arguments: Arguments) -> Asking:
    condition = yield from _condition(scene, arguments, arguments["regex_list"], "OR")
    return (yield from where(scene, scene.column(arguments), condition))


def _condition(
    scene: Scene, arguments: Arguments, patterns: list[str], joint: str
) -> Generator[Sequence[Question], list[Any], str]:
    """Whether a text matches; not before it is known whether all of them are ASCII, where it depends on that."""
    column, found = scene.column(arguments, "text"), [regular(pattern) for pattern in patterns]
    known = [pattern for pattern in found if pattern is not None]
    if not known or len(known) < len(found):
        raise NotInSQL
    if any(pattern.ascii_only for pattern in known):
        (beyond,) = yield [count_where(f"strlen({column}) <> length({column})")]  # bytes, characters
        if beyond:
            raise NotInSQL
    parts = [f"regexp_matches({column}, {text_literal(pattern.pattern)})" for pattern in known]
    return f"({f' {joint} '.join(parts)})"


PATTERNS: dict[str, Ask] = {
    "expect_column_values_to_match_regex": _matches,
    "expect_column_values_to_match_regex_list": _matches_some,
    "expect_column_values_to_not_match_regex": _matches_not,
    "expect_column_values_to_not_match_regex_list": _matches_none,
}
