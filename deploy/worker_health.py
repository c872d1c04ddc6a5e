"""Health check of a Celery worker: exit 0 when this machine's own answers over the broker, else 1 with the reason.

`python deploy/worker_health.py FILE` reads the broker's address from a file. `celery inspect ping` asks the same
with all of Airflow loaded, which costs seconds of CPU each time.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

SECONDS = 5.0


def problem(broker: str) -> str | None:
    """What is wrong, or None; it does not quote the address, which has a password."""
    from celery import Celery
    from kombu.exceptions import OperationalError

    name = f"celery@{socket.gethostname()}"
    app = Celery(broker=broker)
    app.conf.broker_transport_options = {"socket_connect_timeout": SECONDS, "max_retries": 1}
    try:
        answers = app.control.ping(destination=[name], timeout=SECONDS, limit=1)
    except OperationalError as error:
        return f"the broker does not answer ({type(error.__cause__ or error).__name__})"
    return None if answers else f"{name} does not answer within {SECONDS:g} s"


def main() -> None:
    """Check the worker on this machine."""
    sys.exit(problem(Path(sys.argv[1]).read_text(encoding="ascii").strip()))


if __name__ == "__main__":
    main()
