"""Who was told of what, and when: noted as mails and messages go out, or are held back."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pipeline.results.base import Result


class Told(Result):
    """A mail or message about a night, or about a retraining, of a run date.

    `outlet` is `mail` or the name of a channel; `to` has the recipients of a mail. `said` is `sent`, or why it was not.
    `identity` is a mail's Message-ID, of a message what tells it from others.
    """

    run_date: date
    about: Literal["night", "retraining"]
    outlet: str
    to: tuple[str, ...] = ()
    moment: datetime
    said: str
    identity: str

    @property
    def sent(self) -> bool:
        """Whether it went out."""
        return self.said == "sent"


class Tellings(Result):
    """All of a monitor, in the order in which they went out."""

    tellings: tuple[Told, ...] = ()
