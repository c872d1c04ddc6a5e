"""What the page of an incident and its post-mortem say."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta

from pipeline.publish import pages
from pipeline.publish.facts.incident_story import MOST_NIGHTS, IncidentView
from pipeline.publish.facts.incidents import incidents_of
from tests.publish import incidents, samples
from tests.publish.incidents import FIRST, bare, nights, view
from tests.publish.reading import Page

HEADINGS = ["Summary", "Impact", "Time line", "Who was told", "What was done", "Evidence", "Cause", "Lessons"]


def page(found: IncidentView) -> str:
    return Page(pages.incident_page(found)).text


def markdown(found: IncidentView) -> str:
    return pages.post_mortem(found).decode()


def test_the_page_tells_nights_columns_failures_notes_retrainings_and_who_was_told() -> None:
    text = page(view())
    for said in (
        "Incident of 2026-01-02 to 2026-01-06",
        "Over after 4 nights",
        "4 nights of trouble, 2026-01-02 to 2026-01-06: data broken on 1, drifted on 3.",
        "1 day between them has no night.",
        "Highest drift share: 50% on 2026-01-02, with a limit of 30%.",
        "age3 nights, 2026-01-02 to 2026-01-06",
        "Not so in 12.4% of the rows: tenure_days lies between 0 and 6000",
        "support_tickets_90d, discount_share, average_order_value and 6 more",
        "Expected to change from 2026-01-02 to 2026-01-16, by anna",
        "Muted from 2026-01-03 to 2026-01-06, by anna",
        "Retraining promoted version 3, ROC AUC 0.812 against 0.780",
        "2026-01-03 05:12 UTC: Mail to ml-team@example.com about the night of 2026-01-02",
        "Message to team-chat about the night of 2026-01-03; not sent: muted until 2026-01-05",
        samples.pair().digest,
    ):
        assert said in text, said


def test_the_time_line_goes_from_the_first_night_to_the_healthy_one_and_names_days_without_a_night() -> None:
    lines = re.findall(
        r"^- (2026-01-\d\d): (.*)$", markdown(view()).split("## Time line")[1].split("## Who")[0], re.MULTILINE
    )
    assert [day for day, _ in lines] == sorted(day for day, _ in lines)
    assert lines[0][1].startswith(
        "[Drifted: 9 of 18 columns (50%), retraining requested](../../2026-01-02/index.html); "
    )
    assert ("2026-01-05", "No night") in lines
    assert lines[-1] == ("2026-01-07", "[Healthy: none of 18 columns drifted](../../2026-01-07/index.html)")


def test_the_post_mortem_has_headings_for_what_is_known_and_for_what_people_add() -> None:
    text = markdown(view())
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    assert text.startswith("<!-- Nightjar writes this file again when something of the incident changes. Copy it ")
    assert re.findall(r"^# (.*)$", text, re.MULTILINE) == ["churn: Incident of 2026-01-02 to 2026-01-06"]


def test_of_an_incident_that_nobody_was_told_of_the_page_says_so() -> None:
    text = page(bare("db"))
    assert "Open, 2 nights so far" in text
    assert "It goes on." in text
    assert "Nobody, as far as the run store knows." in text
    assert "Nothing that the run store knows of." in text


def test_what_is_about_other_days_is_left_out() -> None:
    found = view()
    other = FIRST - timedelta(30)
    late = dataclasses.replace(
        found,
        told=(incidents.told(other),),
        retrainings=[found.retrainings[0].model_copy(update={"run_date": other})],
        notes=[incidents.noted_change(FIRST + timedelta(20)), incidents.noted_mute(other)],
    )
    assert page(late) == page(dataclasses.replace(found, told=(), retrainings=(), notes=()))


def test_a_long_incident_shows_its_first_and_newest_nights_and_counts_all() -> None:
    found = bare("d" * 200)
    text = page(found)
    assert "Open, 200 nights so far" in text
    assert "110 nights left out here" in text
    days = set(re.findall(r"\.\./(2026-\d\d-\d\d)/index", pages.incident_page(found).decode()))
    assert len(days) == MOST_NIGHTS
    assert {str(FIRST), str(FIRST + timedelta(199))} <= days
    assert str(FIRST + timedelta(1)) not in days


def test_the_sign_is_that_of_the_newest_trouble_until_it_is_over() -> None:
    classes = [
        re.search(r'class="state (\w+)"', pages.incident_page(bare(letters)).decode()) for letters in ("db", "dbh")
    ]
    assert [found and found[1] for found in classes] == ["data_broken", "healthy"]
    lost = IncidentView(samples.monitor(), incidents_of(nights("d" + "-" * 60 + "d"))[0])
    assert "Nobody knows how it ended: no night followed." in page(lost)


def test_hostile_text_is_no_markdown_and_stays_on_its_line() -> None:
    text = markdown(incidents.hostile())
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    assert not re.search(r"(?<!\\)<(?!!-- Nightjar)", re.sub(r"`[^`\n]*`", "", text))
    bad = "[x](javascript:alert(1)) ![y](http://evil.example) @everyone | <b>"
    night = nights("b")[0].model_copy(update={"found": bad})
    (incident,) = incidents_of([night])
    line = next(
        line for line in markdown(IncidentView(samples.monitor(), incident)).splitlines() if line.startswith("- 2026")
    )
    assert r"\[x\](javascript:alert(1)) !\[y\](http\://evil.example) \@everyone \| \<b\>" in line


def test_the_night_the_monitor_and_the_fleet_lead_to_the_incident() -> None:
    from pipeline.publish.facts.fleet import Watched
    from tests.publish.pages.samples import incident_night

    known = nights("hdbh-dd")
    monitor, fleet = (
        pages.monitor_page(samples.monitor(), known),
        pages.fleet_page([Watched(samples.monitor(), known)]),
    )
    assert {"incidents/2026-01-02/index.html", "incidents/2026-01-06/index.html"} <= set(Page(monitor).addresses)
    assert "2026-01-06 to 2026-01-07Open, 2 nights so far" in Page(monitor).text
    assert "2026-01-02 to 2026-01-03Over after 2 nights" in Page(monitor).text
    assert "incident since 2026-01-06, 2 nights" in Page(fleet).text
    assert "churn/incidents/2026-01-06/index.html" in Page(fleet).addresses
    calm = pages.fleet_page([Watched(samples.monitor(), nights("hdbh"))])
    assert "incident" not in Page(calm).text
    night = Page(pages.night_page(incident_night()))
    assert any(address.startswith("../incidents/") for address in night.addresses)
