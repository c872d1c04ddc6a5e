"""Where else a night is on record: its runs in MLflow and Airflow, with addresses where people can open them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from pipeline.publish.facts.night import NightView
from pipeline.wording import clip


@dataclass(frozen=True)
class Record:
    """A run somewhere else; `address` is None where nobody said where people open that system."""

    name: str
    run: str
    address: str | None


def records(view: NightView) -> list[Record]:
    """The night's runs, and that of the retraining it asked for."""
    name, found = view.monitor.name, []
    mlflow, airflow = view.runs.mlflow, view.runs.airflow
    if mlflow:
        found.append(_record("MLflow run", mlflow, view.mlflow_url, f"#/runs/{quote(mlflow, safe='')}"))
    if airflow:
        found.append(_record("Airflow run", airflow, view.airflow_url, _run(f"nightly_{name}", airflow)))
    if airflow and view.decision.retrain:
        run = view.retraining_run
        found.append(_record("Retraining in Airflow", run, view.airflow_url, _run(f"retrain_{name}", run)))
    return found


def _record(name: str, run: str, base: str | None, path: str) -> Record:
    return Record(name, clip(run, 250), f"{base.rstrip('/')}/{path}" if base else None)


def _run(dag: str, run: str) -> str:
    return f"dags/{dag}/runs/{quote(run, safe='')}"
