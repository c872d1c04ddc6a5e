"""Changes that people expect, as pages, mails and reports tell them."""

from __future__ import annotations

import re

from pipeline.publish import evidently_report
from pipeline.publish.facts.expected import expected_line
from pipeline.publish.messages.chat import night_message
from pipeline.publish.pages import night_page
from tests.publish import samples
from tests.publish.messages.test_mail import built
from tests.publish.pages.samples import expected_night, first_night
from tests.publish.reading import Page, part

LINE = "3 columns changed as expected: support_tickets_90d, average_order_value, plan (price change, until 2026-02-14)"


def test_expected_columns_are_told_with_why_and_until_when() -> None:
    assert expected_line(expected_night().drift) == LINE
    assert expected_line(expected_night(words=("a, until 2026-02-14", "b, until 2026-02-15")).drift) == (
        "3 columns changed as expected: support_tickets_90d (b, until 2026-02-15); "
        "average_order_value, plan (a, until 2026-02-14)"
    )
    assert expected_line(samples.drift()) == ""


def test_of_many_reasons_and_columns_the_first_are_told() -> None:
    drift = samples.drift(drifted=18)
    columns = [
        item.model_copy(update={"drifted": False, "expected": f"reason {min(place, 5)}"})
        for place, item in enumerate(drift.columns)
    ]
    line = expected_line(drift.model_copy(update={"columns": tuple(columns)}))
    assert line.startswith("18 columns changed as expected: ")
    assert line.endswith("; 3 more reasons in the table of all columns")
    assert " and 8 more (reason 5)" in line


def test_the_page_says_it_on_top_in_the_section_and_in_the_table() -> None:
    html = night_page(expected_night()).decode()
    text = Page(html).text
    assert text.count(LINE) == 2
    section = text[text.index("Drifted columns") : text.index("Data quality")]
    assert LINE in section
    assert "past its threshold" not in section
    table = html[html.index('<table class="all">') :]
    rows = re.findall(r"<tr><th scope=\"row\"><a [^>]*><bdi>(\w+)</bdi>.*?</th><td[^>]*>([\w ]+)</td>", table)
    assert [name for name, state in rows if state == "as expected"] == [
        "support_tickets_90d",
        "average_order_value",
        "plan",
    ]
    assert [state for _, state in rows[:6]] == ["drifted"] * 2 + ["as expected"] * 3 + ["steady"]
    assert "<bdi>price change, until 2026-02-14; " in table


def test_a_page_without_other_drift_says_it_too_and_one_without_any_does_not() -> None:
    text = Page(night_page(expected_night(drifted=0)).decode()).text
    assert "No other column is past its threshold." in text
    assert text.count("3 columns changed as expected: ") == 2
    quiet = Page(night_page(first_night()).decode()).text
    assert "No column is past its threshold." in quiet
    assert "as expected" not in quiet


def test_mail_and_chat_say_it_in_one_line_and_list_no_expected_column_as_drifted() -> None:
    view = expected_night()
    plain = part(built(view), "plain")
    assert plain.count("as expected") == 1
    assert f"- {LINE}" in plain.replace("=\n", "")
    assert plain.split("Drifted columns, the strongest first")[1].count("support_tickets_90d") == 0
    assert "as expected" in part(built(view), "html")
    assert "as expected" not in part(built(first_night()), "plain")
    assert LINE in night_message(view).body


def test_the_drift_report_calls_them_neither_drifted_nor_not() -> None:
    view = expected_night()
    report = evidently_report.render(view.monitor, view.pair, view.drift, view.performance).decode()
    assert report.count('"verdict": "as expected"') + report.count('"verdict":"as expected"') == 3
