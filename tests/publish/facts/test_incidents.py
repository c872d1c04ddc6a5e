"""Which nights are one incident, and where each stands in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import pytest

from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.incidents import Incident, incidents_of, moved, standing_of
from pipeline.results import Status, Told
from tests.publish.incidents import FIRST, nights


def spans(found: Sequence[Incident]) -> list[tuple[int, int, str]]:
    return [((one.first - FIRST).days, (one.last - FIRST).days, one.words) for one in found]


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ("hhh", []),
        ("hdh", [(1, 1, "over after 1 night")]),
        ("hddd", [(1, 3, "open, 3 nights so far")]),
        ("dghbdsh", [(0, 1, "over after 2 nights"), (3, 5, "over after 3 nights")]),
        ("d-d-h", [(0, 2, "over after 2 nights")]),
        ("dfdfh", [(0, 2, "over after 2 nights")]),
        ("fdff", [(1, 1, "open, 1 night so far")]),
        ("hfh", []),
        ("d" + "-" * 44 + "d", [(0, 45, "open, 2 nights so far")]),
        ("d" + "-" * 45 + "d", [(0, 0, "not known how it ended, after 1 night"), (46, 46, "open, 1 night so far")]),
        ("d" + "-" * 45 + "h", [(0, 0, "not known how it ended, after 1 night")]),
    ],
)
def test_consecutive_troubled_nights_are_one_incident(signs: str, expected: list[tuple[int, int, str]]) -> None:
    assert spans(incidents_of(nights(signs))) == expected


def test_nights_that_ran_in_another_order_are_the_same_incidents() -> None:
    known = nights("hdbdhfd")
    changed = [night for night in known if night.run_date != FIRST + timedelta(2)]
    later = sorted([*changed, known[2]], key=lambda night: night.run_date)
    assert incidents_of(later) == incidents_of(known)


def test_a_later_night_changes_nothing_of_where_a_night_stands() -> None:
    known = nights("hdbdhdd")
    for place, night in enumerate(known):
        assert standing_of(known[: place + 1], night.run_date) == standing_of(known, night.run_date)


def test_a_night_is_counted_and_the_healthy_one_after_says_that_it_is_over() -> None:
    known = nights("hdbdh")
    lines = [None if found is None else found.line for found in (standing_of(known, day.run_date) for day in known)]
    assert lines == [
        None,
        "",
        "Night 2 of the incident that began on 2026-01-02",
        "Night 3 of the incident that began on 2026-01-02",
        "Over after 3 nights: the incident from 2026-01-02 to 2026-01-04",
    ]
    (only,) = [standing_of(nights("dh"), day) for day in [FIRST + timedelta(1)]]
    assert only is not None
    assert only.line == "Over after 1 night: the incident on 2026-01-01"


def test_the_first_night_of_the_worst_state_names_the_incident() -> None:
    known = nights("dgdbdb")
    naming = [standing.naming.run_date.day for night in known if (standing := standing_of(known, night.run_date))]
    assert naming == [1, 2, 2, 4, 4, 4]


def told(day: int, outlet: str, said: str = "sent", about: Literal["night", "retraining"] = "night") -> Told:
    return Told(
        run_date=FIRST + timedelta(day),
        about=about,
        outlet=outlet,
        moment=datetime(2026, 1, 2 + day, 5, tzinfo=UTC),
        said=said,
        identity=f"<{day}@{outlet}>",
    )


def test_the_first_mail_that_was_sent_before_a_night_is_known() -> None:
    known = nights("hdddh")
    log = [told(0, "mail"), told(1, "mail", "not sent: muted"), told(1, "mail", about="retraining"), told(2, "mail")]
    found = [standing_of(known, FIRST + timedelta(day), log) for day in (1, 2, 3, 4)]
    assert [None if one is None else (one.first_mail, one.was_told) for one in found] == [
        ("", False),
        ("", False),
        ("<2@mail>", True),
        ("<2@mail>", True),
    ]
    by_chat = standing_of(known, FIRST + timedelta(2), [told(1, "team")])
    assert by_chat is not None
    assert (by_chat.first_mail, by_chat.was_told) == ("", True)


@pytest.mark.parametrize(
    ("before", "after", "days"),
    [("hddh", "hddh", []), ("hddh", "hhdh", [1, 2, 3]), ("dd-d", "ddhd", [2, 3]), ("hddd", "ddddd", [0, 1, 2, 3, 4])],
)
def test_the_nights_that_stand_elsewhere_after_a_rerun_are_named(before: str, after: str, days: list[int]) -> None:
    assert [(day - FIRST).days for day in moved(nights(before), nights(after))] == days


def test_stale_data_is_trouble_whatever_else_is_well() -> None:
    (late,) = nights("s")
    assert (late.status, late.state) == ("healthy", "stale")
    assert len(incidents_of([late])) == 1


def test_a_failure_that_blocks_nothing_is_no_incident() -> None:
    (calm,) = nights("h")
    assert incidents_of([calm.model_copy(update={"failures": 3})]) == ()


def test_every_status_is_an_incident_or_named_as_none() -> None:
    statuses: dict[Status, int] = {"healthy": 0, "too_few_rows": 0, "drifted": 1, "degraded": 1, "data_broken": 1}
    (calm,) = nights("h")
    night: PastNight
    for status, many in statuses.items():
        night = calm.model_copy(update={"status": status, "run_date": date(2026, 1, 1)})
        assert len(incidents_of([night])) == many
