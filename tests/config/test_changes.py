"""Settings in place of those of a monitor file."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.changes import change, read_changes
from pipeline.config.monitor_files import load_changed, load_version
from pipeline.errors import ConfigError
from tests.project import Project


def test_keys_are_taken_apart_and_values_read_as_in_a_file() -> None:
    found = read_changes(
        [
            ("drift.limit", "0.4"),
            ("drift.alarms", "null"),
            ("drift.critical", "[age, 'a, b']"),
            ("drift.columns.first.name.threshold", "0.2"),
            ("drift.columns.first.name", "{threshold: 1}"),
            ("retrain.nights_over", "{at_least: 2, of: 3}"),
            ("drift.limit", "0.5"),
        ],
        ("drift", "retrain"),
    )
    assert found == {
        ("drift", "limit"): 0.5,
        ("drift", "alarms"): None,
        ("drift", "critical"): ["age", "a, b"],
        ("drift", "columns", "first.name", "threshold"): 0.2,
        ("drift", "columns", "first.name"): {"threshold": 1},
        ("retrain", "nights_over"): {"at_least": 2, "of": 3},
    }


def test_every_setting_that_cannot_be_read_is_named() -> None:
    given = [("notify.when", "change"), ("drift.limit", "["), ("drift..limit", "1"), ("retrain.on", "[drift]")]
    with pytest.raises(ConfigError) as refused:
        read_changes(given, ("drift", "retrain"))
    assert refused.value.problems == (
        "--notify.when: unknown setting; allowed: keys under drift and retrain",
        "--drift.limit: found '['; allowed: a value as in a monitor file",
        "--drift..limit: unknown setting; allowed: keys under drift and retrain",
    )


@pytest.mark.parametrize(
    ("drift", "changes", "wanted"),
    [
        ({}, {("drift", "limit"): 0.4}, {"limit": 0.4}),
        ({"alarms": None}, {("drift", "alarms", "per_nights"): 9}, {"alarms": {"per_nights": 9}}),
        ({"alarms": {"per_nights": 9}}, {("drift", "alarms", "window"): 2}, {"alarms": {"per_nights": 9, "window": 2}}),
        (
            {"numerical": {"method": "ks"}, "columns": {"a": {"threshold": 1}}, "limit": 0.2},
            {("drift", "alarms", "per_nights"): 9},
            {"alarms": {"per_nights": 9}, "limit": 0.2},
        ),
        (
            {"numerical": {"method": "ks"}, "alarms": None},
            {("drift", "alarms"): None},
            {"numerical": {"method": "ks"}, "alarms": None},
        ),
    ],
)
def test_settings_take_their_places(drift: dict[str, Any], changes: dict[Any, Any], wanted: dict[str, Any]) -> None:
    data = {"name": "people", "drift": drift}
    change(data, changes)
    assert data == {"name": "people", "drift": wanted}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("drift.limt", "0.4", "--drift.limt: unknown key; allowed: alarms, "),
        ("drift.limit", "3", "--drift.limit: found 3; allowed: a number from 0 to 1"),
        ("drift.limit", "'0.4'", "--drift.limit: found '0.4'; allowed: "),
        ("drift.alarms.per_nights", "1", "--drift.alarms.per_nights: found 1; allowed: "),
        ("retrain.nights_over", "{at_least: 3, of: 2}", "--retrain.nights_over: allowed: 'at_least' of no more nights"),
        ("drift.critical", "[id]", "--drift.critical.0: found 'id', which is the id; allowed: compared columns"),
    ],
)
def test_what_the_file_might_not_say_is_told_with_the_key(project: Project, key: str, value: str, words: str) -> None:
    project.write_suite()
    project.write_monitor()
    with pytest.raises(ConfigError) as refused:
        load_changed("people", project.settings, read_changes([(key, value)], ("drift", "retrain")))
    assert str(refused.value).startswith(words)


def test_mistakes_of_the_file_itself_are_told_as_such(project: Project) -> None:
    path = project.write_monitor(drift={"limit": 3})
    with pytest.raises(ConfigError, match=r"people\.yaml:\d+: drift\.limit: found 3"):
        load_changed("people", project.settings, {("drift", "limit"): 0.4})
    path.rename(path.with_name("base.txt"))
    with pytest.raises(ConfigError, match=r"base\.txt:\d+: drift\.limit: found 3"):
        load_version(path.with_name("base.txt"), "people")


def test_another_version_of_a_file_may_lie_anywhere_and_is_of_the_same_monitor(project: Project) -> None:
    path = project.write_monitor(drift={"limit": 0.4})
    other = path.rename(project.root / "base.yml")
    assert load_version(other, "people").drift.limit == 0.4
    with pytest.raises(ConfigError, match=r"name: found 'people'; allowed: 'churn'$"):
        load_version(other, "churn")
    with pytest.raises(ConfigError, match=r"gone\.yaml"):
        load_version(project.root / "gone.yaml", "people")
