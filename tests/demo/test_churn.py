"""The churn demo shows what it says: quiet nights, slow drift, broken data, a new market far over the limit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from demo.churn import LABEL_SCHEMA, REFERENCE_SCHEMA, SCORED_SCHEMA, ChurnData, main, write

# Great Expectations and Evidently use modules that Python and NumPy have renamed.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PROJECT = Path(__file__).resolve().parents[2]
MONITOR = yaml.safe_load((PROJECT / "monitors" / "churn.yaml").read_text())
SUITE = json.loads((PROJECT / "expectations" / "churn.json").read_text())
BROKEN_NIGHT = date(2026, 1, 11)
DRIFT_SHARES = {
    date(2026, 1, 1): 0.0,
    date(2026, 1, 2): 0.0,
    date(2026, 1, 3): 0.0,
    date(2026, 1, 4): 0.0,
    date(2026, 1, 5): 0.0,
    date(2026, 1, 6): 0.0,
    date(2026, 1, 7): 0.1,
    date(2026, 1, 8): 0.2,
    date(2026, 1, 9): 0.2,
    date(2026, 1, 10): 0.3,
    BROKEN_NIGHT: 0.6,
    date(2026, 1, 12): 0.1,
    date(2026, 1, 13): 0.2,
    date(2026, 1, 14): 0.8,
    **{date(2026, 1, day): 0.8 for day in range(15, 27)},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ChurnData:
    return write(tmp_path_factory.mktemp("churn"))


def read(parts: Sequence[Path]) -> pd.DataFrame:
    """File by file, so that `dt=...` in a path does not become a column."""
    frames: list[pd.DataFrame] = [pq.ParquetFile(part).read().to_pandas() for part in parts]
    return pd.concat(frames, ignore_index=True)


def digests(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def drift_share(reference: pd.DataFrame, production: pd.DataFrame) -> float:
    """The share of drifted columns, as Evidently's own preset counts it."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    columns = MONITOR["columns"]
    checked = [*columns["numerical"], *columns["categorical"]]
    kinds = DataDefinition(numerical_columns=columns["numerical"], categorical_columns=columns["categorical"])
    current, expected = (Dataset.from_pandas(rows[checked], kinds) for rows in (production, reference))
    metrics = Report([DataDriftPreset(columns=checked)]).run(current, expected).dict()["metrics"]
    counts = [metric for metric in metrics if metric["metric_name"].startswith("DriftedColumnsCount")]
    return float(counts[0]["value"]["share"])


