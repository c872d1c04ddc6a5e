"""A small site: two monitors over three nights and a retraining, one with hostile names, served on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.cli.page_server import LOOPBACK, server
from pipeline.results import RetrainResult
from pipeline.steps import pages as pages_over_nights
from pipeline.steps import views
from pipeline.steps.walk import run_night
from tests.project import Project, people
from tests.publish.retrainings import retraining

DAYS = ("2026-01-12", "2026-01-13", "2026-01-14")
HOSTILE = (
    "</script><script>alert(1)</script>",
    '" onmouseover="alert(1)" x="',
    "{{7*7}}{% for %}",
    "\u202eright to left\u202c \u05e9\u05dc\u05d5\u05dd",
    "x" * 300,
    "'; alert(1); //<img src=x onerror=alert(1)>",
)


@dataclass(frozen=True)
class Site:
    """A served store: `url` ends with a slash."""

    url: str
    store: Path

    def page(self, path: str) -> str:
        return self.url + path


@contextmanager
def served(store: Path) -> Iterator[Site]:
    """Serve a store as `python -m pipeline serve` does."""
    with server(str(store), 0) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield Site(f"http://{LOOPBACK}:{running.server_port}/", store)
        finally:
            running.shutdown()
            thread.join()


def hostile(rows: int, seed: int, drifted: bool = False) -> pd.DataFrame:
    """`people` with two more columns of every hostile name, one of them with hostile categories."""
    frame = people(rows, seed, older=30 * drifted)
    for place, name in enumerate(HOSTILE):
        if place % 2:
            frame[name] = frame["age"] * (place + 1)
        else:
            order = HOSTILE[::-1] if drifted else HOSTILE
            frame[name] = pd.Series([order[min(int(age) // 15, len(order) - 1)] for age in frame["age"]])
    return frame


def _write(project: Project) -> None:
    expectations: list[dict[str, Any]] = [
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "id"}, "severity": "critical"},
        *(
            {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": name, "value_set": ["no"]}}
            for name in HOSTILE
        ),
    ]
    project.write_suite()
    project.write_monitor()
    project.write_suite("hostile", expectations)
    project.write_monitor(
        "hostile",
        description=HOSTILE[0] * 3,
        owner=HOSTILE[1],
        quality={"suite": "hostile"},
        snapshots={"reference": "data/hostile/reference/", "production": "data/hostile/dt={date}/"},
    )
    project.write_parquet("hostile/reference/part-0.parquet", hostile(2_000, 0))
    for seed, day in enumerate(DAYS, start=1):
        project.write_night(day, drifted=day == DAYS[1], seed=seed)
        project.write_parquet(f"hostile/dt={day}/part-0.parquet", hostile(1_500, seed, drifted=day != DAYS[0]))
    broken = people(1_500, 3)
    broken.loc[0, "id"] = None
    project.write_parquet(f"production/dt={DAYS[2]}/part-0.parquet", broken)


def _retraining(name: str) -> RetrainResult:
    """What came of the drifted night's retraining: not trained here, as the page is what matters."""
    return retraining("promoted", date.fromisoformat(DAYS[1])).model_copy(update={"monitor": name})


def _hostile_retraining() -> RetrainResult:
    """A rejected one in which every text is hostile."""
    found = retraining("rejected", date.fromisoformat(DAYS[1]))
    evaluation = found.evaluation
    assert evaluation is not None
    segments = tuple(
        part.model_copy(update={"column": name, "value": name})
        for part, name in zip(evaluation.segments, HOSTILE, strict=True)
    )
    checks = tuple(check.model_copy(update={"sentence": HOSTILE[0]}) for check in evaluation.checks)
    texts = {"reason": HOSTILE[0], "verdict": HOSTILE[5], "told": HOSTILE[1], "monitor": "hostile"}
    return found.model_copy(
        update={**texts, "evaluation": evaluation.model_copy(update={"segments": segments, "checks": checks})}
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The small site."""
    project = Project(tmp_path_factory.mktemp("site") / "project")
    _write(project)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in project.environment().items():
            patch.setenv(name, value)
        for name in ("people", "hostile"):
            for day in DAYS:
                night = project.night(day, name)
                outcome = run_night(night, lambda _: None)
                assert outcome.decision is not None, outcome.errors
        for result in (_retraining("people"), _hostile_retraining()):
            night = project.night(DAYS[1], result.monitor)
            pages_over_nights.publish_retraining(night, result)
        assert views.measured_night(project.night(DAYS[1])).decision.status == "drifted"
        assert views.measured_night(project.night(DAYS[2])).decision.status == "data_broken"
    with served(project.store) as running:
        yield running


@pytest.fixture(scope="module")
def large_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The page of a fleet of 500 monitors with 30 nights each, in every state."""
    from pipeline.publish.facts.fleet import Watched
    from pipeline.publish.pages import fleet_page
    from tests.publish import samples
    from tests.publish.nights import past

    history = past(30)
    healthy = history[0].model_copy(update={"run_date": history[-1].run_date + timedelta(days=1)})
    fleet = [
        Watched(
            samples.monitor(f"model-{place:03d}").model_copy(update={"owner": f"team-{place % 7}@example.com"}),
            (*history, healthy) if place % 3 else history[: 30 - place % 20],
        )
        for place in range(500)
    ]
    store = tmp_path_factory.mktemp("large")
    (store / "index.html").write_bytes(fleet_page(fleet))
    with served(store) as running:
        yield running
