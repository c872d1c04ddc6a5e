"""The page of a night: what it says, and what data can do to it."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta

import pytest

from pipeline.publish import pages
from pipeline.publish.facts.night import NightView, Runs
from pipeline.publish.facts.retraining import remember
from pipeline.results import ColumnType, DriftResult, ExpectationOutcome, QualityResult
from tests.publish import samples
from tests.publish.nights import past
from tests.publish.pages.samples import MEGABYTE, broken_night, drifted_night, first_night, hostile_night
from tests.publish.reading import Page
from tests.publish.retrainings import retraining


def test_the_verdict_comes_first_and_without_a_script() -> None:
    page = Page(pages.night_page(drifted_night()))
    assert "script" not in page.tags
    order = [
        "Drifted: 9 of 18 columns (50%)",
        "Retraining requested",
        "over the limit of 30%",
        "What happens next",
        "Model performance",
        "Drift share against the limit",
        "Drifted columns",
        "Data quality",
        "age has a mean of between 38 and 47",
        "Volume and freshness",
        "What was compared",
        "All columns",
        "Read on",
    ]
    places = [page.text.index(said) for said in order]
    assert places == sorted(places)


AIRFLOW = "https://airflow.example.com"


def failed_with(**said: object) -> NightView:
    outcome = ExpectationOutcome.model_validate(
        {"expectation": "e", "column": "age", "severity": "warning", "passed": False, "sentence": "age is low", **said}
    )
    result = QualityResult(snapshots="", suite="churn", passed=True, outcomes=(outcome,) * 3)
    return dataclasses.replace(drifted_night(), quality=result)


def test_a_failure_says_what_was_expected_in_how_many_rows_for_example_and_who_says_so() -> None:
    night = failed_with(
        expected="18 to 94 in all but 1% of the rows",
        unexpected_share=0.03,
        unexpected_rows=1_220,
        examples=("95", "<script>alert(1)</script>"),
        check="out_of_range",
        engine="duckdb",
        notes="Agreed with <b>sales</b>.",
    )
    html = pages.night_page(night)
    assert b"<script>alert" not in html
    text = Page(html).text
    assert "Not so in 3% of the rows: age is low." in text
    assert "Agreed with <b>sales</b>." in text
    assert "Expected: 18 to 94 in all but 1% of the rows. 1,220 rows, such as 95, <script>alert(1)</script>" in text
    assert "Built-in check out_of_range, by DuckDB." in text


def test_what_the_sentence_says_is_not_said_again() -> None:
    night = failed_with(sentence="age lies between 18 and 94", expected="between 18 and 94", engine="pandas")
    text = Page(pages.night_page(night)).text
    assert "Expected:" not in text
    assert "From the suite, by pandas." in text


def test_performance_says_which_class_it_is_about_how_each_was_told_and_what_looks_mistaken() -> None:
    night = drifted_night()
    noted = night.performance.model_copy(update={"notes": ("the score looks like the probability of '<b>'",)})
    text = Page(pages.night_page(dataclasses.replace(night, performance=noted))).text
    assert "Precision, recall, F1 and ROC AUC are about 1." in text
    assert "the score looks like the probability of '<b>'." in text
    assert "ClassRowsPredictedPrecisionRecallF1 02,4872,5630.8600.8850.872 18007240.6430.5820.611" in text
    plain = noted.model_copy(update={"positive": None, "by_class": (), "notes": ()})
    text = Page(pages.night_page(dataclasses.replace(night, performance=plain))).text
    assert "are about" not in text
    assert "Class by class" not in text


def test_many_failures_are_folded_after_the_first_twenty() -> None:
    one = failed_with().quality.outcomes[0]
    many = QualityResult(snapshots="", suite="churn", passed=True, outcomes=(one,) * 57)
    html = pages.night_page(dataclasses.replace(drifted_night(), quality=many)).decode()
    before, after = html.split("<summary>37 more that failed</summary>")
    assert (before.count("age is low"), after.count("age is low")) == (20, 37)


def test_broken_data_is_explained_before_the_drift_it_spoils() -> None:
    text = Page(pages.night_page(broken_night())).text
    assert text.index("Data quality") < text.index("Drifted columns")
    assert "Nothing is retrained" in text
    assert "python -m pipeline run churn --date 2026-01-14" in text
    assert "not evaluable" in text
    assert "all 3,412 values are missing in production" in text


def test_columns_come_with_reason_score_threshold_and_shape() -> None:
    html = pages.night_page(drifted_night()).decode()
    article = html.split("<article", 2)[1]
    assert "support_tickets_90d" in article
    assert "The mean moved up by 1.4 reference standard deviations" in article
    assert "wasserstein 0.618, threshold 0.1" in article
    label = re.search(r'role="img" aria-label="([^"]*)"', article)
    assert label is not None
    number = r"(\d+(?:\.\d+)?)"
    side = f"median {number}, half of the values from {number} to {number}"
    found = re.fullmatch(f"Reference: {side}; production: {side}", label[1])
    assert found is not None
    # a bell around 43 of deviation 12, and one around 58 of deviation 16; quartiles lie 0.674 deviations away
    assert [float(value) for value in found.groups()] == pytest.approx([43, 34.9, 51.1, 58, 47.2, 68.8], abs=1.0)
    assert "31% to 14%" in html


def test_a_column_says_how_many_categories_came_and_went() -> None:
    changes = {"new_category_count": 1_200, "vanished_category_count": 1}
    columns = (samples.column(0, True, "city").model_copy(update=changes), samples.column(1, True, "age"))
    drift = samples.drift().model_copy(update={"columns": columns})
    text = Page(pages.night_page(dataclasses.replace(samples.view(), drift=drift))).text
    assert "1,200 new categories, 1 vanished category" in text
    assert text.count("categor") == text.count("categorical") + 2


def test_every_digest_and_method_of_the_comparison_is_there() -> None:
    view = drifted_night()
    text = Page(pages.night_page(view)).text
    for snapshot in (view.pair.reference, view.pair.production, view.pair.labels, view.pair.labelled):
        assert snapshot is not None
        assert snapshot.digest in text
        assert snapshot.uri in text
    assert "wasserstein on 10 columns, threshold 0.1: a score above it is drift" in text
    assert "ks on 2 columns, threshold 0.05: a p-value below it is drift" in text


def test_neighbouring_nights_are_linked() -> None:
    view = dataclasses.replace(drifted_night(), history=(*past(), *past(1, samples.RUN_DATE + timedelta(days=3))))
    addresses = Page(pages.night_page(view)).addresses
    assert "../2026-01-13/index.html" in addresses
    assert "../2026-01-16/index.html" in addresses


def test_unpaired_surrogates_do_not_break_a_page() -> None:
    assert "\\ud800" in Page(pages.night_page(hostile_night(("\ud800",)))).text


@pytest.mark.parametrize("name", ["x" * 10_000, "<&\"'>" * 2_000])
def test_a_thousand_drifted_columns_with_long_names_stay_under_a_megabyte(name: str) -> None:
    view = hostile_night([name + str(place) for place in range(10)])
    columns = tuple(samples.column(place * 2, True, name + str(place)) for place in range(1_000))
    drift = DriftResult(snapshots="", drift_share=1.0, limit=0.3, drifted=True, columns=columns)
    html = pages.night_page(dataclasses.replace(view, drift=drift))
    assert len(html) < MEGABYTE
    assert "970 more drifted columns are in the table" in Page(html).text


def test_stale_data_has_a_state_of_its_own() -> None:
    view = dataclasses.replace(first_night(), quality=samples.stale())
    html = pages.night_page(view).decode()
    assert '<p class="state stale">' in html
    text = Page(html.encode()).text
    assert "Stale data: none of 18 columns drifted" in text
    assert "The newest data is older than it should be" in text
    assert "found 73 hours before" in text[text.index("Volume and freshness") :]


def test_where_importances_decide_the_page_has_them_and_the_share_they_give() -> None:
    view = dataclasses.replace(drifted_night(), drift=samples.weighed())
    text = Page(pages.night_page(view)).text
    assert "Drifted: 2 of 10 columns, 44% by importance" in text
    assert "Tonight the drifted columns are 44% of what the champion relies on, over the limit of 30%. They are" in text
    assert "importance 37%" in text
    assert "Importance" in text[text.index("All columns") :]
    by_columns = dataclasses.replace(view, drift=samples.weighed(decisive="columns"))
    assert "20% of the columns drifted, within the limit of 30%" in Page(pages.night_page(by_columns)).text
    assert "They are 44% of what the champion relies on" in Page(pages.night_page(by_columns)).text
    assert "Importance" not in Page(pages.night_page(drifted_night())).text


def test_records_elsewhere_are_named_and_linked_where_people_can_open_them() -> None:
    view = dataclasses.replace(
        drifted_night(), runs=Runs(airflow="scheduled__2026-01-15T02:00:00+00:00", mlflow="5f0c")
    )
    page = Page(pages.night_page(view))
    assert "MLflow run5f0c" in page.text.replace("\n", "")
    assert not [address for address in page.addresses if "5f0c" in address]
    linked = dataclasses.replace(view, mlflow_url="https://mlflow.example.com/", airflow_url=AIRFLOW)
    addresses = Page(pages.night_page(linked)).addresses
    assert "https://mlflow.example.com/#/runs/5f0c" in addresses
    assert f"{AIRFLOW}/dags/nightly_churn/runs/scheduled__2026-01-15T02%3A00%3A00%2B00%3A00" in addresses
    assert f"{AIRFLOW}/dags/retrain_churn/runs/retrain__churn__2026-01-14" in addresses


def test_a_night_links_to_its_retraining() -> None:
    view = dataclasses.replace(samples.view(), retraining=remember(retraining()))
    assert "../retraining/2026-01-14/index.html" in Page(pages.night_page(view)).addresses
    assert "Retraining promoted version 3, ROC AUC 0.812 against 0.780." in Page(pages.night_page(view)).text


def test_what_is_flagged_of_a_column_that_did_not_drift_is_in_the_table() -> None:
    steady = samples.column(0, False, "residual").model_copy(update={"flags": ("values moved by 0.9",)})
    view = dataclasses.replace(samples.view(), drift=samples.drift().model_copy(update={"columns": (steady,)}))
    text = Page(pages.night_page(view)).text
    assert "values moved by 0.9" in text[text.index("All columns") :]


def test_what_production_holds_and_nobody_compares_is_named() -> None:
    view = first_night()
    assert "Not compared" not in Page(pages.night_page(view)).text
    others = (ColumnType(name="booked", type="timestamp[us]"), ColumnType(name="<b>", type="list<element: string>"))
    id_column = ColumnType(name=view.monitor.columns.id or "id", type="string")
    fields = (*view.pair.production.fields, id_column, *others)
    production = view.pair.production.model_copy(update={"fields": fields})
    pair = view.pair.model_copy(update={"production": production})
    text = Page(pages.night_page(dataclasses.replace(view, pair=pair))).text
    assert "Not compared, as they are on no list, and neither numbers, text nor flags" in text
    assert "flags: booked (timestamp[us]), <b> (list<element: string>)." in text
