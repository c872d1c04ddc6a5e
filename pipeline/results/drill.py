"""A drill: a night with planted faults, and how far it was followed."""

from __future__ import annotations

from datetime import datetime

from pipeline.results.base import Result


class Drill(Result):
    """How a monitor's last drill went: what was seen, in order, and what was not, None where all was."""

    moment: datetime
    seen: tuple[str, ...]
    missed: str | None = None
