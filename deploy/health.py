"""Health check of our containers, which have no curl: exit 0 when the address answers, else 1 with the reason.

`python deploy/health.py URL` asks for any answer below 400. `python deploy/health.py URL COMPONENT` reads Airflow's
`/api/v2/monitor/health` and asks for that component to be healthy: the DAG processor and the triggerer serve no
address of their own, and `airflow jobs check` costs five seconds of CPU each time.
"""

from __future__ import annotations

import json
import sys
import urllib.request


def problem(url: str, component: str | None = None) -> str | None:
    """What is wrong, or None."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310  # the address stands in our compose file
            body = response.read()
    except OSError as error:
        return f"{url}: {error}"
    if component is None:
        return None
    status = json.loads(body).get(component, {}).get("status")
    return None if status == "healthy" else f"{component}: {status}"


def main() -> None:
    """Check the address on the command line."""
    sys.exit(problem(*sys.argv[1:]))


if __name__ == "__main__":
    main()