def failed_severities(data: ChurnData) -> dict[str, list[str]]:
    """What Great Expectations finds wrong, as severities, for the reference and every night."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    suite = gx.ExpectationSuite(name=SUITE["name"], expectations=SUITE["expectations"])
    assert len(suite.expectations) == len(SUITE["expectations"])
    asset = context.data_sources.add_pandas("demo").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all")

    def severities(parts: Sequence[Path]) -> list[str]:
        results = batch.get_batch({"dataframe": read(parts)}).validate(suite).results
        assert not any((result.exception_info or {}).get("raised_exception") for result in results)
        failed = [result.expectation_config for result in results if not result.success]
        return sorted(config.severity.value for config in failed if config)

    nights = {str(night.run_date): severities(night.production) for night in data.nights}
    return {"reference": severities(data.reference), **nights}


def test_there_are_twenty_six_nights_of_a_few_thousand_rows(data: ChurnData) -> None:
    assert [night.run_date for night in data.nights] == list(DRIFT_SHARES)
    assert all(3_000 <= night.rows <= 4_000 for night in data.nights)
    assert all(len(read(night.production)) == night.rows for night in data.nights)
    assert {len(night.production) for night in data.nights} == {1, 2}
    assert len(read(data.reference)) == data.reference_rows == 20_000
    assert len(data.reference) == 3


def test_every_part_has_the_same_schema(data: ChurnData) -> None:
    assert all(pq.read_schema(part) == REFERENCE_SCHEMA for part in data.reference)
    assert all(pq.read_schema(part) == SCORED_SCHEMA for night in data.nights for part in night.production)
    assert all(pq.read_schema(night.labels) == LABEL_SCHEMA for night in data.nights if night.labels)


def test_the_monitor_names_every_column_once_and_finds_the_files(data: ChurnData) -> None:
    columns = MONITOR["columns"]
    compared = [*columns["numerical"], *columns["categorical"]]
    others = [columns["id"], columns["label"], columns["model_version"], *columns["ignore"]]
    assert sorted(compared + others) == sorted(REFERENCE_SCHEMA.names)
    assert {columns["prediction"], columns["score"]} < set(compared)
    night = data.nights[0]
    first = {"initial": data.reference[0], "production": night.production[0], "labels": night.labels}
    for key, path in first.items():
        assert path is not None
        place = MONITOR["snapshots"][key].format(date=night.run_date).removeprefix("data/churn/")
        assert path.parent == data.root / place.rstrip("/")


def test_labels_arrive_three_days_later(data: ChurnData) -> None:
    last = data.nights[-1].run_date
    for night in data.nights:
        assert (night.labels is not None) == (
            (last - night.run_date).days >= MONITOR["performance"]["label_delay_days"]
        )
        assert (night.labels is not None) == (data.root / "labels" / f"dt={night.run_date}").exists()
        if night.labels and night.run_date != BROKEN_NIGHT:  # whose ids were lost, but not the truth
            assert set(read([night.labels])["customer_id"]) == set(read(night.production)["customer_id"])


def test_labels_can_be_written_for_later_nights_without_changing_anything_else(data: ChurnData, tmp_path: Path) -> None:
    later = write(tmp_path, labels_through=date(2026, 1, 26))
    assert all(night.labels for night in later.nights)
    assert digests(data.root).items() < digests(tmp_path).items()


def test_two_runs_write_the_same_bytes_and_another_seed_others(data: ChurnData, tmp_path: Path) -> None:
    write(tmp_path, labels_through=date(2026, 1, 25))
    write(tmp_path)
    assert digests(tmp_path) == digests(data.root)
    write(tmp_path, seed=8)
    assert digests(tmp_path).keys() >= {"reference/part-0.parquet"}
    assert not set(digests(tmp_path).values()) & set(digests(data.root).values())


def test_a_file_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "labels" / "dt=2026-01-25" / "notes.txt"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    write(tmp_path)
    assert theirs.read_text() == "mine"


def test_the_model_is_right_until_the_market_entry_and_wrong_about_it(tmp_path: Path) -> None:
    from sklearn.metrics import roc_auc_score

    later = write(tmp_path, labels_through=date(2026, 1, 26))
    nights = {night.run_date: read(night.production) for night in later.nights}
    truths = {night.run_date: read([night.labels]) for night in later.nights if night.labels}
    judged = {day: nights[day].merge(truths[day], on="customer_id") for day in nights if day != BROKEN_NIGHT}
    areas = {day: roc_auc_score(rows["churned"], rows["churn_probability"]) for day, rows in judged.items()}
    assert all(area > 0.75 for day, area in areas.items() if day < date(2026, 1, 14))
    assert all(area < 0.5 for day, area in areas.items() if day >= date(2026, 1, 14))


def test_only_the_broken_night_has_null_repeated_negative_or_unknown_values(data: ChurnData) -> None:
    for night in data.nights:
        rows, broken = read(night.production), night.run_date == BROKEN_NIGHT
        assert rows["customer_id"].isna().any() == broken
        assert rows["customer_id"].dropna().duplicated().any() == broken
        assert (rows["average_order_value"] < 0).any() == broken
        assert (rows["country"] == "unknown").any() == broken
        assert (rows["plan"] == "premuim").any() == broken


def test_only_the_broken_night_fails_critical_expectations(data: ChurnData) -> None:
    failed = failed_severities(data)
    assert {when for when, severities in failed.items() if "critical" in severities} == {str(BROKEN_NIGHT)}
    assert failed["reference"] == []
    assert all(failed[f"2026-01-{day:02}"] == [] for day in range(1, 7))
    assert failed["2026-01-10"] == ["warning"]


def test_slow_drift_stays_at_or_under_the_limit_and_the_market_entry_is_far_over_it(data: ChurnData) -> None:
    reference, limit = read(data.reference), MONITOR["drift"]["limit"]
    shares = {night.run_date: drift_share(reference, read(night.production)) for night in data.nights}
    assert shares == pytest.approx(DRIFT_SHARES)
    over = {night.shows for night in data.nights if shares[night.run_date] > limit}
    assert over == {"broken data", "market entry", "new market"}


def test_the_command_writes_the_data_and_says_what_each_night_shows(
    data: ChurnData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--root", str(tmp_path)])
    printed = capsys.readouterr().out
    assert digests(tmp_path) == digests(data.root)
    for night in data.nights:
        assert f"{night.run_date}  {night.rows:6,} rows  {night.shows}" in printed
