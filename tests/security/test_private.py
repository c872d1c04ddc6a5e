"""`columns.private` through whole nights and retrainings, to every outlet: no value of such a column is anywhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.cli import main
from pipeline.errors import NO_UTF8
from tests.project import Project
from tests.security.canaries import PRIVATE, WORD, forecasts, leaks, people, told
from tests.servers.webhook import Webhook

pytestmark = pytest.mark.slow

Rows = Callable[..., pd.DataFrame]

NOT_PUBLISHED = ("cache", "store-archive", "model.skops", "MLmodel", ".labelled")
"""Where rows and sums over few of them may lie, see docs/security.md."""

FIRST = date(2026, 1, 5)
ALARMS: dict[str, Any] = {"alarms": {"per_nights": 365, "against": ["reference", {"previous": 2}]}}
SUITE: list[dict[str, Any]] = [
    {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "email"}},
    {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "email"}, "severity": "warning"},
    {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "diagnosis", "value_set": [f"{WORD}-fine"]}},
    {
        "type": "expect_column_distinct_values_to_contain_set",
        "kwargs": {"column": "diagnosis", "value_set": [f"{WORD}-q"]},
    },
    {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "email", "regex": f"(?={WORD}1).*"}},
    {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "salary", "min_value": 6.4e11, "max_value": 6.5e11},
    },
    {
        "type": "expect_column_mean_to_be_between",
        "kwargs": {"column": "salary", "min_value": 6.4e11, "max_value": 6.5e11},
    },
    {"type": "expect_column_stdev_to_be_between", "kwargs": {"column": "salary", "max_value": 1e10}},
    {"type": "expect_column_max_to_be_between", "kwargs": {"column": "salary", "max_value": 6.5e11}},
    {"type": "expect_column_median_to_be_between", "kwargs": {"column": "salary", "max_value": 6.5e11}},
    {"type": "expect_column_sum_to_be_between", "kwargs": {"column": "bonus", "max_value": 6.5e11}},
    {"type": "expect_column_min_to_be_between", "kwargs": {"column": "born", "max_value": "2147-01-01"}},
    {
        "type": "expect_column_quantile_values_to_be_between",
        "kwargs": {"column": "salary", "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[6.4e11, 6.41e11]]}},
    },
    {
        "type": "expect_column_most_common_value_to_be_in_set",
        "kwargs": {"column": "diagnosis", "value_set": [f"{WORD}-q"]},
    },
    {
        "type": "expect_column_values_to_be_between",
        "kwargs": {
            "column": "age",
            "max_value": 20,
            "row_condition": f"diagnosis == '{WORD}-fine'",
            "condition_parser": "pandas",
        },
    },
    {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "age", "max_value": 20, "row_condition": f'col("salary") > 6.41e11 and email != "{WORD}"'},
    },
    {"type": "expect_column_pair_values_a_to_be_greater_than_b", "kwargs": {"column_A": "age", "column_B": "salary"}},
    {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": ["city", "diagnosis"]}},
    {
        "type": "unexpected_rows_expectation",
        "kwargs": {"unexpected_rows_query": f"SELECT * FROM {{batch}} WHERE diagnosis = '{WORD}-fine'"},
    },
]

UNREADABLE = {
    "type": "expect_column_values_to_be_between",
    "kwargs": {"column": "age", "max_value": 20, "row_condition": f"diagnosis is '{WORD}-fine'"},
}


def write(project: Project, number: int, rows: Rows, *, other: bool = False) -> str:
    """The data of the night so many days after the first, and its labels."""
    day, frame = FIRST + timedelta(number), rows(700, 1 + number, other=other)
    project.write_parquet(f"production/dt={day}/part-0.parquet", frame.drop(columns="label"))
    project.write_parquet(f"labels/dt={day}/part-0.parquet", frame[["id", "label"]])
    return str(day)


def watched(project: Project, rows: Rows, suite: list[dict[str, Any]], drift: dict[str, Any]) -> list[str]:
    """A monitor that tells all it can of five nights, of which the last two are another world; their dates."""
    project.write_suite(expectations=[{"severity": "warning"} | entry for entry in suite])
    reference = rows(3_000, 0)
    project.write_parquet("reference/part-0.parquet", reference)
    answers = {"score": "score", "positive": f"{WORD}-yes"} if "score" in reference else {}
    project.write_monitor(
        snapshots={
            "reference": "champion",
            "initial": "data/reference/",
            "production": "data/production/dt={date}/",
            "labels": "data/labels/dt={date}/",
        },
        columns={
            "id": "id", "label": "label", "prediction": "said", "model_version": "scored_by",
            "private": [name for name in PRIVATE if name in reference], **answers,
        },
        quality={"suite": "people", "examples": 5},
        drift={"together": {"per_nights": 365}, "profile_gauges": True, **drift},
        performance={"label_delay_days": 1, "floors": {"accuracy": 0.99} if answers else {"r2": 0.9999999}},
        retrain={
            "min_labelled_rows": 100, "max_rows": 2_000, "window_days": 6, "segments": ["city"], "cooldown_days": 0,
            "shadow": "challenger",
        },
        notify={"email": ["team@example.com"], "channels": ["night"]},
    )  # fmt: skip
    return [write(project, number, rows, other=number >= 3) for number in range(5)]


def everything(days: list[str]) -> list[tuple[list[str], int]]:
    """Every command that tells something of nights and models, with how it ended."""
    span = ["--from", days[0], "--to", days[-1]]
    commands = [
        *(["run", "people", "--date", day] for day in days),
        ["ack", "people", days[-1]],
        ["retrain", "people", "--date", days[-2], "--force"],
        ["promote", "people", "1"],
        ["run", "people", "--date", days[-1]],
        ["retrain", "people", "--date", days[-1], "--force"],
        ["rollback", "people"],
        ["check", "people"],
        ["backtest", "people", *span, "--drift.limit", "0.1"],
        ["tune", "people", *span, "--per-nights", "2"],
        ["digest", "--date", days[-1]],
        ["site"],
    ]
    return [(command, main(command)) for command in commands]


@pytest.mark.parametrize(
    ("rows", "suite", "drift"),
    [
        (people, SUITE, {}),
        (people, [*SUITE, UNREADABLE], ALARMS),
        (forecasts, [entry for entry in SUITE if "salary" not in str(entry)], {}),
    ],
    ids=["thresholds", "budget", "regression"],
)
def test_no_value_of_a_private_column_reaches_any_outlet(
    project: Project,
    rows: Rows,
    suite: list[dict[str, Any]],
    drift: dict[str, Any],
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("PIPELINE_CHANNEL_NIGHT", webhook.url.replace("http://", "json://"))
    monkeypatch.setenv("PIPELINE_DIGEST_TO", "team@example.com")
    ended = everything(watched(project, rows, suite, drift))
    said = "".join(capsys.readouterr())
    assert (main(["suggest", "people"]) == 0) == (suite[-1] != UNREADABLE)
    proposed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("+")]  # the rest is the suite
    var = project.root / "var"
    found = leaks(var, beside=NOT_PUBLISHED, deviations=rows is people)
    texts = {"what is said": said, "suggest": "\n".join(proposed), "the log": caplog.text}
    texts |= {f"message {place}": str(request.json()) for place, request in enumerate(webhook.requests)}
    found |= {name: told(text, deviations=rows is people) for name, text in texts.items()}
    assert webhook.requests
    failed = [command[0] for command, code in ended if code != 0]
    assert failed == ["rollback"] if suite[-1] != UNREADABLE else "check" in failed
    assert {name: hits for name, hits in found.items() if hits} == {}


def unreadable_text(texts: list[str]) -> pa.Array:
    """The texts, the last with a byte behind it that no text has: libraries quote the value that they cannot read."""
    values = [text.encode() for text in texts]
    values[-1] += b"\xff"
    offsets = [0]
    for value in values:
        offsets.append(offsets[-1] + len(value))
    parts = [None, pa.py_buffer(pa.array(offsets, pa.int32()).buffers()[1]), pa.py_buffer(b"".join(values))]
    return pa.Array.from_buffers(pa.utf8(), len(values), parts)


class Heard(logging.Handler):
    """All that is logged below `pipeline`, at any level, as Airflow keeps it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter("%(name)s %(message)s").format(record))


