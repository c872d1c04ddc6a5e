"""Four data sets as people publish them, made up: a credit book, orders of three classes, hourly bikes, a survey.

Each is quiet: every night comes from the same world as the reference, with the week and the year that it has. What
differs is what first contact stumbles over: names, identifiers, indexes, times, codes, what models answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from tests.project import Project

FIRST = date(2026, 1, 5)
"""The first night, a Monday."""


@dataclass(frozen=True)
class Shape:
    """A data set. `night` makes the frame of a day, counted from `FIRST`; columns of `later` come with the labels."""

    name: str
    reference: Callable[[], pd.DataFrame]
    night: Callable[[int], pd.DataFrame]
    label: str | None
    id: str | None
    later: tuple[str, ...] = ()

    def production(self, day: int) -> pd.DataFrame:
        """As it is scored: without what comes later."""
        return self.night(day).drop(columns=[*self.later, *filter(None, [self.label])])

    def write(self, project: Project, nights: range, labels: bool = True) -> None:
        """The reference, nights, and the labels of each."""
        project.write_parquet(f"{self.name}/reference/part-0.parquet", self.reference())
        for day in nights:
            folder = f"dt={day_of(day)}/part-0.parquet"
            project.write_parquet(f"{self.name}/production/{folder}", self.production(day))
            if labels and self.label is not None and self.id is not None:
                known = self.night(day)[[self.id, self.label]]
                project.write_parquet(f"{self.name}/labels/{folder}", known)

    def addresses(self, labels: bool = True) -> list[str]:
        """What `init` is told."""
        base = f"data/{self.name}"
        places = ["--reference", f"{base}/reference/", "--production", f"{base}/production/dt={{date}}/"]
        return [*places, "--labels", f"{base}/labels/dt={{date}}/" if labels and self.label and self.id else "-"]


def day_of(day: int) -> date:
    """The date of a night."""
    return FIRST + timedelta(days=day)


def _credit(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng([1, seed])
    income = random.lognormal(10, 0.6, rows)
    tenure = random.integers(0, 72, rows)
    risk = 1 / (1 + np.exp(-(random.normal(0, 1, rows) - (np.log(income) - 10) - tenure / 36)))
    return pd.DataFrame(
        {
            "Unnamed: 0": range(rows),
            "customerId": [f"C{seed:04d}{row:05d}" for row in range(rows)],
            "store_id": random.integers(1, 41, rows),
            "branch_no": random.integers(1000, 9999, rows),
            "age": np.clip(random.normal(42, 12, rows), 18, 95).round(),
            "income": np.where(random.random(rows) < 0.04, np.nan, income.round(2)),
            "tenure": tenure,
            "loans": random.poisson(1.4, rows),
            "plan": random.choice(["basic", "plus", "gold"], rows, p=[0.6, 0.3, 0.1]),
            "is_married": random.choice(["true", "false"], rows),
            "contract_end": pd.Timestamp("2026-06-01") + pd.to_timedelta(random.integers(0, 1500, rows), unit="D"),
            "score": risk,
            "prediction": np.where(risk > 0.5, "bad", "good"),
            "outcome": np.where(random.random(rows) < risk, "bad", "good"),
        }
    )


def _credit_night(day: int) -> pd.DataFrame:
    size = (1400 if day % 7 < 5 else 700) * np.random.default_rng([11, day]).normal(1, 0.08)
    return _credit(int(size), day + 1)


def _orders(rows: int, seed: int, scored: str = "2025-06-01", days: int = 200) -> pd.DataFrame:
    random = np.random.default_rng([2, seed])
    features = random.normal(0, 1, (rows, 3))
    odds = np.exp(np.column_stack((features[:, 0], features[:, 1], features[:, 2] - 0.5)))
    chances = (odds / odds.sum(axis=1, keepdims=True)).round(6)
    chances[:, 2] = 1 - chances[:, 0] - chances[:, 1]
    classes = np.array(["low", "mid", "high"])
    drawn = (random.random((rows, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    keys = random.integers(0, 16**12, (rows, 2))
    return pd.DataFrame(
        {
            "orderGUID": [f"{one % 16**8:08x}-0000-4000-8000-{two:012x}" for one, two in keys],
            "invoice_no": [f"INV-{seed:05d}-{row:06d}" for row in range(rows)],
            "amount": np.exp(features[:, 0] + 3).round(2),
            "weight": features[:, 1] * 2 + 20,
            "distance_km": np.exp(features[:, 2] * 0.7 + 4),
            "country": random.choice(["DE", "FR", "IT", "AT", "PL"], rows, p=[0.4, 0.3, 0.2, 0.08, 0.02]),
            "express": random.random(rows) < 0.2,
            "residual": random.normal(0, 1e-4, rows),
            "scored_at": pd.Timestamp(scored) + pd.to_timedelta(random.random(rows) * days * 86_399, unit="s"),
            "model_version": "7",
            "prob_low": chances[:, 0],
            "prob_mid": chances[:, 1],
            "prob_high": chances[:, 2],
            "prediction": classes[chances.argmax(axis=1)],
            "priority": classes[drawn],
        }
    )


def _orders_night(day: int) -> pd.DataFrame:
    size = int(np.random.default_rng([12, day]).integers(900, 1300))
    return _orders(size, day + 1, str(day_of(day)), 1)


def _bikes(first: int, days: int) -> pd.DataFrame:
    """Days are counted from `FIRST`, negative ones lie before it."""
    random = np.random.default_rng([3, first + 5_000])
    moments = pd.date_range(str(day_of(first)), periods=days * 24, freq="h")
    of_day = np.repeat(random.normal(0, 1, (days, 3)), 24, axis=0)
    hour, month, weekday = (np.asarray(part) for part in (moments.hour, moments.month, moments.weekday))
    warm = 0.5 - 0.3 * np.cos((moments.dayofyear - 20) / 365 * 2 * np.pi) + 0.05 * of_day[:, 0]
    temp = np.clip(warm + 0.05 * np.sin((hour - 9) / 24 * 2 * np.pi) + random.normal(0, 0.02, len(moments)), 0, 1)
    clouds = of_day[:, 1] + random.normal(0, 0.7, len(moments))
    weather = 1 + (clouds > 0.5).astype(int) + (clouds > 1.7)
    busy = np.where(weekday < 5, np.isin(hour, (8, 17, 18)) * 180, np.isin(hour, range(11, 18)) * 120)
    expected = (20 + busy + 120 * temp) / weather
    count = random.poisson(expected)
    return pd.DataFrame(
        {
            "instant": np.arange(len(moments)) + (first + 1_000) * 24 + 1,
            "dteday": moments.normalize(),
            "season": (month % 12) // 3 + 1,
            "mnth": month,
            "hr": hour,
            "holiday": (np.repeat(random.random(days) < 0.03, 24)).astype(int),
            "weekday": weekday,
            "is_weekend": weekday > 4,
            "weathersit": weather,
            "temp": temp.round(2),
            "hum": np.clip(0.6 + 0.1 * of_day[:, 2] + random.normal(0, 0.08, len(moments)), 0, 1).round(2),
            "windspeed": np.clip(random.gamma(2, 0.1, len(moments)), 0, 1).round(4),
            "cnt": count,
            "predicted_cnt": (expected * random.normal(1, 0.1, len(moments))).round(1),
        }
    )


def _survey(rows: int, seed: int, day: date, days: int = 1) -> pd.DataFrame:
    random = np.random.default_rng([4, seed])
    answers = random.choice([1, 2, 3, 4, 5], (rows, 4), p=[0.05, 0.1, 0.25, 0.4, 0.2])
    start = pd.Timestamp(str(day)) + pd.to_timedelta(random.integers(0, 86_400 * days, rows), unit="s")
    return pd.DataFrame(
        {
            "CustomerKey": random.permutation(10**7)[:rows] + 10**6,
            "wave": start.strftime("%Y-%m"),
            "weekday": start.weekday,
            "started_at": start,
            "born_at": pd.Timestamp("1950-01-01") + pd.to_timedelta(random.integers(0, 20_000, rows), unit="D"),
            "region": random.choice(["north", "south", "east", "west"], rows, p=[0.4, 0.3, 0.2, 0.1]),
            **{f"q{place + 1}": answers[:, place] for place in range(4)},
            "q5": np.where(random.random(rows) < 0.3, np.nan, random.integers(0, 11, rows)),
            "minutes": random.lognormal(2, 0.8, rows).round(1),
            "comment": [f"remark {number}" if number % 3 else None for number in random.integers(0, 10**6, rows)],
            "postcode": [f"{number:05d}" for number in random.integers(1_000, 99_999, rows)],
            "satisfied": (answers.mean(axis=1) > 3.5),
            "split": random.choice(["train", "test"], rows),
        }
    )


def _survey_night(day: int) -> pd.DataFrame:
    size = int(np.random.default_rng([14, day]).integers(80, 240) * (1 if day % 7 < 6 else 0.5))
    return _survey(size, day + 1, day_of(day))


CREDIT = Shape("credit", lambda: _credit(6_000, 0), _credit_night, "outcome", "customerId")
ORDERS = Shape("orders", lambda: _orders(8_000, 0), _orders_night, "priority", "orderGUID")
BIKES = Shape("bikes", lambda: _bikes(-365, 365), lambda day: _bikes(day, 1), "cnt", "instant")
SURVEY = Shape(
    "survey", lambda: _survey(3_000, 0, day_of(-120), 120), _survey_night, None, "CustomerKey", ("satisfied", "split")
)
SHAPES = (CREDIT, ORDERS, BIKES, SURVEY)
