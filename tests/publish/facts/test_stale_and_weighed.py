"""Stale data, and a share weighed by importances, on the page and in the mail; records elsewhere."""

from __future__ import annotations

import dataclasses

from pipeline.publish import pages
from pipeline.publish.facts.night import Runs
from tests.publish import samples
from tests.publish.messages.test_mail import built, part
from tests.publish.pages.test_night import Page, drifted_night, first_night

MLFLOW, AIRFLOW = "https://mlflow.example.com", "https://airflow.example.com"


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
    assert "Tonight the drifted columns are 44% of what the champion relies on; over 30%" in text
    assert "importance 37%" in text
    assert "Importance" in text[text.index("All columns") :]
    by_columns = dataclasses.replace(view, drift=samples.weighed(decisive="columns"))
    assert "20% of the columns drifted; over 30%" in Page(pages.night_page(by_columns)).text
    assert "They are 44% of what the champion relies on" in Page(pages.night_page(by_columns)).text
    assert "Importance" not in Page(pages.night_page(drifted_night())).text


def test_records_elsewhere_are_named_and_linked_where_people_can_open_them() -> None:
    view = dataclasses.replace(
        drifted_night(), runs=Runs(airflow="scheduled__2026-01-15T02:00:00+00:00", mlflow="5f0c")
    )
    page = Page(pages.night_page(view))
    assert "MLflow run5f0c" in page.text.replace("\n", "")
    assert not [address for address in page.addresses if "5f0c" in address]
    linked = dataclasses.replace(
        view, mlflow_url="https://mlflow.example.com/", airflow_url="https://airflow.example.com"
    )
    addresses = Page(pages.night_page(linked)).addresses
    assert "https://mlflow.example.com/#/runs/5f0c" in addresses
    runs = "https://airflow.example.com/dags"
    assert f"{runs}/nightly_churn/runs/scheduled__2026-01-15T02%3A00%3A00%2B00%3A00" in addresses
    assert f"{AIRFLOW}/dags/retrain_churn/runs/retrain__churn__2026-01-14" in addresses


def test_where_importances_decide_the_mail_says_so() -> None:
    message = built(dataclasses.replace(samples.view(), drift=samples.weighed()))
    assert message["Subject"] == (
        "[churn] drifted: 2 of 10 columns, 44% by importance on 2026-01-14, retraining requested"
    )
    for kind in ("plain", "html"):
        text = part(message, kind)
        assert "44% of what the champion relies on" in text
        assert "wasserstein, importance 37%" in text


def test_stale_data_is_told_first() -> None:
    message = built(dataclasses.replace(samples.view(), quality=samples.stale()))
    assert message["Subject"] == (
        "[churn] drifted on stale data: 9 of 18 columns (50%) on 2026-01-14, retraining requested"
    )
    lines = part(message, "plain").splitlines()
    assert "found 73 hours before" in next(line for line in lines if line.startswith("- "))
