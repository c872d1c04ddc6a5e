"""Imports what tasks need before their processes are forked, so that none of them pays for it again.

A night of a small model is mostly imports: Great Expectations, Evidently, MLflow. Airflow forks a process for each task
of a LocalExecutor, and for each reading of a DAG file; what the parent has imported, its children have for nothing, in
memory that they share. Imports alone are safe to fork: they open no connection, and no thread of theirs is left.
OpenBLAS ends its own before a fork and starts them again where they are needed.
"""

from __future__ import annotations

import gc
import importlib
import logging
import os
import pkgutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain

import pipeline
from pipeline.config import load_settings
from pipeline.errors import ConfigError

log = logging.getLogger(__name__)

DAG_FILE = (
    "nightjar_airflow.digest",
    "nightjar_airflow.nightly",
    "nightjar_airflow.retrain",
    "nightjar_airflow.wiring",
)
# What Airflow's part in a task and the modules of `pipeline` import only where it is used.
LIBRARIES = (
    "airflow.dag_processing.dagbag",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "boto3",
    "css_inline",
    "duckdb",
    "filelock",
    "great_expectations",
    "mlflow.sklearn",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_store",
    "numpy",
    "pandas",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "scipy.stats",
    "sklearn.ensemble",
    "sklearn.pipeline",
    "skops.io",
)


def is_wanted() -> bool:
    """As `PIPELINE_PRELOAD` says; not where a setting is wrong, which the DAG file tells."""
    try:
        return load_settings(os.environ).preload
    except ConfigError:
        return False


def preload_tasks() -> None:
    """Import what the tasks of a night and of a retraining use; what cannot be imported is left to the task."""
    _preload(chain(LIBRARIES, DAG_FILE, _modules()))
    import numpy as np

    from pipeline.steps.pages import compile_templates

    compile_templates()

    # numpy's own generator is seeded as it is imported: without this, every task would draw the same numbers from it.
    os.register_at_fork(after_in_child=np.random.seed)


def preload_dag_file() -> None:
    """Import what reading the DAG file uses."""
    _preload(DAG_FILE)


def _modules() -> Iterator[str]:
    """Every module of `pipeline` that is no program; whoever asks for the next one imports its package."""
    found = pkgutil.walk_packages(pipeline.__path__, "pipeline.")
    return (module.name for module in found if not module.name.endswith("__main__"))


def _preload(names: Iterable[str]) -> None:
    with _without_arrows_thread(), _without_logs(), _without_collections():
        failed = [name for name in names if not _is_imported(name)]
    if failed:
        log.warning("left to the tasks, as they cannot be imported ahead of them: %s", ", ".join(failed))


def _is_imported(name: str) -> bool:
    try:
        importlib.import_module(name)
    except Exception:  # noqa: BLE001 - what goes wrong in a library must not keep the scheduler from starting
        return False
    return True


@contextmanager
def _without_arrows_thread() -> Iterator[None]:
    """Arrow's allocator has a thread that gives memory back, unless it is told otherwise as it is loaded."""
    name = "JE_ARROW_MALLOC_CONF"
    before = os.environ.get(name)
    os.environ[name] = "background_thread:false"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name)
        else:
            os.environ[name] = before


@contextmanager
def _without_logs() -> Iterator[None]:
    """Great Expectations has thousands of lines to say as it is imported."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def _without_collections() -> Iterator[None]:
    """Imports make millions of objects that stay; looking for circles among them takes a third of the time. Nor does
    anybody look there later: a process that is forked would copy them all.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