@pytest.fixture
def heard() -> Iterator[Heard]:
    logger, handler = logging.getLogger("pipeline"), Heard()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.setLevel(level)
    logger.removeHandler(handler)


@pytest.mark.parametrize("side", ["production", "reference"])
def test_what_libraries_say_of_a_value_that_they_cannot_read_is_told_nowhere(
    project: Project, side: str, capsys: pytest.CaptureFixture[str], heard: Heard
) -> None:
    day = watched(project, people, SUITE, {})[0]
    (path,) = (project.root / "data" / (f"production/dt={day}" if side == "production" else side)).glob("*.parquet")
    table = pq.read_table(path)
    for name in ("email", "diagnosis"):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, unreadable_text(table.column(name).to_pylist()))
    pq.write_table(table, path, use_dictionary=side == "production")

    main(["run", "people", "--date", day])

    said = "".join(capsys.readouterr())
    found = leaks(project.root / "var", beside=NOT_PUBLISHED)
    found |= {"said": told(said), "log": told("\n".join(heard.lines))}
    assert {name: hits for name, hits in found.items() if hits} == {}
    assert side == "reference" or any("could not be asked in SQL" in line for line in heard.lines)
    columns = json.loads((project.store / "people" / day / "drift.json").read_text())["columns"]
    where = "production" if side == "production" else "the reference"
    reasons = {column["name"]: column["reason"] for column in columns if column["name"] in ("email", "diagnosis")}
    assert reasons == dict.fromkeys(("email", "diagnosis"), f"in {where}: {NO_UTF8}")
