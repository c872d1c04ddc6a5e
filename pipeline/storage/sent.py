"""Whether an HTTP request has left: who got none of it can be asked again, who got it may have done what it says.

Libraries that send messages do not tell. Python does, in an audit event of its HTTP client, once there is a connection.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Sent:
    """What has left in a block: `anything` at all."""

    anything = False


_blocks: list[Sent] = []


def _watch(event: str, _: tuple[Any, ...], blocks: list[Sent] = _blocks) -> None:
    if event == "http.client.send":
        for block in tuple(blocks):  # as others end meanwhile, the list itself would pass one over
            block.anything = True


sys.addaudithook(_watch)


@contextmanager
def noting_requests() -> Iterator[Sent]:
    """A block, and whether something of an HTTP request was sent meanwhile, by whatever thread: libraries have some."""
    block = Sent()
    _blocks.append(block)
    try:
        yield block
    finally:
        _blocks.remove(block)
