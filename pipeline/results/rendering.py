"""What became of the files that people and programs read of a night."""

from __future__ import annotations

from typing import ClassVar

from pipeline.results.base import Failure, Kept


class Rendering(Kept):
    """Files and pages of a night that could not be made. It is no part of the published night."""

    file: ClassVar[str] = "rendering"

    failures: tuple[Failure, ...] = ()
