"""Writes a seeded churn data set: a reference, 26 scored nights, and labels that arrive three days later.

`python -m demo.churn` writes to `data/churn`:

    reference/part-{0,1,2}.parquet             October to December 2025, one part per month, with the label
    production/dt=2026-01-01/part-0.parquet    what the model scored that night, ... up to dt=2026-01-26
    labels/dt=2026-01-01/part-0.parquet        who of that night's customers churned, ... up to dt=2026-01-23

Customers come from three segments, and a night is a mixture of them: the regulars, the younger people whom a
discount campaign brings (slow drift: other customers, same behaviour), and from the 14th night on a new market
(other customers, other behaviour: what keeps a regular drives these away). Each segment has its own relation from
customer to churn; the model is trained on the reference alone, so it is right about the first two and wrong about
the third. The customers of the new market are much alike in what the model looks at, so that its scores alone already
say that it can hardly tell them apart; that it is wrong about them besides, only their labels show.

The same seed gives the same bytes; no clock is read.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.random import Generator
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from pipeline.wording import count

DEFAULT_ROOT = Path(__file__).resolve().parent.parent / "data" / "churn"
DEFAULT_SEED = 7
FIRST_NIGHT = date(2026, 1, 1)
LABELS_THROUGH = date(2026, 1, 23)
REFERENCE_MONTHS = (date(2025, 10, 1), date(2025, 11, 1), date(2025, 12, 1))
REFERENCE_ROWS = 20_000
MODEL_VERSION = "0"  # the versions of the registry begin at 1

NUMERICAL_FEATURES = ["age", "tenure_days", "orders_90d", "average_order_value", "support_tickets_90d"]
CATEGORICAL_FEATURES = ["country", "region", "plan"]
COUNTRIES = ("DE", "FR", "ES", "IT", "NL", "PL", "AT", "SE")
NEW_COUNTRY = "BR"
REGIONS = ("capital", "north", "south", "east", "west")
PLANS = ("basic", "plus", "premium")

SCORED_SCHEMA = pa.schema([
    ("customer_id", pa.string()),
    ("age", pa.int64()),
    ("tenure_days", pa.int64()),
    ("orders_90d", pa.int64()),
    ("average_order_value", pa.float64()),
    ("support_tickets_90d", pa.int64()),
    ("country", pa.string()),
    ("region", pa.string()),
    ("plan", pa.string()),
    ("scored_at", pa.timestamp("us", tz="UTC")),
    ("model_version", pa.string()),
    ("churn_probability", pa.float64()),
    ("prediction", pa.int64()),
])  # fmt: skip
REFERENCE_SCHEMA = SCORED_SCHEMA.append(pa.field("churned", pa.int64()))
LABEL_SCHEMA = pa.schema([("customer_id", pa.string()), ("churned", pa.int64())])

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Relation:
    """Why customers leave: the log-odds of churn to start from, and what one unit of each trait adds."""

    start: float
    log_tenure_years: float
    log_orders: float
    tickets: float
    decades_over_40: float
    cheaper_plan: float


@dataclass(frozen=True)
class Segment:
    """A kind of customer: what they look like and why they leave."""

    age_over_18: float
    tenure_days: float
    orders_90d: float
    order_value: float
    tickets_90d: float
    loyalty: float
    countries: tuple[str, ...]
    regions: tuple[float, ...]
    relation: Relation


@dataclass(frozen=True)
class Scene:
    """What the world is like on one night."""

    shows: str
    campaign: float = 0.0
    new_market: float = 0.0
    broken: bool = False


@dataclass(frozen=True)
class Night:
    """One night as written: what it shows, and its files. `labels` is None while they have not arrived.

    `truth` is who churned, as the labels will say.
    """

    run_date: date
    shows: str
    rows: int
    production: tuple[Path, ...]
    labels: Path | None
    truth: pd.DataFrame = field(repr=False, compare=False)


@dataclass(frozen=True)
class ChurnData:
    """The data set as written."""

    root: Path
    reference: tuple[Path, ...]
    reference_rows: int
    nights: tuple[Night, ...]


USUAL_REASONS = Relation(
    start=-1.25, log_tenure_years=-1.2, log_orders=-0.9, tickets=0.75, decades_over_40=-0.16,
    cheaper_plan=0.35,
)  # fmt: skip
VOUCHER_HUNTERS = Relation(
    start=-1.0, log_tenure_years=0.3, log_orders=1.1, tickets=-0.5, decades_over_40=0.9,
    cheaper_plan=-0.9,
)  # fmt: skip
REGULARS = Segment(
    age_over_18=25, tenure_days=640, orders_90d=4.2, order_value=46, tickets_90d=0.8, loyalty=0.0,
    countries=COUNTRIES, regions=(0.28, 0.22, 0.2, 0.12, 0.18), relation=USUAL_REASONS,
)  # fmt: skip
CAMPAIGN = Segment(
    age_over_18=9, tenure_days=640, orders_90d=4.6, order_value=34, tickets_90d=0.8, loyalty=-0.4,
    countries=COUNTRIES, regions=(0.34, 0.2, 0.18, 0.12, 0.16), relation=USUAL_REASONS,
)  # fmt: skip
NEW_MARKET = Segment(
    age_over_18=20, tenure_days=60, orders_90d=3, order_value=21, tickets_90d=0.05, loyalty=-1.2,
    countries=(NEW_COUNTRY,), regions=(0.32, 0.2, 0.2, 0.12, 0.16), relation=VOUCHER_HUNTERS,
)  # fmt: skip

SCENES = (
    *(Scene("quiet"),) * 6,
    Scene("slow drift", campaign=0.11),
    Scene("slow drift", campaign=0.2),
    Scene("slow drift", campaign=0.28),
    Scene("slow drift", campaign=0.44),
    Scene("broken data", campaign=0.44, broken=True),
    Scene("slow drift", campaign=0.12),
    Scene("slow drift", campaign=0.25),
    Scene("market entry", campaign=0.1, new_market=0.72),
    *(Scene("new market", campaign=0.1, new_market=0.72),) * 12,
)


def write(root: Path = DEFAULT_ROOT, seed: int = DEFAULT_SEED, labels_through: date = LABELS_THROUGH) -> ChurnData:
    """Write the data set under `root`, in place of an earlier one.

    Args:
        root: the folder for `reference/`, `production/` and `labels/`.
        seed: the same seed gives the same bytes.
        labels_through: the last night whose labels have arrived. It decides which label files exist, no more.
    """
    _remove_earlier(root)
    reference = _draw(Scene("reference"), REFERENCE_ROWS, np.random.default_rng(seed))
    reference["customer_id"] = _customer_ids(0, len(reference))
    model = _train(reference)
    parts = _write_reference(root, _score(model, reference), np.random.default_rng([seed, 0]))
    nights = []
    for day, scene in enumerate(SCENES):
        run_date = FIRST_NIGHT + timedelta(days=day)
        drawn = _draw_night(day, scene, model, seed)
        nights.append(_write_night(root, run_date, scene.shows, drawn, has_labels=run_date <= labels_through))
    return ChurnData(root, parts, len(reference), tuple(nights))


def _remove_earlier(root: Path) -> None:
    """Only files of this layout: a part or label of an earlier run must not stay beside the new ones."""
    for pattern in ("reference", "production/dt=*", "labels/dt=*"):
        for folder in root.glob(pattern):
            for part in folder.glob("part-*.parquet"):
                part.unlink()
            if not any(folder.iterdir()):
                folder.rmdir()


def _draw(scene: Scene, rows: int, rng: Generator) -> pd.DataFrame:
    """Customers of a scene in random order, with the truth in `churned`."""
    shares = [1 - scene.campaign - scene.new_market, scene.campaign, scene.new_market]
    counts = rng.multinomial(rows, shares)
    segments = zip((REGULARS, CAMPAIGN, NEW_MARKET), counts, strict=True)
    frame = pd.concat([_draw_segment(segment, int(count), rng) for segment, count in segments if count])
    return frame.iloc[rng.permutation(rows)].reset_index(drop=True)


def _draw_segment(segment: Segment, rows: int, rng: Generator) -> pd.DataFrame:
    age = np.clip(18 + rng.gamma(2.4, segment.age_over_18 / 2.4, rows), 18, 92).round()
    tenure = np.clip(rng.gamma(1.3, segment.tenure_days / 1.3, rows) * (0.55 + age / 95), 1, 5_000).round()
    plan = _draw_plan(segment, tenure, rng)
    engagement = rng.gamma(2.5, 1 / 2.5, rows)
    orders = rng.poisson(segment.orders_90d * engagement * (0.85 + 0.2 * plan))
    tickets = rng.poisson(segment.tickets_90d * rng.gamma(1.5, 1 / 1.5, rows) * (0.7 + 0.06 * orders))
    value = segment.order_value * np.exp(rng.normal(0, 0.5, rows) + 0.18 * plan + 0.006 * (age - 40))
    frame = pd.DataFrame({
        "age": age,
        "tenure_days": tenure.astype(np.int64),
        "orders_90d": orders,
        "average_order_value": np.where(orders > 0, value.round(2), np.nan),
        "support_tickets_90d": tickets,
        "country": _draw_countries(segment.countries, rows, rng),
        "region": rng.choice(np.array(REGIONS, dtype=object), rows, p=segment.regions),
        "plan": np.array(PLANS, dtype=object)[plan],
    })  # fmt: skip
    frame["churned"] = (rng.random(rows) < _churn_probability(segment.relation, frame, plan)).astype(np.int64)
    frame.loc[rng.random(rows) < 0.02, "age"] = np.nan
    return frame


def _draw_plan(segment: Segment, tenure: Floats, rng: Generator) -> NDArray[np.int64]:
    """0, 1 or 2: the longer a customer stays, the bigger the plan."""
    liking = segment.loyalty + 0.8 * np.log1p(tenure / 365) + rng.logistic(0, 0.7, len(tenure))
    return np.digitize(liking, [0.7, 1.8]).astype(np.int64)


def _draw_countries(countries: Sequence[str], rows: int, rng: Generator) -> NDArray[np.object_]:
    """Zipf's law: the second country has half the customers of the first, the third a third."""
    weights = 1 / np.arange(1, len(countries) + 1)
    return rng.choice(np.array(countries, dtype=object), rows, p=weights / weights.sum())


