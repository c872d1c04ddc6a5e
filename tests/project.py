"""A small project in a temporary folder: monitor files, suites and parquet files."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from pipeline.config import Settings
from pipeline.steps.night import Night, open_night

SUITE: list[dict[str, Any]] = [
    {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "id"}, "severity": "critical"},
    {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "age", "min_value": 0, "max_value": 120},
        "severity": "critical",
    },
]


class Project:
    """`monitors/`, `expectations/` and `data/` below one folder; the store and the cache beside them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("monitors", "expectations", "data"):
            (root / folder).mkdir(parents=True)

    def environment(self) -> dict[str, str]:
        """The variables that make this project the one in use, with trainers among the tests."""
        return {"PIPELINE_HOME": str(self.root), "PIPELINE_CALLABLES": "pipeline.,examples.,tests."}

    @property
    def store(self) -> Path:
        return self.root / "var" / "store"

    @property
    def settings(self) -> Settings:
        return Settings(home=self.root)

    def write_text(self, relative: str, text: str) -> Path:
        path = self.root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def write_suite(self, name: str = "people", expectations: list[dict[str, Any]] | None = None) -> Path:
        suite = {"name": name, "expectations": SUITE if expectations is None else expectations}
        return self.write_text(f"expectations/{name}.json", json.dumps(suite, indent=2))

    def write_monitor(self, name: str = "people", **changes: Any) -> Path:
        """A monitor of `people()` data; keyword arguments replace whole sections."""
        monitor: dict[str, Any] = {
            "name": name,
            "owner": "team@example.com",
            "snapshots": {
                "reference": "data/reference/",
                "production": "data/production/dt={date}/",
                "labels": "data/labels/dt={date}/",
            },
            "columns": {"id": "id", "label": "label", "prediction": "prediction", "score": "score"},
            "quality": {"suite": "people"},
            "performance": {"label_delay_days": 7},
        }
        return self.write_text(f"monitors/{name}.yaml", yaml.safe_dump(monitor | changes, sort_keys=False))

    def write_parquet(self, relative: str, frame: pd.DataFrame) -> Path:
        path = self.root / "data" / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(path, index=False)
        return path

    def write_night(self, day: str = "2026-01-14", drifted: bool = False, seed: int = 1) -> None:
        """A reference, and a production snapshot of a day."""
        self.write_parquet("reference/part-0.parquet", people(2_000, seed=0))
        self.write_parquet(f"production/dt={day}/part-0.parquet", people(1_500, seed=seed, older=30 * drifted))

    def write_labels(self, day: str = "2026-01-07", rows: int = 500) -> None:
        """A production snapshot of a day, and labels of all its rows."""
        self.write_parquet(f"production/dt={day}/part-0.parquet", people(rows, 5))
        self.write_parquet(f"labels/dt={day}/part-0.parquet", people(rows, 5)[["id", "label"]])

    def complete(self, day: str = "2026-01-14", drifted: bool = False, **changes: Any) -> Night:
        """A project with one monitor and one night's data, ready to run."""
        self.write_suite()
        self.write_monitor(**changes)
        self.write_night(day, drifted)
        return self.night(day)

    def night(self, day: str = "2026-01-14", name: str = "people") -> Night:
        """The night, with settings from the environment."""
        return open_night(name, date.fromisoformat(day))


def people(rows: int, seed: int, older: float = 0.0) -> pd.DataFrame:
    """Four compared columns: age, income, city and the score; `older` moves age and the score."""
    random = np.random.default_rng(seed)
    age = np.clip(random.normal(40 + older, 10, rows), 0, 120)
    score = 1 / (1 + np.exp(-(age - 45) / 10))
    return pd.DataFrame(
        {
            "id": [f"{seed}-{row}" for row in range(rows)],
            "age": age,
            "income": random.lognormal(10, 0.5, rows),
            "city": random.choice(["Bern", "Graz", "Lyon"], rows, p=[0.5, 0.3, 0.2]),
            "score": score,
            "prediction": (score > 0.5).astype("int64"),
            "label": (random.random(rows) < score).astype("int64"),
        }
    )
