r"""Regular expressions of Python as RE2 reads them, where both find a match in the same texts.

Whether a text has a match somewhere is a question about a language: it does not depend on which match an engine
prefers, so all that is built of characters, sets, alternatives and repetitions means the same to both. Written anew
from Python's own parse, each character by its number, nothing depends on how either spells it. What looks around or
back is not regular, and stays Python's. So does what depends on tables of Unicode (`\d`, `\w`, `\s`, `\b`, ignoring
case), except in texts of ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

_ASCII, _LAST = 128, 0x10FFFF
_FLAGS = re.IGNORECASE | re.DOTALL | re.VERBOSE | re.UNICODE
_MOST_REPEATS = 1000  # of RE2
_AT_START, _AT_END = ("AT_BEGINNING", "AT_BEGINNING_STRING"), ("AT_END", "AT_END_STRING")
Ranges = list[tuple[int, int]]


class _OnlyPython(Exception):
    """RE2 cannot say it, or would mean something else by it."""


@dataclass(frozen=True)
class Regular:
    """A pattern of RE2, and whether it means the same as Python's in texts of ASCII only."""

    pattern: str
    ascii_only: bool


def regular(pattern: str) -> Regular | None:
    """The same for RE2; None where there is none.

    Args:
        pattern: as Python's `re.search` takes it.
    """
    try:
        parsed = import_module("re._parser").parse(pattern)
        if parsed.state.flags & ~_FLAGS:
            return None
        writer = _Writer(re.RegexFlag(parsed.state.flags))
        return Regular(writer.sequence(list(parsed), last=True), writer.ascii_only)
    except (_OnlyPython, re.error, RecursionError, OverflowError, ImportError):
        return None


class _Writer:
    """Writes a parse down; `ascii_only` from the first thing on that makes it so."""

    def __init__(self, flags: re.RegexFlag) -> None:
        self._ignore_case = bool(flags & re.IGNORECASE)
        self._any: Ranges = [] if flags & re.DOTALL else [(10, 10)]  # what `.` does not take
        self.ascii_only = self._ignore_case

    def sequence(self, items: Sequence[tuple[Any, Any]], *, last: bool) -> str:
        """One after the other; `last`: nothing follows the sequence. Of nothing, nothing is written, not even a group:
        DuckDB 2.0 takes the empty one in `a(?:)` for the end of the text.
        """
        end = len(items) - 1
        return "".join(self._one(str(kind), value, last and place == end) for place, (kind, value) in enumerate(items))

    def _one(self, kind: str, argument: Any, last: bool) -> str:
        if kind == "LITERAL":
            return self._set([(argument, argument)])
        if kind == "NOT_LITERAL":
            return self._set([(argument, argument)], negated=True)
        if kind == "ANY":
            return _written(self._any, negated=True)
        if kind == "IN":
            return self._in(argument)
        if kind == "AT":
            return self._at(str(argument), last)
        return self._compound(kind, argument, last)

    def _compound(self, kind: str, argument: Any, last: bool) -> str:
        if kind == "BRANCH":
            branches = [self.sequence(list(branch), last=last) for branch in argument[1]]
            some = "|".join(branch for branch in branches if branch)
            return f"(?:{some}){'' if all(branches) else '?'}" if some else ""
        if kind == "SUBPATTERN":
            _, added, removed, inner = argument
            if added or removed:
                raise _OnlyPython
            return _group(self.sequence(list(inner), last=last))
        if kind in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, inner = argument
            return _group(self.sequence(list(inner), last=False), _times(int(least), most))
        raise _OnlyPython

    def _at(self, where: str, last: bool) -> str:
        if where in _AT_START:
            return r"\A"
        if where in _AT_END and last:  # RE2 cannot look whether the text ends after a new line, but it may take that
            return r"(?:\x{a}?\z)" if where == "AT_END" else r"\z"
        if where == "AT_BOUNDARY":
            self.ascii_only = True
            return r"\b"
        raise _OnlyPython

    def _in(self, members: Iterable[tuple[Any, Any]]) -> str:
        ranges: Ranges = []
        negated = False
        for kind, argument in members:
            if str(kind) == "NEGATE":
                negated = True
            elif str(kind) == "CATEGORY":
                self.ascii_only = True
                ranges += _category(str(argument))
            else:
                ranges.append((argument, argument) if str(kind) == "LITERAL" else argument)
        return self._set(ranges, negated=negated)

    def _set(self, ranges: Ranges, *, negated: bool = False) -> str:
        if self._ignore_case:
            ranges = _either_case(ranges)
        return _written(ranges, negated=negated)


def _category(name: str) -> Ranges:
    """The characters of ASCII that Python has in it; of what is negated, all beyond ASCII too."""
    letter = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[name.rsplit("_", 1)[1]]
    negated = "_NOT_" in name
    inside = [code for code in range(_ASCII) if (re.match(letter, chr(code)) is None) == negated]
    return [(code, code) for code in inside] + ([(_ASCII, _LAST)] if negated else [])


def _either_case(ranges: Ranges) -> Ranges:
    """Beyond ASCII some letters are the other case of one in it."""
    both = set[int]()
    for low, high in ranges:
        if high >= _ASCII:
            raise _OnlyPython
        both |= {ord(case) for code in range(low, high + 1) for case in (chr(code).lower(), chr(code).upper())}
    return [(code, code) for code in sorted(both)]


def _group(inner: str, times: str = "") -> str:
    return f"(?:{inner}){times}" if inner and times != "{0,0}" else ""


def _times(least: int, most: Any) -> str:
    endless = str(most) == "MAXREPEAT"
    if (least if endless else int(most)) > _MOST_REPEATS:
        raise _OnlyPython
    return f"{{{least},{'' if endless else int(most)}}}"


def _written(ranges: Ranges, *, negated: bool) -> str:
    """A set of characters by their numbers."""
    if not ranges:
        return _written([(0, _LAST)], negated=not negated)
    listed = "".join(rf"\x{{{low:x}}}-\x{{{high:x}}}" if low != high else rf"\x{{{low:x}}}" for low, high in ranges)
    return f"[{'^' if negated else ''}{listed}]"
