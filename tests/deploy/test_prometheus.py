"""deploy/prometheus by promtool, the same program that Prometheus is made of, and the runbooks that its alerts name."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.errors import OutletRefused
from pipeline.publish.gauges import night
from pipeline.publish.gauges.catalogue import PREFIX, SECTIONS
from tests.servers.processes import require
from tests.servers.prometheus import Prometheus
from tests.servers.pushgateway import Pushgateway

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
RUNBOOKS = ROOT / "docs" / "runbooks"
GROUPS: dict[str, list[dict[str, Any]]] = {
    group["name"]: [rule for rule in group["rules"] if "alert" in rule]
    for group in yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"]
}
JOIN = "* on (environment, monitor) group_left (owner, page) monitor:info"
ALWAYS = "NightjarWatchdog"
RULES = {rule["alert"]: rule for rules in GROUPS.values() for rule in rules}
TEST_FILES = sorted(path.name for path in FOLDER.glob("*_test.yml"))
TESTS = [test for name in TEST_FILES for test in yaml.safe_load((FOLDER / name).read_text())["tests"]]
# What servers say of themselves: Prometheus of what it scrapes, and the Pushgateway of each group, with its labels.
OF_SERVERS = {
    "up": {"job", "instance"},
    "push_time_seconds": {"instance"},
    "push_failure_time_seconds": {"instance"},
}
OF_GROUP = {"job", "monitor", "flow", "environment"}
GAUGES = {
    **{name: labels | OF_GROUP for name, labels in OF_SERVERS.items()},
    **{
        family.full_name: {"job", "monitor", "environment", *family.labels, *(["flow"] if section.flow else [])}
        for section in SECTIONS
        for family in section.families
    },
}
each_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


def read_by(promql: str) -> Iterator[tuple[str, set[str]]]:
    """Every gauge that a rule or a series names, with the labels that it asks for."""
    for name, asked in re.findall(rf"\b({PREFIX}\w+|up|push_\w+)\b(?:\{{([^}}]*)\}})?", promql):
        yield name, set(re.findall(r"(\w+)\s*(?:=|!=|=~|!~)\s*\"", asked))


@pytest.mark.parametrize(
    "command",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "rules.yml"),
        *(("test", "rules", name) for name in TEST_FILES),
    ],
    ids=" ".join,
)
def test_promtool_is_content(command: tuple[str, ...]) -> None:
    promtool = require("promtool", "prometheus")
    done = subprocess.run([promtool, *command], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pushed_labels_are_kept() -> None:
    jobs = {job["job_name"]: job for job in yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]}
    assert jobs["pushgateway"]["honor_labels"] is True
    assert set(jobs) == {"pushgateway", "prometheus", "alertmanager", "node"}


def test_alerts_are_apart_for_the_model_the_data_and_the_plumbing() -> None:
    assert list(GROUPS) == ["monitors", "model", "data", "plumbing"]
    assert len(RULES) == sum(map(len, GROUPS.values()))
    assert GROUPS["monitors"] == []
    for area in ("model", "data", "plumbing"):
        assert {rule["labels"]["area"] for rule in GROUPS[area]} == {area}


@each_rule
def test_every_alert_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert set(rule["annotations"]) == {"runbook_url", "summary", "description"}
    assert len(rule["annotations"]["description"]) > 100


@each_rule
def test_every_alert_is_tested_both_ways(rule: dict[str, Any]) -> None:
    cases = [case for test in TESTS for case in test["alert_rule_test"] if case["alertname"] == rule["alert"]]
    assert {bool(case.get("exp_alerts")) for case in cases} == {True, rule["alert"] == ALWAYS}


@each_rule
def test_every_alert_keeps_its_monitor_where_it_is_about_one(rule: dict[str, Any]) -> None:
    about_all = {"NightjarNoGauges", "NightjarPushgatewayDown", ALWAYS}
    fired = [
        alert["exp_labels"]
        for test in TESTS
        for case in test["alert_rule_test"]
        if case["alertname"] == rule["alert"]
        for alert in case.get("exp_alerts", [])
    ]
    assert {"monitor" in labels for labels in fired} == {rule["alert"] not in about_all}
    assert (JOIN in rule["expr"]) == (rule["alert"] not in about_all)


@each_rule
def test_alerts_read_gauges_that_are_pushed_by_labels_that_they_have(rule: dict[str, Any]) -> None:
    found = list(read_by(rule["expr"]))
    assert found or rule["alert"] == ALWAYS
    for name, labels in found:
        assert labels <= GAUGES[name], f"{name} has no {labels - GAUGES[name]}"


def test_alerts_are_tested_on_series_as_they_are_pushed() -> None:
    for series in (series["series"] for test in TESTS for series in test["input_series"]):
        ((name, labels),) = read_by(series)
        assert labels <= GAUGES[name], f"{series}: no {labels - GAUGES[name]}"


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert sorted(path.stem for path in RUNBOOKS.iterdir()) == sorted(RULES)


def test_the_notes_list_every_alert_as_it_is() -> None:
    notes = (ROOT / "docs" / "notifications.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[`(\w+)`\]\(runbooks/(\w+)\.md\) \| (\w+) \| (\w+) \| .{10,} \|$", notes, re.MULTILINE)
    labels = ((name, rule["labels"]) for name, rule in RULES.items())
    assert listed == [(name, name, found["area"], found["severity"]) for name, found in labels]


@each_rule
def test_a_runbook_says_what_the_rule_says_and_what_to_do(rule: dict[str, Any]) -> None:
    path = ROOT / rule["annotations"]["runbook_url"]
    assert path == RUNBOOKS / f"{rule['alert']}.md"
    title, facts, *rest = path.read_text(encoding="utf-8").split("\n\n")
    assert title == f"# {rule['alert']}"
    assert facts == f"Severity: {rule['labels']['severity']}. Area: {rule['labels']['area']}."
    assert rest[0::2] == [
        "## What it means", "## What to look at first", "## How to fix it", "## Whom to ask",
    ]  # fmt: skip
    assert all(len(text) > 20 for text in rest[1::2])


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: str(path.stem))
def test_a_runbook_leads_to_pages_and_headings_that_are_there_and_to_real_gauges(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for name, labels in read_by(" ".join(re.findall(rf"`({PREFIX}[^`]*)`", text))):
        assert labels <= GAUGES[name]
    for address, heading in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", text):
        target = (path.parent / address).read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.*)$", target, re.MULTILINE)
        assert not heading or heading in {re.sub(r"[^\w -]", "", found).lower().replace(" ", "-") for found in headings}


def test_a_push_that_the_gateway_refuses_rings_until_it_takes_one(
    pushgateway: Pushgateway, prometheus: Prometheus
) -> None:
    expression = RULES["NightjarPushRefused"]["expr"].replace(JOIN, "")
    night.push(b"model_monitor_rows 1\n", "churn", pushgateway.url, 1.0)
    prometheus.wait_for('push_time_seconds{job="nightjar", monitor="churn"}')
    assert not prometheus.query(expression)
    twice = b"model_monitor_rows 1\nmodel_monitor_rows 2\n"
    with pytest.raises(OutletRefused, match="inconsistent"):
        night.push(twice, "churn", pushgateway.url, 2.0)
    (alert,) = prometheus.wait_for(expression)
    assert alert.labels == {"monitor": "churn"}
    night.push(b"model_monitor_rows 3\n", "churn", pushgateway.url, 3.0)
    prometheus.wait_for("model_monitor_rows == 3")
    assert not prometheus.query(expression)
