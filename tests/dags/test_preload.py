"""What the scheduler imports ahead of its tasks: all that a night uses, and nothing that a fork would break."""

from __future__ import annotations

import json
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from tests.dags.conftest import run_python
from tests.project import Project

pytestmark = pytest.mark.slow

NIGHT = """
import gc, json, os, sys
from pathlib import Path
from datetime import date
import psutil
from nightjar_airflow.preload import preload_tasks

preload_tasks()
result, known, me = Path(sys.argv[1]), set(sys.modules), psutil.Process()
told = {"connections": len(me.net_connections()), "arrows": os.environ.get("JE_ARROW_MALLOC_CONF"), "draws": []}
threads = {Path(f"/proc/self/task/{task.id}/comm").read_text().strip() for task in me.threads()}
told["threads"], told["left_alone"] = sorted(threads), gc.get_freeze_count()


def forked(work):
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, json.dumps(work()).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        found = json.loads(answer.read())
    os.wait()
    return found


def night():
    from pipeline.steps.night import open_night
    from pipeline.steps.walk import run_night

    sys.stdout = sys.stderr
    outcome = run_night(open_night("people", date(2026, 1, 14)), lambda _: None)
    return [outcome.decision.status, sorted(set(sys.modules) - known)]


def draw():
    import numpy as np

    return np.random.rand()


forked(night)  # which has Evidently make the page that later nights of its version are reported in
told["status"], told["imported"] = forked(night)
told["threads_after"] = me.num_threads()
told["draws"] = [forked(draw), forked(draw)]
result.write_text(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process was like that had preloaded, and a night in its child."""
    folder = tmp_path_factory.mktemp("preload")
    project, result = Project(folder / "project"), folder / "told.json"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in project.environment().items():
            patch.setenv(name, value)
        project.complete(drifted=True)
    done = run_python(folder, project.environment(), "-c", NIGHT, str(result))
    assert result.exists(), done.stdout[-3_000:] + done.stderr[-3_000:]
    found: dict[str, Any] = json.loads(result.read_text())
    return found


def test_a_night_in_a_forked_process_imports_hardly_anything(told: dict[str, Any]) -> None:
    assert told["status"] == "drifted"
    assert len(told["imported"]) < 20, told["imported"]


def test_what_is_forked_is_one_thread_without_connections(told: dict[str, Any]) -> None:
    assert told["connections"] == 0
    assert set(told["threads"]) <= {"python", Path(sys.executable).name[:15]}  # OpenBLAS' own
    assert told["threads_after"] == 1  # which it ends before a fork
    assert told["arrows"] is None


def test_nobody_looks_for_circles_among_what_is_imported(told: dict[str, Any]) -> None:
    assert told["left_alone"] > 500_000


def test_no_two_tasks_draw_the_same_numbers(told: dict[str, Any]) -> None:
    assert len(set(told["draws"])) == 2


CASES: list[tuple[str, str, dict[str, str], list[str]]] = [
    ("scheduler", "LocalExecutor", {}, ["tasks"]),
    ("scheduler", "LocalExecutor,KubernetesExecutor", {}, ["tasks"]),
    ("scheduler", "KubernetesExecutor", {}, []),
    ("scheduler", "LocalExecutor", {"PIPELINE_PRELOAD": "false"}, []),
    ("scheduler", "LocalExecutor", {"PIPELINE_STORE": "ftp://nowhere"}, []),
    ("dag-processor", "KubernetesExecutor", {}, ["DAG file"]),
    ("dag-processor", "LocalExecutor", {"PIPELINE_PRELOAD": "false"}, []),
    ("triggerer", "LocalExecutor", {}, []),
    ("api-server", "LocalExecutor", {}, []),
]
STARTS = """
import json, os, sys

before = {"pandas", "pipeline.config", "nightjar_airflow.nightly"} - set(sys.modules)
from nightjar_airflow import plugin

told = {"heavy": sorted(before & set(sys.modules)), "preloaded": []}
cases = json.loads(sys.argv[2])
from nightjar_airflow import preload

for command, executor, variables, _ in cases:
    found = []
    preload.preload_tasks = lambda: found.append("tasks")
    preload.preload_dag_file = lambda: found.append("DAG file")
    sys.argv[1:2], left = [command], sys.argv[1]
    os.environ |= {"AIRFLOW__CORE__EXECUTOR": executor, **variables}
    plugin.NightjarPlugin.listeners[0].on_starting(component=object())
    sys.argv[1:2] = [left]
    for name in variables:
        del os.environ[name]
    told["preloaded"].append(found)

import importlib, logging
importlib.reload(preload)
lines = []
logging.getLogger(preload.__name__).addHandler(logging.Handler())
logging.getLogger(preload.__name__).handlers[-1].emit = lambda record: lines.append(record.getMessage())
preload.DAG_FILE = ("nightjar_airflow.nightly", "no_such_module")
preload.preload_dag_file()
told["said"] = lines
open(sys.argv[1], "w").write(json.dumps(told))
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What was preloaded as each of the components started, and what importing the plugin alone costs."""
    folder = tmp_path_factory.mktemp("starts")
    result = folder / "told.json"
    done = run_python(folder, Project(folder / "project").environment(), "-c", STARTS, str(result), json.dumps(CASES))
    assert result.exists(), done.stdout[-3_000:] + done.stderr[-3_000:]
    found: dict[str, Any] = json.loads(result.read_text())
    return found


def test_only_what_forks_preloads_and_only_where_that_is_wanted(started: dict[str, Any]) -> None:
    assert started["preloaded"] == [expected for *_, expected in CASES]


def test_every_other_process_of_airflow_imports_next_to_nothing(started: dict[str, Any]) -> None:
    assert started["heavy"] == []


def test_what_cannot_be_imported_is_left_to_the_task(started: dict[str, Any]) -> None:
    assert started["said"] == ["left to the tasks, as they cannot be imported ahead of them: no_such_module"]


def test_airflow_finds_the_plugin_by_itself() -> None:
    (found,) = (point for point in entry_points(group="airflow.plugins") if point.name == "nightjar")
    assert found.value == "nightjar_airflow.plugin:NightjarPlugin"
