"""The drift report: its words and limits as plain values; tests/browser opens the page."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.publish import evidently_report
from pipeline.publish.evidently_report import frame, page, performance_widgets, sections, shared, widgets
from pipeline.publish.facts.verdict import ranked
from pipeline.results import DriftResult, Shape
from tests.publish import budgets, performances, samples
from tests.publish.performances import VIEWS
from tests.publish.samples import SCRIPTS


def cells(widget: dict[str, Any], field: str) -> list[Any]:
    return [row[field] for row in widget["params"]["data"]]


# --- words and limits


def test_drifted_columns_come_first_then_the_closest_to_their_threshold() -> None:
    columns = ranked(samples.drift(18, 9, not_evaluable=2).columns)
    assert [column.drifted for column in columns] == [True] * 9 + [False] * 11
    assert [column.name for column in columns[:2]] == ["support_tickets_90d", "discount_share"]
    assert [column.status for column in columns[18:]] == ["not_evaluable"] * 2


def test_a_row_says_what_is_said_elsewhere() -> None:
    column = samples.column(4, drifted=True).model_copy(update={"error_bound": 0.0021})
    row = widgets.columns_table([column])["params"]["data"][0]
    assert (row["name"], row["verdict"], row["method"]) == ("average_order_value", "drifted", "ks (p-value)")
    assert (row["score"], row["threshold"], row["missing"]) == ("0.0111 ± 0.0021", "0.05", "1.2% to 9.8%")


def test_a_row_opens_what_is_usual_and_how_rare_it_is() -> None:
    said = [
        item["text"]
        for item in widgets.columns_table([budgets.column(0, True)])["params"]["data"][0]["details"]["insights"]
    ]
    assert said[1] == "once in 7,000 nights on unchanged data; usual to 0.0516"
    fixed = widgets.columns_table(budgets.VIEWS["by-chance"].drift.columns[:1])["params"]["data"][0]
    assert fixed["details"]["insights"][1]["text"] == "by chance past its threshold once in 2 nights"


def test_the_overview_says_how_rare_the_night_is_or_that_nobody_can_tell() -> None:
    view = budgets.VIEWS["budget"]
    insights = widgets.overview(view.monitor, view.pair, view.drift)["insights"]
    assert insights[1]["text"].startswith("On unchanged data this happens once in 4,000 nights")
    few = widgets.overview(view.monitor, view.pair, budgets.few_drift())
    assert few["insights"][0] == {
        "severity": "info",
        "title": "Too few rows",
        "text": "Too few rows to tell a change from chance: 24 instead of at least 310",
    }
    assert {"value": "not known", "label": "drift share"} in few["params"]["counters"]


def test_a_flag_that_the_reason_already_says_is_not_said_twice() -> None:
    row = widgets.columns_table([samples.column(4, drifted=True)])["params"]["data"][0]
    assert row["changed"].count("missing values rose") == 1
    assert len(row["details"]["insights"]) == 1


@pytest.mark.parametrize(
    ("drift", "title", "text"),
    [
        (samples.drift(18, 9), "Drifted", "9 of 18 columns drifted (50%), over the limit of 30%"),
        (samples.drift(10, 3), "Not drifted", "3 of 10 columns drifted (30%), within the limit of 30%"),
        (samples.drift(1, 0), "Not drifted", "0 of 1 column drifted (0%), within the limit of 30%"),
        (samples.drift(0, 0, not_evaluable=3), "No verdict", "No column could be compared with the reference"),
        (
            samples.weighed(),
            "Drifted",
            "2 of 10 columns drifted (20%), 44% of what the champion relies on, over the limit of 30%",
        ),
    ],
)
def test_the_verdict_is_one_sentence(drift: DriftResult, title: str, text: str) -> None:
    insight = widgets.overview(samples.monitor(), samples.pair(), drift)["insights"][0]
    assert (insight["title"], insight["text"]) == (title, text)


def test_the_mail_says_the_same_sentence() -> None:
    view = samples.view()
    sentence = widgets.overview(view.monitor, view.pair, view.drift)["insights"][0]["text"]
    assert view.changed[0].startswith(sentence)


def test_columns_without_a_score_are_counted_apart_and_listed_with_their_reason() -> None:
    drift = samples.drift(4, 1, not_evaluable=2)
    overview = widgets.overview(samples.monitor(), samples.pair(), drift)
    assert [item["value"] for item in overview["params"]["counters"]] == ["4", "1", "2", "25%", "30%"]
    table = widgets.not_evaluable_table(drift.columns[-2:], ranked=4)
    assert cells(table, "name") == ["broken_0", "broken_1"]
    assert all("all 3,412 values are missing in production" in text for text in cells(table, "changed"))


def test_charts_of_ranked_and_left_out_columns_do_not_mix() -> None:
    scored = samples.column(0, drifted=True)
    left_out = samples.without_score(0).model_copy(update={"shape": samples.categories(moved=True)})
    table = widgets.not_evaluable_table([left_out], ranked=1)
    drawn = widgets.charts([scored, left_out])
    opened = table["params"]["data"][0]["details"]["parts"][0]["id"]
    assert "DE" in drawn[opened]["layout"]["xaxis"]["ticktext"]


def test_more_columns_than_the_page_can_hold_are_cut_and_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(widgets, "MAX_ROWS", 5)
    monkeypatch.setattr(widgets, "MAX_CHARTS", 3)
    columns = ranked(samples.drift(8, 4).columns)
    table = widgets.columns_table(columns)
    assert len(table["params"]["data"]) == 5
    assert "The first 5 of 8 columns are listed here; drift.json has all." in table["details"]
    assert len(widgets.charts(columns)) == 3 + 1
    assert table["params"]["data"][4]["details"]["parts"][0]["id"] == widgets.NO_CHART


def test_a_column_without_a_shape_has_a_row_and_no_chart() -> None:
    column = samples.column(0, drifted=True).model_copy(update={"shape": None})
    row = widgets.columns_table([column])["params"]["data"][0]
    assert "reference" not in row
    assert row["details"]["parts"][0]["id"] in widgets.charts([column])


def test_labels_of_charts_hold_no_tags_and_equal_labels_stay_apart() -> None:
    shape = Shape(categories=("<b>x</b>", "a & b", "same", "same"), reference=(0.25,) * 4, production=(0.25,) * 4)
    axis = widgets.charts([samples.column(2, drifted=True).model_copy(update={"shape": shape})])["column-1"]["layout"]
    assert axis["xaxis"]["ticktext"] == ["&lt;b&gt;x&lt;/b&gt;", "a &amp; b", "same", "same"]
    assert axis["xaxis"]["tickvals"] == [0, 1, 2, 3]


def test_bars_are_named_by_the_range_they_hold() -> None:
    chart = widgets.charts([samples.column(0, drifted=False)])["column-1"]
    assert chart["data"][0]["hovertext"][8] == "40 to 45: 16.5%"
    assert chart["layout"]["xaxis"]["ticktext"] == ["0", "20", "40", "60", "80", "100"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_text_from_data_is_short_and_on_one_line(name: str) -> None:
    column = samples.column(0, drifted=True, name=name)
    row = widgets.columns_table([column])["params"]["data"][0]
    assert len(row["name"]) <= widgets.MAX_NAME
    assert row["name"].isprintable()


@pytest.mark.parametrize("name", SCRIPTS)
def test_json_in_a_script_holds_no_markup_and_keeps_its_meaning(name: str) -> None:
    text = page.script_json({name: [name]})
    assert not set(text) & {"<", ">", "&", "\u2028", "\u2029"}
    assert json.loads(text) == {name: [name]}


def test_numbers_that_json_does_not_know_are_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        page.script_json({"score": float("nan")})


# --- performance


def test_the_metrics_table_has_every_value_with_its_interval_and_the_main_one_first() -> None:
    table = performance_widgets.metrics_table(performances.performance("degraded"))
    assert table is not None
    assert table["params"]["header"] == [
        "Metric", "Labelled night", "Last 7 nights", "Last 30 nights", "Estimated tonight", "Reference"
    ]  # fmt: skip
    first, *others = table["params"]["data"]
    assert first[0] == "ROC AUC"
    assert first[1].startswith("0.473 (0.45")
    assert first[5].startswith("0.863 (0.85")
    assert len(others) == len(performances.OWN) - 1


def test_confusion_and_calibration_are_those_of_the_labelled_night_and_of_the_reference() -> None:
    view = VIEWS["degraded"]
    now, before, curve = performance_widgets.pictures(view.monitor, view.performance)
    assert now["params"]["data"][0]["z"] == [[2_021, 466], [398, 402]]
    assert before["params"]["data"][0]["z"] == [[11_900, 1_400], [1_666, 5_034]]
    assert [trace["name"] for trace in curve["params"]["data"]] == [
        "labelled night", "reference", "as sure as it should be"
    ]  # fmt: skip
    (residuals,) = performance_widgets.pictures(view.monitor, performances.regression())
    assert sum(residuals["params"]["data"][0]["y"]) == pytest.approx(1.0, abs=1e-3)


def test_the_verdict_is_told_in_the_same_words_as_everywhere() -> None:
    overview = performance_widgets.overview(performances.performance("degraded"))
    assert overview["insights"][0]["title"] == "Degraded"
    assert overview["insights"][0]["text"] == VIEWS["degraded"].changed[0]
    assert overview["params"]["counters"][0] == {"value": "0.471", "label": "ROC AUC"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_class_names_hold_no_tags(name: str) -> None:
    base = performances.several()
    named = base.details.model_copy(update={"classes": (name, "b", "c", "other")})
    found = base.model_copy(update={"details": named})
    axis = performance_widgets.pictures(samples.monitor(), found)[0]["params"]["layout"]["xaxis"]
    assert not set(axis["ticktext"][0]) & {"<", ">"}
    assert axis["ticktext"][0].isprintable()


def test_a_private_label_has_no_class_in_the_report() -> None:
    secret = "very-private-class"
    base = performances.several()
    named = base.model_copy(
        update={
            "details": base.details.model_copy(update={"classes": (secret, "b", "c", "other")}),
            "by_class": tuple(item.model_copy(update={"name": secret}) for item in base.by_class),
        }
    )
    for monitor, told in ((samples.monitor(), True), (performances.private_monitor(), False)):
        html = evidently_report.render(monitor, samples.pair(), samples.drift(4, 1), named)
        assert (secret.encode() in html) == told


def test_the_report_shows_performance_only_where_something_of_it_is_known() -> None:
    view = samples.view()
    without = evidently_report.render(view.monitor, view.pair, view.drift)
    unknown = evidently_report.render(view.monitor, view.pair, view.drift, samples.performance(measured=False))
    assert without == unknown
    known = evidently_report.render(view.monitor, view.pair, view.drift, view.performance)
    assert b"Model performance" in known
    assert known == evidently_report.render(view.monitor, view.pair, view.drift, view.performance)


# --- the page


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_a_report_in_the_frame_that_is_kept_is_the_same_byte_for_byte(name: str, tmp_path: Path) -> None:
    view = VIEWS[name]
    told = (view.monitor, view.pair, view.drift, view.performance)
    alone = evidently_report.render(*told)
    evidently_report.render(view.monitor, view.pair, samples.drift(3, 1), cache_dir=tmp_path)
    assert evidently_report.render(*told, cache_dir=tmp_path) == alone


def test_a_report_in_the_frame_that_is_kept_is_made_without_evidently(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drifts = (samples.drift(12, 5, not_evaluable=2), samples.drift(1, 0), samples.drift(0, 0, not_evaluable=3))
    alone = [evidently_report.render(samples.monitor(), samples.pair(), drift) for drift in drifts]
    evidently_report.render(samples.monitor(), samples.pair(), samples.drift(), cache_dir=tmp_path)
    for module in [name for name in sys.modules if name.partition(".")[0] == "evidently"]:
        monkeypatch.setitem(sys.modules, module, None)
    for drift, page_of in zip(drifts, alone, strict=True):
        assert evidently_report.render(samples.monitor(), samples.pair(), drift, cache_dir=tmp_path) == page_of


def test_a_frame_of_another_version_or_with_other_bytes_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = samples.monitor(), samples.pair(), samples.drift()
    wanted = evidently_report.render(*told, cache_dir=tmp_path)
    (kept,) = (tmp_path / "report_frames").iterdir()
    kept.write_bytes(kept.read_bytes().replace(b"<html", b"<hurl", 1))
    assert evidently_report.render(*told, cache_dir=tmp_path) == wanted
    monkeypatch.setattr(frame, "version_digest", lambda *_: b"another")
    monkeypatch.setattr(frame, "page", lambda: "<!DOCTYPE html><!-- no embedded data --><script></script>")
    assert evidently_report.render(*told, cache_dir=tmp_path) != wanted
    assert len(list((tmp_path / "report_frames").iterdir())) == 2


def test_a_version_whose_widgets_are_others_is_asked_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really = sections.run
    monkeypatch.setattr(frame, "run", lambda told: [{**widget, "new": 1} for widget in really(told)])
    told = samples.monitor(), samples.pair(), samples.drift()
    assert all(b'"new":1' in evidently_report.render(*told, cache_dir=tmp_path) for _ in range(2))


def test_what_all_reports_share_is_taken_out_of_a_page_and_put_back_byte_for_byte() -> None:
    many = samples.drift(400, 100)  # more of its own than what counts as large
    first, second = (
        evidently_report.render(samples.monitor(), samples.pair(), drift) for drift in (many, samples.drift())
    )
    linked, parts = shared.split(first)
    assert sorted(name.partition(".")[2] for name in parts) == ["css", "js"]
    assert len(linked) < len(first) - 3_500_000
    assert len(linked) > 300_000
    assert shared.split(second).parts == parts
    assert shared.whole(linked, parts.__getitem__) == first
    assert shared.split(linked) == (linked, {})
    assert shared.whole(first, parts.__getitem__) == first


@pytest.mark.parametrize("page", [b"<!DOCTYPE html>", b"<script>" + b"x" * 60_000 + b"</script>"])
def test_a_page_that_is_made_otherwise_stays_as_it_is(page: bytes) -> None:
    assert shared.split(page) == (page, {})
    assert shared.whole(page, dict[str, bytes]().__getitem__) == page


@pytest.mark.slow
def test_equal_results_give_equal_bytes() -> None:
    first, second = (
        evidently_report.render(samples.monitor(), samples.pair(), samples.drift(not_evaluable=1)) for _ in range(2)
    )
    assert first == second


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "limit"), [(100, 6_000_000), (1_000, 12_000_000), (5_000, 16_000_000)])
def test_the_page_stays_small_even_when_every_text_is_as_long_as_it_can_be(columns: int, limit: int) -> None:
    worst = "\U0001f600<" * 5_000
    shape = samples.categories(moved=True).model_copy(update={"categories": (worst,) * 6})
    changes = {"reason": worst, "flags": (worst,), "shape": shape}
    plain = samples.drift(columns, columns, not_evaluable=columns // 10)
    long = [
        column.model_copy(update={"name": f"{position}{worst}", **(changes if position % 2 else {})})
        for position, column in enumerate(plain.columns)
    ]
    drift = plain.model_copy(update={"columns": tuple(long)})
    assert len(evidently_report.render(samples.monitor(), samples.pair(), drift)) < limit
