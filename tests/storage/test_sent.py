"""Whether a request has left, when several things are sent at once."""

from __future__ import annotations

import sys

from pipeline.storage.sent import Sent, _blocks, noting_requests


def test_what_is_sent_counts_for_all_of_those_who_look_whoever_ends_meanwhile() -> None:
    class Ending(Sent):
        """Ends just as something is sent, in another thread."""

        @property
        def anything(self) -> bool:
            return True

        @anything.setter
        def anything(self, _: bool) -> None:
            _blocks.remove(self)

    _blocks.append(Ending())
    with noting_requests() as first, noting_requests() as second:
        sys.audit("http.client.send", None, b"")
        assert (first.anything, second.anything) == (True, True)
