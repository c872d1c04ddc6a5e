"""What a backtest found, for the terminal and for a pull request."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from pipeline.publish.messages.backtest import markdown, text
from pipeline.results import Alarms, BacktestNight, BacktestResult, Decided, Decision, Incident

FIRST = date(2026, 1, 1)


def decided(status: str, *columns: str, **decision: Any) -> Decided:
    found = {"snapshots": "s", "status": status, "retrain": False, "reason": "r", **decision}
    return Decided(decision=Decision.model_validate(found), columns=columns, alarm=status == "drifted")


def night(place: int, before: Decided | None, after: Decided | None, left_out: str | None = None) -> BacktestNight:
    return BacktestNight(run_date=FIRST + timedelta(days=place), before=before, after=after, left_out=left_out)


def result(**changes: Any) -> BacktestResult:
    nights = (
        night(0, decided("healthy"), decided("healthy")),
        night(1, decided("drifted", "age", "a|`b", retrain=True), decided("healthy", "age")),
        night(2, decided("drifted", hold="cooldown"), decided("drifted", "city", retrain=True)),
        night(3, decided("data_broken", hold="quality_failed"), decided("data_broken", hold="quality_failed")),
        night(4, decided("healthy"), None, "it has no profile"),
        night(5, decided("healthy"), None, "it has no profile"),
    )
    whole: dict[str, Any] = {
        "monitor": "people",
        "first": FIRST,
        "last": FIRST + timedelta(days=6),
        "settings": {"drift.limit": "0.4"},
        "nights": nights,
        "compared": 4,
        "before": Alarms(alarms=2, retrainings=1, first_alarm=FIRST + timedelta(days=1)),
        "after": Alarms(alarms=1, retrainings=1, first_alarm=FIRST + timedelta(days=2)),
        "missing": (FIRST + timedelta(days=6),),
    }
    return BacktestResult.model_validate(whole | changes)


def test_the_terminal_shows_every_night_and_a_star_where_it_is_decided_otherwise() -> None:
    assert (
        text(result())
        == """\
people, 2026-01-01 to 2026-01-07, decided again with drift.limit 0.4

  night       stored                   new               columns: + drifts now, - no longer
  2026-01-01  healthy                  healthy
* 2026-01-02  drifted, retrain         healthy           -a|`b
* 2026-01-03  drifted, held: cooldown  drifted, retrain  +city
  2026-01-04  data broken              data broken
  2026-01-05  healthy                  -
  2026-01-06  healthy                  -

of 4 nights            stored      new
drifted                2           1
retrainings asked for  1           1
first drifted          2026-01-02  2026-01-03

left out: 2026-01-05, 2026-01-06: it has no profile
no night is published of 2026-01-07
"""
    )


def test_a_comment_has_the_summary_and_only_what_is_decided_otherwise() -> None:
    found = markdown(result(against="base.yaml", settings={}, not_asked=("notify.when",)))
    assert (
        found
        == """\
### people: 2 of 4 nights are decided otherwise

2026-01-01 to 2026-01-07, decided again as the monitor file is now.

| of 4 nights | base.yaml | new |
| --- | --- | --- |
| drifted | 2 | 1 |
| retrainings asked for | 1 | 1 |
| first drifted | 2026-01-02 | 2026-01-03 |

| night | base.yaml | new | columns: + drifts now, - no longer |
| --- | --- | --- | --- |
| 2026-01-02 | drifted, retrain | healthy | -`a/'b` |
| 2026-01-03 | drifted, held: cooldown | drifted, retrain | +`city` |

- left out: 2026-01-05, 2026-01-06: it has no profile
- no night is published of 2026-01-07
- differs as well, and is not decided again: notify.when
"""
    )


def test_a_comment_on_a_change_that_changes_nothing_says_so() -> None:
    quiet = (night(0, decided("healthy"), decided("healthy")),)
    found = markdown(result(nights=quiet, compared=1, missing=()))
    assert found.startswith("### people: none of 1 night is decided otherwise\n")
    assert "| night |" not in found


def test_a_long_comment_is_cut_and_says_so() -> None:
    many = tuple(night(place, decided("healthy"), decided("drifted")) for place in range(64))
    found = markdown(result(nights=many, compared=64))
    assert found.count("\n| 2026-") == 60
    assert "And 4 more nights." in found


def test_incidents_say_when_they_were_found() -> None:
    incidents = [
        Incident(first=FIRST, last=FIRST + timedelta(days=2), nights=3, before=0, after=2),
        Incident(first=FIRST + timedelta(days=8), last=FIRST + timedelta(days=9), nights=0, before=None, after=None),
        Incident(first=FIRST + timedelta(days=3), last=FIRST + timedelta(days=3), nights=1, before=None, after=None),
    ]
    sides = {
        side: Alarms(alarms=3, retrainings=0, false_alarms=many, quiet_nights=1_200)
        for side, many in (("before", 1), ("after", 0))
    }
    told = text(result(incidents=incidents, **sides))
    rows = [" ".join(line.split()) for line in told.splitlines()]
    assert "false alarms (outside of incidents) 1 of 1,200 nights 0 of 1,200 nights" in rows
    assert "incident 2026-01-01..2026-01-03 found on its first night 2 nights later" in rows
    assert "incident 2026-01-09..2026-01-10 found no nights no nights" in rows
    assert "incident 2026-01-04..2026-01-04 found not found not found" in rows


def test_names_from_the_data_stay_on_their_line() -> None:
    odd = (night(0, decided("healthy"), decided("drifted", "a\nb | c")),)
    assert "+a\\nb | c\n" in text(result(nights=odd))
    assert "| +`a\\nb / c` |" in markdown(result(nights=odd))
