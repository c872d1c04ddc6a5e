"""Debian's Prometheus, scraping a Pushgateway every second."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from tests.servers.processes import LOOPBACK, request, require, serving, wait_until
from tests.servers.pushgateway import Sample

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"
CONFIG = """\
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: pushgateway
    honor_labels: true
    static_configs:
      - targets: ["{target}"]
"""


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus, asked through its HTTP API."""

    url: str

    def query(self, promql: str) -> list[Sample]:
        """The instant vector a PromQL expression gives now."""
        answer = json.loads(request("GET", f"{self.url}/api/v1/query?query={quote(promql)}").body)
        if answer["status"] != "success":
            raise AssertionError(f"{promql}: {answer['error']}")
        if answer["data"]["resultType"] != "vector":
            raise AssertionError(f"{promql}: gives a {answer['data']['resultType']}, not a vector")
        return [
            Sample(
                row["metric"].get("__name__", ""),
                {name: value for name, value in row["metric"].items() if name != "__name__"},
                float(row["value"][1]),
            )
            for row in answer["data"]["result"]
        ]

    def wait_for(self, promql: str, timeout: float = 30) -> list[Sample]:
        """The instant vector, once it is not empty; write `metric == 0.4` to wait for a value."""
        deadline = time.monotonic() + timeout
        while not (found := self.query(promql)):
            if time.monotonic() > deadline:
                raise AssertionError(f"{promql}: empty for {timeout:g} s; up is {self.query('up')}")
            time.sleep(0.1)
        return found

    def forget(self) -> None:
        """Delete all history, after one more scrape has marked as stale what the gateway no longer exposes."""
        since = time.time() + 0.01  # Prometheus shifts the times of scrapes by up to 2 ms
        wait_until(lambda: bool(self.query(f"timestamp(up) > {since:.3f}")), "the next scrape", timeout=30)
        selector = quote('{__name__=~".+"}')
        answer = request("POST", f"{self.url}/api/v1/admin/tsdb/delete_series?match[]={selector}")
        if answer.status != 204:
            raise AssertionError(f"deleting the history answered {answer.status}: {answer.body!r}")


@contextmanager
def run_prometheus(directory: Path, pushgateway_url: str) -> Iterator[Prometheus]:
    """Run a Prometheus with an empty store."""
    text = CONFIG.format(target=urlsplit(pushgateway_url).netloc)
    with _running(directory, directory / "prometheus.yml", text) as running:
        yield running


@contextmanager
def run_whole_prometheus(
    directory: Path, pushgateway_url: str, alertmanager_url: str, node_url: str | None = None
) -> Iterator[Prometheus]:
    """Run one with the configuration and the rules of deploy/prometheus, looking every second.

    Args:
        node_url: of a node exporter, in place of what the network's names would give.
    """
    folder = shutil.copytree(FOLDER, directory / "prometheus")
    text = (folder / "prometheus.yml").read_text(encoding="utf-8")
    for service, url in (("pushgateway:9091", pushgateway_url), ("alertmanager:9093", alertmanager_url)):
        text = text.replace(service, urlsplit(url).netloc)
    if node_url is not None:
        found = f"static_configs: [{{targets: [{urlsplit(node_url).netloc!r}]}}]"
        text = re.sub(r"dns_sd_configs: .*", found, text)
    text = re.sub(r"_interval: \w+", "_interval: 1s", text).replace("global:\n", "global:\n  scrape_timeout: 1s\n")
    with _running(directory, folder / "prometheus.yml", text) as running:
        yield running


@contextmanager
def _running(directory: Path, config: Path, text: str) -> Iterator[Prometheus]:
    program = require("prometheus", "prometheus")

    def command(port: int) -> list[str]:
        config.write_text(text.replace("localhost:9090", f"{LOOPBACK}:{port}"), encoding="utf-8")  # itself
        return [
            program,
            f"--config.file={config}",
            f"--storage.tsdb.path={directory / 'prometheus-data'}",
            f"--web.listen-address={LOOPBACK}:{port}",
            "--web.enable-admin-api",
        ]

    with serving(command, health="/-/ready", log=directory / "prometheus.log") as url:
        yield Prometheus(url)