def _churn_probability(relation: Relation, customers: pd.DataFrame, plan: NDArray[np.int64]) -> Floats:
    """The probability that each customer churns."""
    log_odds = (
        relation.start
        + relation.log_tenure_years * np.log1p(customers["tenure_days"] / 365)
        + relation.log_orders * (np.log1p(customers["orders_90d"]) - 1)
        + relation.tickets * customers["support_tickets_90d"]
        + relation.decades_over_40 * (customers["age"] - 40) / 10
        + relation.cheaper_plan * (2 - plan)
    )
    return np.asarray(1 / (1 + np.exp(-log_odds)), dtype=np.float64)


def _customer_ids(first: int, rows: int) -> list[str]:
    return [f"C{number:07d}" for number in range(first, first + rows)]


def _train(reference: pd.DataFrame) -> Pipeline:
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    words = OneHotEncoder(handle_unknown="ignore")
    features = make_column_transformer((numbers, NUMERICAL_FEATURES), (words, CATEGORICAL_FEATURES))
    model = make_pipeline(features, LogisticRegression(max_iter=1_000))
    return model.fit(_features(reference), reference["churned"])


def _score(model: Pipeline, customers: pd.DataFrame) -> pd.DataFrame:
    """Rounded, so that the last bits of a linear algebra library do not reach the files."""
    probability = model.predict_proba(_features(customers))[:, 1].round(4)
    prediction = (probability >= 0.5).astype(np.int64)
    return customers.assign(churn_probability=probability, prediction=prediction, model_version=MODEL_VERSION)


