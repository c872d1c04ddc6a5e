"""A small world for the loop: people whose relation to the label is one thing at home and another one abroad."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.results import RetrainResult
from pipeline.steps.night import Night
from tests.project import Project

FIRST = date(2026, 1, 1)
COLUMNS = {
    "id": "id",
    "label": "label",
    "prediction": "prediction",
    "score": "score",
    "numerical": ["age", "income", "score"],
    "categorical": ["city", "prediction"],
}


def people(rows: int, seed: int, abroad: float = 0.0) -> pd.DataFrame:
    """Rows in random order with the truth in `label`; `abroad` is the share of people for whom old rules are wrong.

    `score` and `prediction` are what a model logged that knows home only.
    """
    random = np.random.default_rng(seed)
    foreign = random.random(rows) < abroad
    age = np.clip(random.normal(np.where(foreign, 62, 40), 8, rows), 0, 120)
    income = random.lognormal(np.where(foreign, 9.0, 10.0), 0.3, rows)
    known = 1 / (1 + np.exp(-(age - 45) / 4))
    truth = np.where(foreign, 1 / (1 + np.exp((income / np.exp(9.0) - 1) * 6)), known)
    home = random.choice(["Bern", "Graz", "Lyon"], rows, p=[0.5, 0.3, 0.2])
    return pd.DataFrame(
        {
            "id": [f"{seed}-{row}" for row in range(rows)],
            "age": age,
            "income": income,
            "city": np.where(foreign, "Porto", home),
            "score": known,
            "prediction": (known > 0.5).astype("int64"),
            "label": (random.random(rows) < truth).astype("int64"),
        }
    )


class World:
    """A project whose nights come with labels the day after."""

    def __init__(self, project: Project, **retrain: Any) -> None:
        self.project = project
        self.store = Path(project.store)
        project.write_suite()
        self.write_monitor(**retrain)
        project.write_parquet("reference/part-0.parquet", people(600, seed=0))
        project.write_parquet("reference/part-1.parquet", people(600, seed=10_000))

    def write_monitor(self, **retrain: Any) -> None:
        """The monitor, with changes to its `retrain` section; `columns` replaces keys, `notify` and `drift` all."""
        columns = COLUMNS | retrain.pop("columns", {})
        self.project.write_monitor(
            snapshots={
                "reference": "champion",
                "initial": "data/reference/",
                "production": "data/production/dt={date}/",
                "labels": "data/labels/dt={date}/",
            },
            columns=columns,
            performance={"label_delay_days": 1},
            notify=retrain.pop("notify", {}),
            drift=retrain.pop("drift", {}),
            retrain={"min_labelled_rows": 100, "max_rows": 2_000, "window_days": 6, "time_limit_minutes": 5} | retrain,
        )

    def write_night(
        self,
        number: int,
        abroad: float = 0.0,
        labels: bool = True,
        rows: int = 400,
        label: str = "label",
        score: Callable[[pd.DataFrame], pd.DataFrame] = lambda rows: rows,
    ) -> None:
        """What production scored on a day (counted from 1), and the truth."""
        day = FIRST + timedelta(days=number - 1)
        found = people(rows, seed=number, abroad=abroad)
        production = score(found.drop(columns=label))
        self.project.write_parquet(f"production/dt={day}/part-0.parquet", production)
        if labels:
            self.project.write_parquet(f"labels/dt={day}/part-0.parquet", found[["id", label]])

    def spoil_night(self, number: int) -> None:
        """Ages that nobody reaches."""
        day = FIRST + timedelta(days=number - 1)
        path = self.project.root / f"data/production/dt={day}/part-0.parquet"
        pd.read_parquet(path).assign(age=500.0).to_parquet(path)

    def write_nights(self, *abroad: float) -> None:
        """One night after the other from the first on."""
        for number, share in enumerate(abroad, 1):
            self.write_night(number, share)

    def night(self, number: int) -> Night:
        """The night of a day, counted from 1."""
        return self.project.night(str(FIRST + timedelta(days=number - 1)))


def wait_for(condition: Callable[[], bool]) -> None:
    """Until something another process does has happened; a minute at most."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_gone(pid: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def retrained(night: Night) -> RetrainResult | None:
    """What was published of the night's retraining."""
    return night.retraining_on(night.run_date)
