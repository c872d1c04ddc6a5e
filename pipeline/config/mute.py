"""Days on which a monitor tells nobody by mail and chat: people know, or are at work on it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import ClassVar

from pipeline.config.spell import Spell


class Mute(Spell):
    """A monitor whose mails and messages are held back from one run date until another, and why.

    Broken data, and a night of which a part could not be measured, are told all the same.
    """

    longest: ClassVar[timedelta] = timedelta(days=31)
    longest_reason: ClassVar[str] = ", so that nobody forgets it; who is to be told less for good: see `notify`"

    def words_at(self, day: date) -> str:
        """`muted until 2026-02-14: we repair the source`; of one that is yet to come also from when."""
        first = f"from {self.first} " if self.first > day else ""
        return f"muted {first}until {self.until}: {self.why}"
