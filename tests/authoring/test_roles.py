"""What columns are taken for: a table of what people's data looks like, and the four public-shaped sets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.authoring import names as called
from pipeline.authoring.evidence import Evidence, gather
from pipeline.authoring.observe import Night, observe
from pipeline.authoring.roles import Columns, Known, guess_columns
from pipeline.checks.quality import Limits
from tests.authoring.shapes import BIKES, CREDIT, ORDERS, SHAPES, SURVEY, Shape, day_of

LIMITS = Limits(threads=1)
ROWS = 400


def look(
    tmp_path: Path,
    reference: pd.DataFrame,
    nights: Mapping[date, pd.DataFrame] | None = None,
    labels: tuple[str, ...] = (),
) -> Evidence:
    path = tmp_path / "reference.parquet"
    reference.to_parquet(path)
    seen = []
    for day, frame in (nights or {}).items():
        place = tmp_path / f"{day}.parquet"
        frame.to_parquet(place)
        rows, found = observe([place], LIMITS)
        seen.append(Night(day, rows, found, (place,), tuple(frame.columns)))
    production = seen[-1].columns if seen else ()
    return gather([path], LIMITS, production=production, labels=labels, nights=seen)


def guessed(tmp_path: Path, reference: pd.DataFrame, *args: Any, **known: Any) -> Columns:
    return guess_columns(look(tmp_path, reference, *args), Known(**known))


def base(seed: int = 0, rows: int = ROWS) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame({"x": random.normal(size=rows), "kind": random.choice(["a", "b"], rows)})


def of_shape(tmp_path: Path, shape: Shape, labels: bool = True) -> Columns:
    nights = {day_of(day): shape.production(day) for day in range(14)}
    later = (shape.id, shape.label) if labels and shape.id and shape.label else ()
    return guess_columns(look(tmp_path, shape.reference(), nights, later), Known())


def test_a_credit_book(tmp_path: Path) -> None:
    found = of_shape(tmp_path, CREDIT)
    assert (found.id, found.label, found.prediction, found.score) == ("customerId", "outcome", "prediction", "score")
    assert "store_id" in found.categorical
    assert set(found.ignore) == {"Unnamed: 0", "branch_no", "contract_end"}
    assert found.event is None


def test_orders_of_three_classes(tmp_path: Path) -> None:
    found = of_shape(tmp_path, ORDERS)
    assert (found.id, found.label, found.prediction, found.score) == ("orderGUID", "priority", "prediction", None)
    assert found.scores == {"low": "prob_low", "mid": "prob_mid", "high": "prob_high"}
    assert (found.model_version, found.event) == ("model_version", "scored_at")
    assert set(found.ignore) == {"invoice_no", "scored_at"}


@pytest.mark.parametrize("labels", [True, False])
def test_bikes_by_the_hour(tmp_path: Path, labels: bool) -> None:
    found = of_shape(tmp_path, BIKES, labels)
    assert (found.id, found.label, found.prediction) == ("instant" if labels else None, "cnt", "predicted_cnt")
    dates = {"dteday", "season", "mnth", "holiday", "weekday", "is_weekend"}
    assert set(found.ignore) == dates | (set() if labels else {"instant"})
    assert set(found.numerical) == {"hr", "weathersit", "temp", "hum", "windspeed", "predicted_cnt"}


def test_a_survey(tmp_path: Path) -> None:
    found = of_shape(tmp_path, SURVEY)
    assert (found.id, found.label, found.prediction, found.event) == ("CustomerKey", None, None, "started_at")
    assert found.ignore["satisfied"] == found.ignore["split"] == "production does not have it"
    assert set(found.ignore) == {
        "wave", "weekday", "started_at", "born_at", "comment", "postcode", "satisfied", "split",
    }  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_column_has_one_place(tmp_path: Path, shape: Shape) -> None:
    found = of_shape(tmp_path, shape)
    placed = [*found.numerical, *found.categorical, *found.ignore, found.id, found.label, found.model_version]
    assert sorted(filter(None, placed)) == sorted(shape.reference().columns)
    assert all(found.ignore.values())


IDS: dict[str, Any] = {
    "customerId": [f"C{row}" for row in range(ROWS)],
    "CustomerKey": np.random.default_rng(1).permutation(10**6)[:ROWS],
    "invoice_no": [f"{row:07d}" for row in range(ROWS)],
    "ID": range(5, 5 + ROWS),
    "guid": [f"{row:08x}-0000-4000-8000-000000000000" for row in range(ROWS)],
    "PassengerId": range(ROWS),
    "OrderRef": [f"x{row * 7919}" for row in range(ROWS)],
}


@pytest.mark.parametrize("name", IDS)
def test_ids_are_known_by_name_and_by_differing_in_every_row(tmp_path: Path, name: str) -> None:
    frame = base().assign(store_id=[row % 40 for row in range(ROWS)], **{name: IDS[name]})
    assert guessed(tmp_path, frame).id == name
    repeated = frame.assign(**{name: [IDS[name][row // 2] for row in range(ROWS)]})
    assert guessed(tmp_path, repeated).id is None


def test_an_id_may_come_back_night_after_night_but_not_twice_in_one(tmp_path: Path) -> None:
    night = base(1).assign(customer_id=range(ROWS), shop_id=[row % 40 for row in range(ROWS)])
    reference = pd.concat([night, night])
    assert guessed(tmp_path, reference, {date(2026, 1, 1): night}).id == "customer_id"
    assert guessed(tmp_path, reference).id is None


def test_one_night_that_was_delivered_twice_does_not_cost_the_id(tmp_path: Path) -> None:
    reference = base().assign(customer_id=range(ROWS))
    nights = {
        date(2026, 1, day): reference.assign(customer_id=reference.customer_id + 10**4 * day) for day in (1, 2, 3)
    }
    nights[date(2026, 1, 3)] = pd.concat([nights[date(2026, 1, 3)]] * 2)
    assert guessed(tmp_path, reference, nights).id == "customer_id"


PREDICTIONS = [
    "prediction",
    "predicted_cnt",
    "cnt_pred",
    "pred_cnt",
    "yhat",
    "y_hat",
    "forecast",
    "prediction_x",
    "y_pred",
]


@pytest.mark.parametrize("name", PREDICTIONS)
def test_predictions_by_name(tmp_path: Path, name: str) -> None:
    random = np.random.default_rng(2)
    frame = base().assign(cnt=random.poisson(100, ROWS), **{name: random.normal(100, 9, ROWS)})
    found = guessed(tmp_path, frame, label="cnt")
    assert (found.prediction, found.score) == (name, None)


def test_a_second_answer_is_no_feature(tmp_path: Path) -> None:
    frame = base().assign(cnt=range(7, 7 + 2 * ROWS, 2), predicted_cnt=base(3).x, forecast_temp=base(4).x)
    found = guessed(tmp_path, frame, label="cnt")
    assert (found.prediction, "model answered" in found.ignore["forecast_temp"]) == ("predicted_cnt", True)
    assert "forecast_temp" not in found.numerical


@pytest.mark.parametrize("pattern", ["prob_{}", "{}_proba", "p_{}", "score.{}", "P({})"])
def test_a_probability_for_each_class(tmp_path: Path, pattern: str) -> None:
    random = np.random.default_rng(5)
    chances = random.dirichlet([2, 2, 2], ROWS)
    named = {pattern.format(key): chances[:, place] for place, key in enumerate(["Low", "mid", "Very High"])}
    frame = base().assign(label=random.choice(["Low", "mid", "Very High"], ROWS), **named)
    assert guessed(tmp_path, frame).scores == dict(zip(["Low", "mid", "Very High"], named, strict=True))


def test_parts_of_a_whole_that_no_model_answered_are_features(tmp_path: Path) -> None:
    soil = np.random.default_rng(5).dirichlet([2, 2, 2], ROWS)
    frame = base().assign(
        sand=soil[:, 0], silt=soil[:, 1], clay=soil[:, 2], label=["sand", "silt", "clay", "sand"] * 100
    )
    found = guessed(tmp_path, frame)
    assert (found.scores, found.score) == ({}, None)
    assert {"sand", "silt", "clay"} <= set(found.numerical)


def test_two_probabilities_are_a_score_and_another_answer(tmp_path: Path) -> None:
    chance = np.random.default_rng(6).random(ROWS)
    frame = base().assign(label=(chance > 0.5).astype(int), prob_0=1 - chance, prob_1=chance)
    found = guessed(tmp_path, frame)
    assert (found.score, list(found.ignore)) == ("prob_1", ["prob_0"])


def test_a_score_that_tells_nothing_of_the_label_is_a_feature(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    frame = base().assign(walk_score=random.random(ROWS), label=random.integers(0, 2, ROWS))
    found = guessed(tmp_path, frame)
    assert found.score is None
    assert "walk_score" in found.numerical


def test_what_production_lacks_is_no_label_unless_something_says_so(tmp_path: Path) -> None:
    frame = base().assign(id=range(ROWS), churned=[0, 1] * (ROWS // 2))
    night = {date(2026, 1, 1): frame.drop(columns="churned")}
    assert guessed(tmp_path, frame, night).label is None
    assert guessed(tmp_path, frame, night, ("id", "churned")).label == "churned"
    assert guessed(tmp_path, frame.rename(columns={"churned": "target"}), night).label == "target"
    assert guessed(tmp_path, frame, night, label="churned").label == "churned"
    foretold = {date(2026, 1, 1): frame.drop(columns="churned").assign(churned_pred=1)}
    assert guessed(tmp_path, frame.assign(churned_pred=1), foretold).label == "churned"


def test_counters_are_left_out_and_amounts_are_not(tmp_path: Path) -> None:
    random = np.random.default_rng(8)

    def some(first: int) -> pd.DataFrame:
        return base(first).assign(
            instant=range(first, first + ROWS),
            ticket=np.arange(ROWS) * 13 + first * 100 + random.integers(0, 9, ROWS),
            epoch=np.arange(ROWS) // 3 * 60 + first * 10**5,
            cents=random.permutation(10**6)[:ROWS],
        )  # fmt: skip

    nights = {date(2026, 1, 1) + timedelta(days=day): some(1_000 * (day + 2)) for day in range(3)}
    found = guessed(tmp_path, some(1_000), nights)
    assert set(found.ignore) == {"instant", "ticket", "epoch"}
    assert found.ignore["instant"] == "counts rows: 1000 to 1399, each once"
    assert found.ignore["epoch"] == "counts on from night to night"
    assert "cents" in found.numerical


def test_identifiers_dates_and_free_text_are_left_out_each_with_why(tmp_path: Path) -> None:
    frame = base().assign(
        code=[f"{row % 300:05d}x" for row in range(ROWS)],
        town=[f"town {row % 80}" for row in range(ROWS)],
        day=[f"2026-01-{row % 28 + 1:02d}" for row in range(ROWS)],
        account_key=[row % 200 for row in range(ROWS)],
        branch_id=[row % 20 for row in range(ROWS)],
        flag=["true", "false"] * (ROWS // 2),
        nothing=np.nan,
        pair=pd.Series([["a", "b"]] * ROWS),
        embedding=pd.Series([[1.0, 2.0]] * ROWS),
    )
    found = guessed(tmp_path, frame)
    assert found.ignore["code"] == "identifiers or free text: 300 different values in 400 rows"
    assert found.ignore["town"] == "too many categories: 80 different values in 400 rows"
    assert found.ignore["day"] == "dates, as text"
    assert found.ignore["account_key"] == "an identifier, by its name: 200 different values in 400 rows"
    assert found.ignore["nothing"] == "the reference has no value of it"
    assert found.ignore["pair"].startswith("the column holds nested values")
    assert found.lists == ("embedding",)
    assert "embedding" not in found.ignore
    assert found.categorical == ("kind", "branch_id", "flag")


def test_one_value_on_each_night_is_left_out_where_that_is_no_chance(tmp_path: Path) -> None:
    reference = base(rows=700).assign(weekday=[row // 100 for row in range(700)], rare=[row == 5 for row in range(700)])
    nights = {date(2026, 1, 5 + day): base(day, 30).assign(weekday=day, rare=False) for day in range(3)}
    found = guessed(tmp_path, reference, nights)
    assert found.ignore == {"weekday": "one value on each night, of several in the reference"}
    assert "rare" in found.categorical


def test_the_time_of_the_event_moves_with_the_night(tmp_path: Path) -> None:
    def at(day: str, rows: int = 50) -> pd.DataFrame:
        hours = pd.to_timedelta(np.arange(rows) % 24, unit="h")
        years = pd.to_timedelta(np.arange(rows) * 90, unit="D")
        return base(1, rows).assign(
            contract_end=pd.Timestamp("2026-06-01") + years,
            born_at=pd.Timestamp("1960-01-01") + years,
            signed_up=pd.Timestamp(day) - years,
            seen=pd.Timestamp(day) + hours,
        )

    nights = {date.fromisoformat(day): at(day) for day in ("2026-01-10", "2026-01-11")}
    assert guessed(tmp_path, at("2025-01-01"), nights).event == "seen"
    without = {day: frame.drop(columns="seen") for day, frame in nights.items()}
    assert guessed(tmp_path, at("2025-01-01").drop(columns="seen"), without).event is None


@pytest.mark.parametrize(
    ("name", "words"),
    [("customerId", "customer id"), ("CustomerKEY", "customer key"), ("invoice_no", "invoice no"),
     ("HTTPCode2", "http code 2"), ("yHat", "y hat"), ("größeInCm", "größe in cm"), ("__x__", "x"), ("", "")],
)  # fmt: skip
def test_words_of_a_name(name: str, words: str) -> None:
    assert " ".join(called.words(name)) == words


@pytest.mark.parametrize("name", ["paid", "void", "grid", "valid", "piano", "monkey", "keyword", "index", "row_id"])
def test_names_that_only_look_like_ids(name: str) -> None:
    assert not called.is_called_id(name)
