"""Since when something has failed or drifted, night after night."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pipeline.results import ExpectationOutcome, QualityResult
from pipeline.wording import count

if TYPE_CHECKING:
    from pipeline.publish.facts.history import PastNight


def key_of(outcome: ExpectationOutcome) -> str:
    """What tells an expectation from others, the same on every night, whatever was found.

    A built-in check learns its limits from the data, so its sentence may change; that of a suite says what it asks.
    """
    asked = outcome.check or outcome.sentence
    named = "\n".join((outcome.expectation, outcome.column or "", asked))
    return hashlib.sha256(named.encode("utf-8", "backslashreplace")).hexdigest()[:12]


@dataclass(frozen=True)
class Since:
    """The first of the nights in a row on which something was so, and how many they are, tonight included.

    `longer`: it is so on every night that is known.
    """

    first: date
    nights: int
    longer: bool = False

    def words(self, what: str = "failing") -> str:
        """`failing since 2026-01-14 (3 nights)`; empty where it is so on this night only."""
        longer = " or longer" if self.longer else ""
        return f"{what} since {self.first}{longer} ({count(self.nights, 'night')})" if self.nights > 1 else ""


def since(nights: Sequence[PastNight], is_so: Callable[[PastNight], bool | None]) -> Since:
    """Since when something is so.

    Args:
        nights: oldest first, tonight last, on which it is so.
        is_so: whether it was on a night; None where nobody knows, which neither begins nor ends it.
    """
    first, many = nights[-1].run_date, 0
    for night in reversed(nights):
        found = is_so(night)
        if found is False:
            return Since(first, many)
        if found:
            first, many = night.run_date, many + 1
    return Since(first, many, longer=many > 1)


def grouped_words(found: Sequence[Since]) -> str:
    """How many are new, and since when the others fail: `1 is new on this night, 2 failing since ... (3 nights)`.

    Empty where all are new, which needs no words.
    """
    many = Counter(one.words() for one in sorted(found, key=lambda one: one.nights))
    new = many.pop("", 0)
    if not many:
        return ""
    first = [f"{count(new)} {'is' if new == 1 else 'are'} new on this night"] if new else []
    return ", ".join([*first, *(f"{count(number)} {words}" for words, number in many.items())])


def expectation_since(nights: Sequence[PastNight], outcome: ExpectationOutcome) -> Since:
    """Since when an expectation fails that failed on the last of these nights."""
    key = key_of(outcome)

    def fails(night: PastNight) -> bool | None:
        unknown = "quality" in night.broken or (night.failures > 0 and not night.failing)
        return None if unknown else key in night.failing

    return since(nights, fails)


def by_since(nights: Sequence[PastNight], quality: QualityResult) -> list[tuple[ExpectationOutcome, Since]]:
    """Failed expectations with since when they fail: critical ones first, of one severity the new ones first.

    Args:
        nights: oldest first, the night of these results last.
        quality: its results.
    """
    found = [(outcome, expectation_since(nights, outcome)) for outcome in quality.failures]
    places = {outcome.severity: place for place, (outcome, _) in reversed(list(enumerate(found)))}
    return sorted(found, key=lambda one: (places[one[0].severity], one[1].nights))


def column_since(nights: Sequence[PastNight], name: str) -> Since:
    """Since when a column drifts that drifted on the last of these nights."""

    def drifts(night: PastNight) -> bool | None:
        return None if night.few is not None or name not in night.strengths else name in night.drifted

    return since(nights, drifts)


def part_since(nights: Sequence[PastNight], part: str) -> Since:
    """Since when a measurement breaks that broke on the last of these nights."""
    return since(nights, lambda night: part in night.broken)
