"""moto's server with one request at a time.

It looks at a condition of a write and then writes, in two steps, so that of two writers at once both may find it true.
On S3 one of them fails, and leases are built on that.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable
from typing import Any

from moto import server
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

_IN_TURN = threading.Lock()


class _InTurn(DomainDispatcherApplication):  # type: ignore[misc]  # moto is not typed
    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # Read first: a client that stands still in the middle of its request holds nobody up.
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        with _IN_TURN:
            return list(super().__call__(environ, start_response))


if __name__ == "__main__":
    server.DomainDispatcherApplication = _InTurn
    server.main()
