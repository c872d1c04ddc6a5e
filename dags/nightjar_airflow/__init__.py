"""Nightjar in Airflow: a DAG file of two lines builds the DAGs of all monitors.

from nightjar_airflow import build_dags

build_dags()
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import DAG

__all__ = ["build_dags"]


def build_dags() -> list[DAG]:
    """A nightly and a retraining DAG for each monitor, and the digest; while a task starts, only its own.

    Airflow finds them by itself, as DAGs of the file that calls this. A monitor file that is wrong is a DAG that fails.

    Raises:
        ConfigError: a variable is wrong. Airflow shows it as an import error of the DAG file.
        ImportError: there is no Airflow that fits.
    """
    # Here, as every process of Airflow imports this package for its plugin.
    from pipeline.config import load_settings

    try:
        from nightjar_airflow import digest, nightly, retrain
        from nightjar_airflow.wiring import read_monitors
    except ImportError as error:
        if (error.name or "").split(".")[0] != "airflow":
            raise
        needed = "Airflow 3.3 with its standard provider, the extra 'airflow' of this package"
        raise ImportError(f"Nightjar's DAGs need {needed} ({error})", name=error.name) from error
    settings = load_settings(os.environ)
    found = read_monitors(settings)
    return [*nightly.build(found, settings), *retrain.build(found, settings), *digest.build(settings)]
