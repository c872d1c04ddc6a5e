"""Ends or halts whoever talks to S3 at a request of one's choice, inside this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pipeline.storage import s3 as s3_client


class Killed(BaseException):
    """The process ends here."""


class Requests:
    """Counts requests to S3 and does at one of them what it is told."""

    def __init__(self) -> None:
        self.count = 0
        self.copies: list[int] = []
        self.manifests: list[int] = []
        self._reached: Callable[[], bool] | None = None
        self._do: Callable[[], None] = lambda: None
        s3_client.client().meta.events.register("before-send.s3", self._sending)

    def _sending(self, request: Any, **_: Any) -> None:
        if self._reached is None:
            return
        self.count += 1
        if "x-amz-copy-source" in request.headers:
            self.copies.append(self.count)
        if request.method == "PUT" and request.url.endswith("/night.json"):
            self.manifests.append(self.count)
        if self._reached():
            self._do()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """All requests of the block, none of them disturbed."""
        with self._watched(lambda: False, lambda: None):
            yield

    @contextmanager
    def killed_at(self, number: int) -> Iterator[None]:
        """The block gets no further than to its n-th request; giving its lease back is not done either."""
        with self._watched(lambda: self.count >= number, _kill), suppress(Killed):
            yield

    @contextmanager
    def killed_at_copy(self, number: int) -> Iterator[None]:
        """The same, where the n-th file would be put into its place."""
        with self._watched(lambda: len(self.copies) >= number, _kill), suppress(Killed):
            yield

    @contextmanager
    def standing_still_at(self, number: int, meanwhile: Callable[[], object]) -> Iterator[None]:
        """Before its n-th request the block stands still for so long that its lease runs out."""

        def stand_still() -> None:
            self._reached = None
            meanwhile()

        with self._watched(lambda: self.count >= number, stand_still):
            yield

    @contextmanager
    def _watched(self, reached: Callable[[], bool], do: Callable[[], None]) -> Iterator[None]:
        self.count, self.copies, self.manifests = 0, [], []
        self._reached, self._do = reached, do
        try:
            yield
        finally:
            self._reached = None


def _kill() -> None:
    raise Killed
