"""Throws an exception into any function of ours, at the moment it is called, in whatever thread."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pipeline

ROOT = Path(pipeline.__file__).parent
SAID = "a value from the data: 4711-0815"


class Foreign(Exception):
    """Of a kind that nothing of ours knows."""


def seam_of(code: CodeType) -> str | None:
    """`checks/drift/shape.py:shape_of`; None for what is not ours, or no function with a name."""
    path = Path(code.co_filename)
    if code.co_name.startswith("<") or not path.is_relative_to(ROOT):
        return None
    return f"{path.relative_to(ROOT)}:{code.co_qualname}"


class _Watch:
    """Sees every call of ours; raises at the chosen one, once."""

    def __init__(self, seam: str | None) -> None:
        self.seen: dict[str, None] = {}
        self.thrown = False
        self._seam = seam
        self._known: dict[CodeType, str | None] = {}

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call":
            return
        code = frame.f_code
        if code not in self._known:
            self._known[code] = seam_of(code)
        seam = self._known[code]
        if seam is None:
            return
        self.seen.setdefault(seam)
        if seam == self._seam and not self.thrown:
            self.thrown = True
            raise Foreign(SAID)


@contextmanager
def watched(seam: str | None = None) -> Iterator[_Watch]:
    """Every function that the block calls is noted; the chosen one raises when it is called first."""
    watch = _Watch(seam)
    threading.setprofile(watch)
    sys.setprofile(watch)
    try:
        yield watch
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
