"""A night as OpenLineage events at a real server on loopback, each valid by the specification's own schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from pipeline.cli import main
from pipeline.publish.lineage.events import namespace, run_id
from tests.project import Project
from tests.servers.processes import LOOPBACK, free_port
from tests.servers.webhook import Webhook

SPEC = Path(__file__).parents[1] / "publish/lineage/spec"
SCHEMAS = [json.loads(path.read_text()) for path in sorted(SPEC.glob("*.json"))]
KNOWN = Registry().with_resources([(schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS])
KEY = "a-key-that-nobody-reads"
RUN = ["run", "people", "--date", "2026-01-14"]
DELIVER = [*RUN, "--deliver"]


def facets(event: dict[str, Any]) -> list[dict[str, Any]]:
    places = [event["run"], event["job"], *event["inputs"], *event["outputs"]]
    return [facet for place in places for key in ("facets", "inputFacets") for facet in place.get(key, {}).values()]


def require_valid(event: dict[str, Any]) -> None:
    """By the schema that the event and each of its facets names."""
    for told in (event, *facets(event)):
        address = told.get("schemaURL") or told["_schemaURL"]
        checker = Draft202012Validator(
            {"$ref": address}, registry=KNOWN, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        checker.validate(told)


@pytest.fixture
def wanted(project: Project, webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A night with a failed expectation and a private column, and a server for events."""
    project.complete(drifted=True, columns={"id": "id", "private": ["city"]})
    kwargs = {"column": "city", "value_set": ["Bern", "Graz"]}
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    project.write_suite(
        expectations=[
            {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "id"}, "severity": "critical"},
            {"type": "expect_column_values_to_be_in_set", "kwargs": kwargs, "severity": "warning"},
        ]
    )
    monkeypatch.setenv("OPENLINEAGE_URL", webhook.url)
    monkeypatch.setenv("OPENLINEAGE_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", LOOPBACK)
    return project


@pytest.mark.slow
def test_a_night_is_told_by_valid_events_once_and_holds_no_value(
    wanted: Project, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(RUN) == 0
    assert {request.path for request in webhook.requests} == {"/api/v1/lineage"}
    assert {request.headers["authorization"] for request in webhook.requests} == {f"Bearer {KEY}"}
    events = [request.json() for request in webhook.requests]
    assert [event["eventType"] for event in events] == ["START", "COMPLETE"]
    for event in events:
        require_valid(event)
    done = events[1]
    assert events[0]["run"]["runId"] == done["run"]["runId"]
    assert events[0]["eventTime"] < done["eventTime"]
    reference, production = done["inputs"]
    data = wanted.root / "data"
    assert (reference["namespace"], reference["name"]) == ("file", str(data / "reference"))
    assert (production["namespace"], production["name"]) == ("file", str(data / "production/dt=2026-01-14"))
    assert production["inputFacets"]["inputStatistics"]["rowCount"] == 1_500
    assert {field["name"] for field in production["facets"]["schema"]["fields"]} >= {"age", "city"}
    kept = json.loads((wanted.store / "people/2026-01-14/quality.json").read_text())["outcomes"]
    told = production["inputFacets"]["dataQualityAssertions"]["assertions"]
    expected = [(item["expectation"], item["column"], item["passed"]) for item in kept]
    assert [(item["assertion"], item.get("column"), item["success"]) for item in told] == expected
    assert not all(item["success"] for item in told)
    assert done["run"]["facets"]["nightjar_verdict"]["status"] == "drifted"
    for value in ("Bern", "Graz", "Lyon", KEY):
        assert value not in json.dumps(events)
    assert main(DELIVER) == 0
    assert len(webhook.requests) == 2

    webhook.respond(422)  # a server that was told something else, and refuses it
    monkeypatch.setenv("PIPELINE_REPORT_BASE_URL", "https://reports.example.com")
    assert main(DELIVER) == 5
    runs = wanted.store / "people/2026-01-14/runs.json"
    assert json.loads(runs.read_text())["missing"] == ["OpenLineage"]
    assert main(DELIVER) == 0
    assert json.loads(runs.read_text())["missing"] == []
    again = webhook.requests[-1].json()
    assert again["run"]["facets"]["nightjar_verdict"]["page"].startswith(
        "https://reports.example.com/people/2026-01-14/"
    )
    assert again["run"]["runId"] == done["run"]["runId"]

    told = len(webhook.requests)
    (data / "production/dt=2026-01-14/part-0.parquet").write_text("no parquet")
    assert main(RUN) == 3
    assert len(webhook.requests) == told  # what was published stands


@pytest.mark.slow
def test_a_server_that_is_down_or_sends_on_costs_nothing_else_and_no_secret(
    wanted: Project, webhook: Webhook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pipeline.storage.retries.ATTEMPTS", 1)
    monkeypatch.setenv("OPENLINEAGE_URL", f"http://someone:hunter2@{LOOPBACK}:{free_port()}")
    assert main(RUN) == 5
    said = "".join(capsys.readouterr())
    assert "the lineage server at http://127.0.0.1" in said
    assert "connection refused; check that it runs, and host and port in OPENLINEAGE_URL" in said
    assert json.loads((wanted.store / "people/2026-01-14/runs.json").read_text())["missing"] == ["OpenLineage"]
    monkeypatch.setenv("OPENLINEAGE_URL", webhook.url)
    webhook.respond(302, headers={"Location": f"{webhook.url}/elsewhere"})
    assert main(DELIVER) == 5
    said += "".join(capsys.readouterr())
    assert "sends events on to another address" in said
    assert [request.path for request in webhook.requests] == ["/api/v1/lineage"]
    assert "hunter2" not in said
    assert KEY not in said
    monkeypatch.delenv("OPENLINEAGE_URL")
    assert main(DELIVER) == 0
    assert json.loads((wanted.store / "people/2026-01-14/runs.json").read_text())["missing"] == []
    assert "lineage" not in "".join(capsys.readouterr()).lower()


def test_a_night_that_breaks_is_a_failed_run_without_words_until_it_is_run_again(
    project: Project, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", webhook.url)
    monkeypatch.setenv("NO_PROXY", LOOPBACK)
    monkeypatch.setenv("PIPELINE_ENVIRONMENT", "staging")
    night = project.complete()
    (project.root / "data/production/dt=2026-01-14/part-0.parquet").write_text("no parquet")
    assert main(RUN) == 3
    (event,) = (request.json() for request in webhook.requests)
    require_valid(event)
    assert event["eventType"] == "FAIL"
    assert event["run"]["facets"]["errorMessage"]["message"] == "run broke: the log of the night says why"
    assert event["run"]["runId"] == run_id("nightjar-staging", "nightly_people", night.run_date)
    assert "part-0" not in json.dumps(event)


def test_the_namespace_is_openlineages_own_or_the_installations(monkeypatch: pytest.MonkeyPatch) -> None:
    assert namespace(None) == "nightjar"
    assert namespace("staging") == "nightjar-staging"
    monkeypatch.setenv("OPENLINEAGE_NAMESPACE", "models")
    assert namespace("staging") == "models"
