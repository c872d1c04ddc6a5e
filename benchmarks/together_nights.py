"""Made-up nights whose columns go together: without a change, and with changes that no single column shows.

python -m benchmarks.together_nights FOLDER ROWS WIDTH    both sides of a column of lists, of so many numbers each
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.checks.together.measure import measure
from pipeline.config import TogetherPolicy
from pipeline.results import Kind, TogetherResult

Random = np.random.Generator
Columns = dict[str, np.ndarray]
Draw = Callable[[Random, int], Columns]


@dataclass(frozen=True)
class Setting:
    """Nights of `rows` rows, drawn alike but for `varies`: by how much of a deviation the correlation of the first two
    columns moves from night to night. The reference has `reference` rows.
    """

    name: str
    draw: Draw
    rows: int = 3_000
    reference: int = 30_000


def independent(random: Random, rows: int) -> Columns:
    """Ten normal columns that have nothing to do with each other."""
    return {f"x{place}": random.normal(size=rows) for place in range(10)}


def factors(random: Random, rows: int, columns: int = 10) -> Columns:
    """Columns that are mixes of three factors and noise of their own."""
    mix = np.random.default_rng(5).normal(size=(3, columns))
    values = random.normal(size=(rows, 3)) @ mix + random.normal(size=(rows, columns))
    return {f"x{place}": values[:, place] for place in range(columns)}


def mixed(random: Random, rows: int) -> Columns:
    """Numbers with heavy tails, whole numbers, zeros and missing values, categories that go with them."""
    base = random.normal(size=rows)
    level = np.digitize(base + random.normal(size=rows), [-1.5, -0.5, 0.5, 1.5])
    many = np.minimum(random.zipf(1.6, rows), 60)
    return {
        "log": np.exp(1.5 * base + random.normal(size=rows)),
        "cauchy": random.standard_cauchy(rows) + base,
        "whole": random.poisson(np.exp(base / 2)).astype(float),
        "zeros": np.where(random.random(rows) < 0.6, 0.0, base + random.normal(size=rows)),
        "gaps": np.where(random.random(rows) < 0.1, np.nan, base + random.normal(size=rows)),
        "rare": (random.random(rows) < 0.01).astype(float),
        "level": np.array(["a", "b", "c", "d", "e"], object)[level],
        "many": np.char.add("k", many.astype(str)).astype(object),
        "copy": base,
        "same": base,
    }


def following(random: Random, rows: int) -> Columns:
    """Columns that follow from others: a score, whether it is over a half, a size, a band, with gaps, cut off."""
    age, income = random.normal(40, 10, rows), random.lognormal(10, 0.5, rows)
    score = 1 / (1 + np.exp(-(age - 45) / 10))
    return {
        "age": age,
        "income": income,
        "score": score,
        "prediction": (score > 0.5).astype(float),
        "size": np.abs(age - 40),
        "band": np.array(["low", "middle", "high"], object)[np.digitize(income, [15_000, 30_000])],
        "gaps": np.where(random.random(rows) < 0.1, np.nan, income),
        "cut": np.minimum(income, np.where(random.random(rows) < 0.05, 20_000.0, np.inf)),
        "product": age * income,
    }


def butterfly(random: Random, rows: int, changed: bool = False) -> Columns:
    """Two columns whose points lie like the wings of a butterfly, and a third that goes with the wing.

    Changed, the wings lie the other way round; each column by itself is as it was.
    """
    first, second = random.uniform(-1, 1, rows), random.uniform(-1, 1, rows)
    long, short = np.where(np.abs(first) > np.abs(second), (first, second), (second, first))
    side = random.random(rows) < 0.5
    x, y = np.where(side, (long, short), (short, long))
    third = np.where(side, np.abs(long), -np.abs(long)) * (-1 if changed else 1)
    return {"x": x, "y": y, "z": third} | _others(random, rows)


def correlated(random: Random, rows: int, by: float = 0.5) -> Columns:
    """Two columns of a correlation, among eight others."""
    first = random.normal(size=rows)
    second = by * first + np.sqrt(1 - by**2) * random.normal(size=rows)
    return {"x": first, "y": second} | _others(random, rows)


def threefold(random: Random, rows: int, by: float = 0.0) -> Columns:
    """Three columns of which every two are independent; the sign of their product is positive in (1 + `by`) / 2."""
    values = np.abs(random.normal(size=(rows, 3)))
    signs = random.choice([-1.0, 1.0], (rows, 2))
    last = signs.prod(axis=1) * np.where(random.random(rows) < (1 + by) / 2, 1.0, -1.0)
    made = values * np.column_stack([signs, last])
    return {"x": made[:, 0], "y": made[:, 1], "z": made[:, 2]} | _others(random, rows)


FACTORS = 12
NUMBERS_AT_ONCE = 5_000_000


def embeddings(random: Random, rows: int, width: int = 64, change: str = "", moved: float = 0.0) -> Columns:
    """Lists of length 1: mixes of twelve factors that matter less and less, and noise of each number.

    `change`: three factors lose a third of their deviation, or all are turned a little in the space of the lists;
    `moved`: by so many of its deviations the mean of the first factor moves.
    """
    source = np.random.default_rng(5)
    mix = source.normal(size=(FACTORS, width)) * np.geomspace(2.0, 0.3, FACTORS)[:, None]
    values = random.normal(size=(rows, FACTORS))
    values += moved * (np.arange(FACTORS) == 0)
    values *= np.where(np.isin(np.arange(FACTORS), (2, 5, 8)), 2 / 3, 1.0) if change == "spread" else 1.0
    lists = values @ mix + random.normal(size=(rows, width)) / 2
    if change == "turned":
        turn, triangle = np.linalg.qr(np.eye(width) + 0.01 * source.normal(size=(width, width)))
        lists = lists @ (turn * np.sign(np.diag(triangle)))
    return {"embedding": lists / np.linalg.norm(lists, axis=1, keepdims=True)}


def _others(random: Random, rows: int) -> Columns:
    return {f"other{place}": random.normal(size=rows) for place in range(8)}


def kinds(columns: Mapping[str, np.ndarray]) -> dict[str, Kind]:
    """Text is categorical; lists have no kind."""
    single = {name: values for name, values in columns.items() if values.ndim == 1}
    return {name: "categorical" if values.dtype == object else "numerical" for name, values in single.items()}


def write(folder: Path, name: str, columns: Mapping[str, np.ndarray]) -> Path:
    """A parquet file in which NaN is null; columns of shape (rows, width) become lists of single floats."""
    path = folder / f"{name}.parquet"
    pq.write_table(pa.table({key: _array(values) for key, values in columns.items()}), path)
    return path


def _array(values: np.ndarray) -> pa.Array:
    if values.ndim == 1:
        return pa.array(values, from_pandas=True)
    flat = pa.array(values.astype(np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1]).cast(pa.list_(pa.float32()))


def write_lists(folder: Path, rows: int, width: int) -> None:
    """`reference.parquet` and `production.parquet`, of which the second has not changed."""
    step = max(1, NUMBERS_AT_ONCE // width)
    for seed, side in enumerate(("reference", "production")):
        random = np.random.default_rng(seed)
        with pq.ParquetWriter(folder / f"{side}.parquet", pa.schema({"embedding": pa.list_(pa.float32())})) as writer:
            for start in range(0, rows, step):
                lists = embeddings(random, min(step, rows - start), width)["embedding"]
                writer.write_table(pa.table({"embedding": _array(lists)}))


def nights(
    setting: Setting, seed: int, many: int, per_nights: int = 365, draw: Callable[[int], Draw] | None = None
) -> Iterator[TogetherResult]:
    """Nights of a stream in order, each told by those before it that were quiet."""
    random, past = np.random.default_rng(seed), list[TogetherResult]()
    policy = TogetherPolicy(per_nights=per_nights)
    with TemporaryDirectory() as made:
        folder = Path(made)
        before = setting.draw(random, setting.reference)
        reference = write(folder, "reference", before)
        for number in range(many):
            columns = (draw(number) if draw else setting.draw)(random, setting.rows)
            path = write(folder, "production", columns)
            found = measure(policy, [reference], [path], kinds(before), "night", past=past[-60:])
            past.append(found)
            yield found


def moving(random: Random, rows: int) -> Columns:
    """Ten normal columns, the first two correlated by 0.3, on every night by a twentieth more or less."""
    return correlated(random, rows, 0.3 + 0.05 * random.normal())


def alone(change: str) -> Draw:
    """Ten mixes of three factors of which one column changes by itself."""

    def draw(random: Random, rows: int) -> Columns:
        columns = factors(random, rows)
        first = columns["x0"]
        if change == "shift":
            columns["x0"] = first + first.std()
        elif change == "spread":
            columns["x0"] = 2 * first
        elif change == "missing":
            columns["x0"] = np.where(random.random(rows) < 0.3, np.nan, first)
        else:
            columns["x0"] = np.exp(first)
        return columns

    return draw


def drifting(random: Random, rows: int) -> Columns:
    """Lists whose mean is on every night by a twentieth of a deviation of their first factor elsewhere."""
    return embeddings(random, rows, moved=0.05 * random.normal())


QUIET = (
    Setting("independent, 300 rows", independent, 300, 3_000),
    Setting("independent, 3,000 rows", independent),
    Setting("mixes of 3 factors, 300 rows", factors, 300, 3_000),
    Setting("mixes of 3 factors, 3,000 rows", factors),
    Setting("mixes of 3 factors, reference as long as a night", factors, 3_000, 3_000),
    Setting("mixes of 3 factors, 30,000 rows", factors, 30_000, 100_000),
    Setting("all kinds of columns, 300 rows", mixed, 300, 3_000),
    Setting("all kinds of columns, 3,000 rows", mixed),
    Setting("columns that follow from others, 1,000 rows", following, 1_000, 10_000),
    Setting("a butterfly, 3,000 rows", butterfly),
    Setting("a correlation that moves by 0.05", moving),
    Setting("lists of 64 numbers, 300 rows", embeddings, 300, 3_000),
    Setting("lists of 64 numbers, 3,000 rows", embeddings),
    Setting("lists of 64 numbers, reference as long as a night", embeddings, 3_000, 3_000),
    Setting("lists of 64 numbers whose mean moves by 0.05", drifting),
)
WIDE = Setting("30 mixes of 3 factors, 3,000 rows", lambda random, rows: factors(random, rows, 30))
FAULTS: tuple[tuple[str, Setting, Draw], ...] = (
    ("a butterfly, turned round", Setting("", butterfly), lambda random, rows: butterfly(random, rows, True)),
    ("the same, 300 rows", Setting("", butterfly, 300, 3_000), lambda random, rows: butterfly(random, rows, True)),
    ("a correlation from 0.5 to -0.5", Setting("", correlated), lambda random, rows: correlated(random, rows, -0.5)),
    ("the same, 300 rows", Setting("", correlated, 300, 3_000), lambda random, rows: correlated(random, rows, -0.5)),
    ("a correlation from 0.5 to 0.35", Setting("", correlated), lambda random, rows: correlated(random, rows, 0.35)),
    ("three columns from independent to 70% of signs", Setting("", threefold),
     lambda random, rows: threefold(random, rows, 0.4)),
    ("the same, 90% of signs", Setting("", threefold), lambda random, rows: threefold(random, rows, 0.8)),
    ("lists of 64 numbers whose mean moves by 0.3", Setting("", embeddings),
     lambda random, rows: embeddings(random, rows, moved=0.3)),
    ("lists of 64 numbers, three factors a third narrower", Setting("", embeddings),
     lambda random, rows: embeddings(random, rows, change="spread")),
    ("lists of 64 numbers, turned a little", Setting("", embeddings),
     lambda random, rows: embeddings(random, rows, change="turned")),
    ("lists of 64 numbers, turned a little, 300 rows", Setting("", embeddings, 300, 3_000),
     lambda random, rows: embeddings(random, rows, change="turned")),
)  # fmt: skip
ALONE = tuple((change, Setting("", factors), alone(change)) for change in ("shift", "spread", "missing", "exp"))


if __name__ == "__main__":
    write_lists(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
