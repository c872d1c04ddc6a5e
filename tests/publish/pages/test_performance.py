"""How well the model does, on the pages of nights, monitors and the fleet."""

from __future__ import annotations

import dataclasses
import re

import pytest

from pipeline.publish import pages
from pipeline.publish.facts.fleet import Watched
from pipeline.results import METRICS, PerformanceResult
from tests.publish import performances, samples
from tests.publish.pages.samples import MEGABYTE, all_nights
from tests.publish.performances import VIEWS
from tests.publish.reading import Page


def text_of(name: str) -> str:
    return Page(pages.night_page(VIEWS[name])).text


def test_performance_is_a_figure_beside_the_drift_share_and_a_section_before_what_drifted() -> None:
    html = pages.night_page(VIEWS["degraded-drifted"]).decode()
    assert '<dd class="figure degraded">0.471</dd>' in html
    assert '<dd class="figure drifted">50%</dd>' in html
    text = Page(html.encode()).text
    order = [
        "Degraded: ROC AUC 0.47",
        "What happens next",
        "Model performance",
        "Recall 0.410 is below its floor",
        "ROC AUC of each night's predictions",
        "Tonight's own predictions",
        "The estimate",
        "Also watched",
        "Confusion",
        "Calibration",
        "Class by class",
        "Drift share against the limit",
        "Drifted columns",
    ]
    places = [text.index(said) for said in order]
    assert places == sorted(places)


def test_every_metric_stands_with_its_interval_over_night_week_month_and_reference() -> None:
    text = text_of("degraded")
    assert "Labelled night2026-01-07Last 7 nightsuntil 2026-01-07, 23,009 labelsLast 30 nights" in text
    assert re.search(r"ROC AUC0\.473 worse0\.45\d to 0\.49\d0\.473 worse", text)
    healthy = text_of("healthy")
    assert re.search(r"ROC AUC0\.8550\.8\d+ to 0\.8\d+0\.855", healthy)  # a night is within the noise


def test_the_main_metrics_come_first_and_means_over_classes_are_folded() -> None:
    html = pages.night_page(VIEWS["degraded"]).decode()
    first, folded = html.split("<summary>8 more metrics</summary>")
    assert [name for name in ("precision", "log loss", "F1") if f'<th scope="row">{name}</th>' not in first] == []
    assert '<th scope="row">F1 macro</th>' not in first
    assert '<th scope="row">F1 macro</th>' in folded
    assert "<summary>4 more metrics of tonight</summary>" in folded
    recall = folded.index('<th scope="row">recall</th>')  # is worse than it may be, so it is not folded
    assert recall < folded.index("4 more metrics of tonight")


def test_where_no_class_is_the_positive_one_its_plain_means_are_not_folded() -> None:
    view = VIEWS["several"]
    of_one = ("precision", "recall", "f1", "roc_auc")
    kept = {name: found for name, found in view.performance.intervals.items() if name not in of_one}
    several = view.performance.model_copy(update={"intervals": kept, "spans": {}})
    first = (
        pages.night_page(dataclasses.replace(view, performance=several)).decode().split("5 more metrics</summary>")[0]
    )
    assert '<th scope="row">F1 macro</th>' in first
    assert '<th scope="row">F1 weighted</th>' not in first


def test_a_verdict_that_is_made_of_its_breaches_is_a_list_of_them() -> None:
    view = VIEWS["degraded"]
    verdict = view.performance.verdict
    assert verdict is not None
    joined = "; ".join(item.sentence for item in verdict.breaches)
    judged = view.performance.model_copy(update={"verdict": verdict.model_copy(update={"sentence": joined})})
    html = pages.night_page(dataclasses.replace(view, performance=judged)).decode()
    section = html.split('<ul class="plain breaches">')[1].split("</ul>")[0]
    assert section.count("<li") == len(verdict.breaches) == 2
    assert Page(html.encode()).text.count(joined) == 1  # on the first screen


def test_a_trend_is_told_once() -> None:
    view = VIEWS["degraded"]
    verdict = view.performance.verdict
    assert verdict is not None
    assert verdict.trend is not None
    said = verdict.trend.sentence
    assert text_of("degraded").count(said) == 1
    told = verdict.model_copy(update={"sentence": f"{said}: a fall by 0.05 is allowed"})
    judged = view.performance.model_copy(update={"verdict": told})
    html = pages.night_page(dataclasses.replace(view, performance=judged)).decode()
    assert html.count(f"{said}.") == 0
    assert html.count(said) == 2  # on the first screen, and above its chart


def test_tonights_own_predictions_are_estimated_and_realised_since() -> None:
    text = text_of("degraded")
    assert "1,198 labels, 35.1% of the predictions; provisional, as more are waited for." in text
    assert "Labels came step by step: 8.8% on 2026-01-15, 35.1% on 2026-01-16." in text
    assert "beyond the estimate" in text
    assert "Their labels have not come yet." in text_of("healthy")


def test_confusion_is_told_with_the_reference_beside_and_threshold_and_shifts_are_there() -> None:
    text = text_of("degraded")
    assert "2,02181.3% (89.5%)" in text
    assert "The positive class was predicted from a score of 0.500; on the reference too." in text
    assert "Scores in the grey zone, 0.4 to 0.6 moved" in text
    assert "Fewer rows came true than the scores said" in text