def _features(customers: pd.DataFrame) -> pd.DataFrame:
    numbers = dict.fromkeys(NUMERICAL_FEATURES, "float64")
    return customers[NUMERICAL_FEATURES + CATEGORICAL_FEATURES].astype(numbers)


def _write_reference(root: Path, scored: pd.DataFrame, rng: Generator) -> tuple[Path, ...]:
    parts = np.array_split(np.arange(len(scored)), len(REFERENCE_MONTHS))
    paths = []
    for number, (month, rows) in enumerate(zip(REFERENCE_MONTHS, parts, strict=True)):
        part = scored.iloc[rows]
        part = part.assign(scored_at=_moments(month, 28, len(part), rng))
        paths.append(_write_table(root / "reference" / f"part-{number}.parquet", part, REFERENCE_SCHEMA))
    return tuple(paths)


def _draw_night(day: int, scene: Scene, model: Pipeline, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the model scored on a night, and the truth. A broken export does not change the truth."""
    rng = np.random.default_rng([seed, day + 1])
    customers = _draw(scene, int(rng.integers(3_000, 4_001)), rng)
    customers["customer_id"] = _customer_ids(REFERENCE_ROWS + 5_000 * day, len(customers))
    truth = customers[["customer_id", "churned"]]
    if scene.broken:
        customers = _break(customers, rng)
    moments = _moments(FIRST_NIGHT + timedelta(days=day), 1, len(customers), rng)
    return _score(model, customers).assign(scored_at=moments), truth


def _write_night(
    root: Path, run_date: date, shows: str, drawn: tuple[pd.DataFrame, pd.DataFrame], *, has_labels: bool
) -> Night:
    """Every third night comes in two parts."""
    scored, truth = drawn
    folder = root / "production" / f"dt={run_date}"
    parts = np.array_split(np.arange(len(scored)), 2 if run_date.day % 3 == 0 else 1)
    production = tuple(
        _write_table(folder / f"part-{number}.parquet", scored.iloc[rows], SCORED_SCHEMA)
        for number, rows in enumerate(parts)
    )
    labels = _labels_at(root, run_date) if has_labels else None
    if labels is not None:
        _write_table(labels, truth, LABEL_SCHEMA)
    return Night(run_date, shows, len(scored), production, labels, truth)


def bring_labels(root: Path, night: Night) -> None:
    """Write the labels of a night, as they arrive."""
    _write_table(_labels_at(root, night.run_date), night.truth, LABEL_SCHEMA)


def _labels_at(root: Path, run_date: date) -> Path:
    return root / "labels" / f"dt={run_date}" / "part-0.parquet"


def rescore(nights: Sequence[Night], score: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Write the production of nights again as another model scores it: serving has moved to that one.

    Args:
        nights: as they were written.
        score: fills `churn_probability`, `prediction` and `model_version` of the customers it is given.
    """
    paths = [path for night in nights for path in night.production]
    parts = [pq.ParquetFile(path).read().to_pandas() for path in paths]
    scored = score(pd.concat(parts, ignore_index=True))
    scored["churn_probability"] = scored["churn_probability"].round(4)
    rows = np.split(np.arange(len(scored)), np.cumsum([len(part) for part in parts])[:-1])
    for path, found in zip(paths, rows, strict=True):
        _write_table(path, scored.iloc[found], SCORED_SCHEMA)


def _break(customers: pd.DataFrame, rng: Generator) -> pd.DataFrame:
    """A bad export: refunds booked as orders, addresses not found, a plan misspelt, ids lost or repeated."""
    broken = customers.copy()
    luck = rng.random((5, len(broken)))
    broken.loc[luck[0] < 0.12, "average_order_value"] *= -1
    broken.loc[luck[1] < 0.35, ["country", "region"]] = "unknown"
    broken.loc[(luck[2] < 0.6) & (broken["plan"] == "premium"), "plan"] = "premuim"
    broken.loc[luck[3] < 0.02, "customer_id"] = broken["customer_id"].iloc[0]
    broken.loc[luck[4] < 0.03, "customer_id"] = None
    return broken


def _moments(first_day: date, days: int, rows: int, rng: Generator) -> pd.DatetimeIndex:
    """When the nightly scoring job, which runs from 22:00 to 23:00 UTC, scored each customer."""
    start = datetime.combine(first_day, time(22), tzinfo=UTC)
    day = np.sort(rng.integers(0, days, rows))
    second = rng.integers(0, 3_600, rows)
    return pd.DatetimeIndex(pd.Timestamp(start) + pd.to_timedelta(day * 86_400 + second, unit="s"))


def _write_table(path: Path, frame: pd.DataFrame, schema: pa.Schema) -> Path:
    """One parquet file with exactly the schema's columns and no pandas metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(frame[schema.names], schema=schema, preserve_index=False)
    pq.write_table(table.replace_schema_metadata(None), path)
    return path


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line: write the data set and say what each night shows."""
    parser = argparse.ArgumentParser(prog="python -m demo.churn", description="Write the churn demo data.")
    parser.add_argument("--root", type=Path, default=DEFAULT_ROOT, help="folder (default: data/churn)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help=f"default: {DEFAULT_SEED}")
    options = parser.parse_args(arguments)
    print(f"Training the churn model and writing its nights to {options.root} ...", flush=True)
    data = write(options.root, options.seed)
    print(f"reference   {count(data.reference_rows):>6} rows in {count(len(data.reference), 'file')}")
    for night in data.nights:
        arrived = "labels arrived" if night.labels else "labels later"
        print(f"{night.run_date}  {count(night.rows):>6} rows  {night.shows:<12}  {arrived}")


if __name__ == "__main__":
    main()
