"""What was found of one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Grade = Literal["ok", "warning", "wrong", "not asked"]


@dataclass(frozen=True)
class Finding:
    """What was found of one thing, in words that say what to do where it is not well."""

    what: str
    grade: Grade
    words: str
