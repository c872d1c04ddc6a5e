"""A real Prometheus with all of deploy/prometheus, which scraped what nights left at a real Pushgateway.

First the night of the demo on which everything happens, and the retraining that it asks for; then everything that is
ever pushed.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from demo import churn
from pipeline.steps.night import open_night
from pipeline.steps.walk import run_night
from tests.deploy.troubles import push_troubles
from tests.publish.gauges.pushes import push_all
from tests.servers.alertmanager import run_alertmanager
from tests.servers.node_exporter import run_node_exporter
from tests.servers.processes import wait_until
from tests.servers.prometheus import Prometheus, run_whole_prometheus
from tests.servers.pushgateway import Pushgateway, run_pushgateway

ROOT = Path(__file__).parents[2]
DEMO = "churn"
FALL = date(2026, 1, 14)


@dataclass(frozen=True)
class Filled:
    """What answers queries."""

    prometheus: Prometheus
    gateway: Pushgateway

    def series(self, promql: str) -> int:
        """How many series a query returns for all monitors, with the variables as Grafana would fill them in."""
        names = [sample.labels["monitor"] for sample in self.prometheus.query("model_monitor_info")]
        several = "|".join(sorted(names))
        promql = re.sub(r'=~?"\$monitor"', f'=~"{several}"', promql)
        return len(self.prometheus.query(re.sub(r'"\$(environment|owner)"', '".*"', promql)))


@contextmanager
def run_demo(folder: Path) -> Iterator[Filled]:
    """After the demo's night."""
    with ExitStack() as running:
        gateway = running.enter_context(run_pushgateway(folder))
        alertmanager = running.enter_context(run_alertmanager(folder, "127.0.0.1:9"))
        node = running.enter_context(run_node_exporter(folder))
        patch = running.enter_context(pytest.MonkeyPatch.context())
        _nights(folder, patch, gateway)
        prometheus = running.enter_context(run_whole_prometheus(folder, gateway.url, alertmanager.url, node))
        found = Filled(prometheus, gateway)
        _settle(found)
        yield found


def fill(demo: Filled) -> Filled:
    """Push everything that is ever pushed, under many names; the demo's monitor is one of them."""
    push_all(demo.gateway.url)
    push_troubles(demo.gateway.url)
    _settle(demo)
    return demo


def _settle(found: Filled) -> None:
    """Until everything was scraped and rules evaluated with what is there now, and often enough for a rate."""
    since = time.time() + 1
    scraped = f"min(timestamp(up)) > {since:.3f} and min(count_over_time(up[1m])) >= 3"
    wait_until(lambda: bool(found.prometheus.query(scraped)), "scrapes of all", timeout=60)
    evaluated = f"min(prometheus_rule_group_last_evaluation_timestamp_seconds) > {since + 1:.3f}"
    wait_until(lambda: bool(found.prometheus.query(evaluated)), "rules evaluated", timeout=60)


def _nights(folder: Path, patch: pytest.MonkeyPatch, gateway: Pushgateway) -> None:
    for kind in ("monitors", "expectations"):
        shutil.copytree(ROOT / kind, folder / kind)
    file = folder / "monitors" / f"{DEMO}.yaml"
    file.write_text(file.read_text().replace("max_rows: 15000", "max_rows: 2000"))  # as good a retraining, and quicker
    told: Mapping[str, str] = {
        "PIPELINE_HOME": str(folder),
        "PIPELINE_PUSHGATEWAY_URL": gateway.url,
        "PIPELINE_REPORT_BASE_URL": "https://localhost:8081",
        "PIPELINE_ENVIRONMENT": "production",
    }
    for name, value in told.items():
        patch.setenv(name, value)
    patch.delenv("MLFLOW_TRACKING_URI", raising=False)
    churn.write(folder / "data" / "churn", labels_through=date(2026, 1, 11))
    outcome = run_night(open_night(DEMO, FALL), lambda _: None, retrains=True)
    assert outcome.errors == ()
