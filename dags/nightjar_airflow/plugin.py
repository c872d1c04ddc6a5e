"""What Airflow loads of Nightjar in each of its processes, by the entry point `airflow.plugins` of this package."""

from __future__ import annotations

import multiprocessing
import sys

from airflow.configuration import conf
from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin


class Preloading:
    """A listener that imports ahead of the processes which a component forks, unless `PIPELINE_PRELOAD` says not to.

    Where an executor has processes of its own for tasks, as that of Kubernetes, there is nothing to be gained.
    """

    @hookimpl
    def on_starting(self, component: object) -> None:
        """Called by Airflow as a component starts, before it forks anything."""
        command = sys.argv[1:2]
        if command != ["dag-processor"] and not (command == ["scheduler"] and _forks_tasks()):
            return
        from nightjar_airflow import preload

        if preload.is_wanted():
            work = preload.preload_tasks if command == ["scheduler"] else preload.preload_dag_file
            work()


def _forks_tasks() -> bool:
    return "LocalExecutor" in conf.get("core", "executor") and multiprocessing.get_start_method() == "fork"


class NightjarPlugin(AirflowPlugin):
    """Nightjar's part in every process of Airflow."""

    name = "nightjar"
    listeners = [Preloading()]  # noqa: RUF012 - as the base class has it