def test_a_withdrawn_estimate_is_visible() -> None:
    assert "The estimatewithdrawn The estimate is withdrawn. On 5 of the last 7 labelled nights" in text_of("withdrawn")


def test_a_regression_has_residuals_and_no_confusion() -> None:
    text = text_of("regression")
    assert "Forecast minus truth" in text
    assert "Confusion" not in text
    assert "at most 49.5" in text


def test_many_classes_are_cut_and_counted() -> None:
    base = performances.several()
    names = tuple(f"class {place}" for place in range(20))
    wide = base.details.model_copy(update={"classes": names, "confusion": tuple((5,) * 20 for _ in names)})
    view = dataclasses.replace(VIEWS["several"], performance=base.model_copy(update={"details": wide}))
    text = Page(pages.night_page(view)).text
    assert "8 more classes in performance.json" in text
    assert "class 12" not in text


def test_a_private_label_has_no_class_no_confusion_and_no_value() -> None:
    secret = "very private class"
    base = performances.several()
    named = base.model_copy(
        update={
            "positive": secret,
            "details": base.details.model_copy(update={"classes": (secret, *base.details.classes[1:])}),
            "by_class": tuple(item.model_copy(update={"name": secret}) for item in base.by_class),
        }
    )
    open_view = dataclasses.replace(VIEWS["several"], performance=named)
    assert secret in Page(pages.night_page(open_view)).text
    text = Page(pages.night_page(dataclasses.replace(open_view, monitor=performances.private_monitor()))).text
    assert secret not in text
    assert "Confusion" not in text
    assert "Class by class" not in text


def test_a_performance_file_of_an_earlier_version_is_still_told() -> None:
    new = set(PerformanceResult.model_fields) - {
        "snapshots", "status", "reason", "labels_date", "labelled_rows", "realised", "reference", "failure", "positive",
        "by_class", "notes",
    }  # fmt: skip
    assert len(new) > 8
    written = samples.performance().model_dump(mode="json", exclude=new)
    view = dataclasses.replace(VIEWS["older"], performance=PerformanceResult.model_validate(written))
    text = Page(pages.night_page(view)).text
    assert "On 3,287 labelled rows of 2026-01-07, against the reference." in text
    assert "accuracy0.812 worse0.847" in text
    assert "95% intervals" not in text


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_no_value_is_written_without_its_words(name: str) -> None:
    text = text_of(name)
    for found in ("None", "nan", "Estimate(", "  .", ".. "):
        assert found not in text, found


def test_the_monitor_says_who_serves_since_when_on_what_and_with_labels_until_when() -> None:
    nights = (*performances.aging(75, promoted=24), VIEWS["healthy"].tonight)
    html = pages.monitor_page(samples.monitor(), nights, performances.promotions())
    text = Page(html).text
    assert "Version 3 serves since the retraining of 2025-12-21, promoted." in text
    assert "It is compared with data/churn/reference/." in text
    assert "Labels have come until 2026-01-12, final until 2026-01-06." in text
    assert "10 nights found the model degraded" in text
    assert "1 retraining was promoted (line, filled diamond)" in text
    assert text.index("Model performance") < text.index("Drift share against the limit")
    assert html.count(b'class="plot small"') == 2
    alone = Page(pages.monitor_page(samples.monitor(), all_nights())).text
    assert "No retrained version was promoted" in alone


def test_tables_of_nights_have_a_column_for_the_main_metric_where_one_was_judged() -> None:
    text = Page(pages.monitor_page(samples.monitor(), performances.aging(10))).text
    assert "VerdictMain metricDrift share" in text
    assert "Main metric" not in Page(pages.monitor_page(samples.monitor(), all_nights())).text


def test_the_fleet_shows_the_main_metric_and_how_it_stands_to_its_limit() -> None:
    html = pages.fleet_page(performances.fleet()).decode()
    text = Page(html.encode()).text
    assert "6 degraded" in text
    assert "MonitorMain metricDrift share" in text
    assert "ROC AUC0.471at least 0.813" in text
    found = re.findall(r'data-margin="([-\d.e+]+)".*?href="(model-[\w-]+)/', html)
    margins = {name: float(margin) for margin, name in found}
    assert margins.keys() == {f"model-{name}" for name in VIEWS}
    assert margins["model-degraded-drifted"] < 0 < margins["model-healthy"] < margins["model-older"]
    assert margins["model-regression"] < 0


def test_five_hundred_monitors_with_their_trends_stay_under_a_megabyte() -> None:
    nights = performances.aging(30)
    watched = [Watched(samples.monitor(f"model-{place:03d}"), nights) for place in range(500)]
    html = pages.fleet_page(watched)
    assert html.count(b'class="line worse"') == 500
    assert len(html) < MEGABYTE


def test_thirteen_metrics_over_ninety_nights_stay_under_a_megabyte() -> None:
    values = dict.fromkeys(list(METRICS)[:13], 0.5)
    nights = [night.model_copy(update={"performance": values}) for night in performances.aging(95)]
    html = pages.monitor_page(samples.monitor(), nights)
    assert html.count(b'class="plot small"') == 12
    assert len(html) < MEGABYTE
