"""Stands for the image of Grafana: it shows nothing, and is well where Grafana would find its files and Prometheus."""

from __future__ import annotations

import os
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

PROVISIONING = Path("/etc/grafana/provisioning")


def look() -> None:
    """Whatever Grafana needs, as its variables and its files name it.

    Raises:
        OSError: it is not there.
    """
    for name in ("GF_SECURITY_ADMIN_PASSWORD__FILE", "GF_SECURITY_SECRET_KEY__FILE"):
        Path(os.environ[name]).read_text()
    Path(os.environ["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).read_text()
    sources = [yaml.safe_load(path.read_text())["datasources"] for path in (PROVISIONING / "datasources").iterdir()]
    (prometheus,) = (source for found in sources for source in found if source.get("isDefault"))  # others are optional
    urllib.request.urlopen(f"{prometheus['url']}/-/ready", timeout=5).close()


class Health(BaseHTTPRequestHandler):
    """Answers whether all is there."""

    def do_GET(self) -> None:
        """Called for each request."""
        try:
            look()
        except OSError as error:
            self.send_error(503, str(error))
        else:
            self.send_response(200)
            self.end_headers()


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", 3000), Health).serve_forever()
