"""Several installations (`PIPELINE_ENVIRONMENT`) on one Pushgateway, and one whose name changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from pipeline.cli import main
from pipeline.errors import ExitCode, OutletUnavailable
from pipeline.publish.gauges import fleet, gateway, night, probation, retired, retraining
from pipeline.steps import nightly
from pipeline.steps.pushing import fleet_gauges
from tests.project import Project
from tests.publish import probations, retrainings
from tests.servers.processes import LOOPBACK, free_port
from tests.servers.pushgateway import Pushgateway
from tests.steps.publishing import DAY, publish

Named = Callable[[str | None], None]


@pytest.fixture
def named(project: Project, pushgateway: Pushgateway, monkeypatch: pytest.MonkeyPatch) -> Named:
    """Makes the project an installation of that name, with a store of its own for each name that begins anew."""
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    monkeypatch.setenv("PIPELINE_PUSHGATEWAY_URL", pushgateway.url)
    project.write_suite()
    project.write_monitor("people")

    def call(name: str | None) -> None:
        if name is None:
            monkeypatch.delenv("PIPELINE_ENVIRONMENT", raising=False)
        else:
            monkeypatch.setenv("PIPELINE_ENVIRONMENT", name)

    return call


def groups(pushgateway: Pushgateway) -> set[str]:
    """The groups, as `monitor flow environment`, with a dash for what one does not have."""
    shown = ("monitor", "flow", "environment")
    return {" ".join(group.get(label, "-") for label in shown) for group in pushgateway.groups()}


def push_flows(pushgateway: Pushgateway, environment: str | None) -> None:
    told = probation.exposition(probations.found("rolled_back"))
    probation.push(told, "people", pushgateway.url, environment=environment)
    told = retraining.exposition(retrainings.retraining())
    retraining.push(told, "people", pushgateway.url, 1.0, environment=environment)
    retraining.push_champion("people", "7", pushgateway.url, environment=environment)


def test_two_installations_keep_their_groups_and_retire_takes_those_of_one(
    project: Project, named: Named, pushgateway: Pushgateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("production", "staging"):
        monkeypatch.setenv("PIPELINE_STORE", str(project.root / name))
        named(name)
        publish(project, "people")
        push_flows(pushgateway, name)
    nightly.report_failure(project.night(str(DAY)), "measure_drift")
    both = {
        f"{group} {name}"
        for name in ("production", "staging")
        for group in ("people -", "people retraining", "people probation", "- fleet")
    }
    assert groups(pushgateway) == both
    assert {sample.labels["environment"] for sample in pushgateway.samples("model_monitor_")} == {
        "production",
        "staging",
    }
    (failed,) = pushgateway.samples("model_monitor_last_failure_timestamp_seconds")
    assert failed.labels["environment"] == "staging"
    assert main(["retire", "people", "--yes"]) == ExitCode.SOUND
    assert groups(pushgateway) == {group for group in both if "production" in group} | {"- fleet staging"}


def test_without_a_name_groups_are_as_ever(project: Project, named: Named, pushgateway: Pushgateway) -> None:
    named(None)
    publish(project, "people")
    push_flows(pushgateway, None)
    assert groups(pushgateway) == {"people - -", "people retraining -", "people probation -", "- fleet -"}


@pytest.mark.parametrize(("before", "after"), [(None, "staging"), ("staging", "production"), ("staging", None)])
def test_the_groups_of_the_name_before_go_with_the_first_night_of_the_new_one(
    before: str | None, after: str | None, project: Project, named: Named, pushgateway: Pushgateway
) -> None:
    named(before)
    publish(project, "people")
    push_flows(pushgateway, before)
    named(after)
    publish(project, "people")
    assert groups(pushgateway) == {f"people - {after or '-'}", f"- fleet {after or '-'}"}
    # Once: what another installation has there is its own.
    gateway.send("PUT", b"up 1\n", gateway.group_of("people", environment=before), pushgateway.url, lambda _: None)
    publish(project, "people")
    assert f"people - {before or '-'}" in groups(pushgateway)


def test_a_version_that_noted_no_name_pushed_without_one(
    project: Project, named: Named, pushgateway: Pushgateway
) -> None:
    named("staging")
    publish(project, "people", DAY - timedelta(days=1))
    (project.store / "people/.receipts/environment").unlink()
    for group in pushgateway.groups():
        key = gateway.group_of(group.get("monitor", ""), flow=group.get("flow", ""), environment="staging")
        gateway.send("DELETE", b"", key, pushgateway.url, lambda _: None)
    text = (project.store / "people" / str(DAY - timedelta(days=1)) / "gauges.prom").read_bytes()
    assert b'environment="staging"' in text  # the gateway takes no series twice, from whichever group
    night.push(text, "people", pushgateway.url, 1.0)
    fleet.push(fleet_gauges(project.settings) or b"", pushgateway.url)
    publish(project, "people")
    assert groups(pushgateway) == {"people - staging", "- fleet staging"}


def test_a_new_installation_leaves_the_groups_of_one_without_a_name_alone(
    project: Project, named: Named, pushgateway: Pushgateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(None)
    publish(project, "people")
    monkeypatch.setenv("PIPELINE_STORE", str(project.root / "other"))
    named("staging")
    publish(project, "people")
    assert groups(pushgateway) == {"people - -", "- fleet -", "people - staging", "- fleet staging"}


def test_what_could_not_be_removed_is_with_the_next_push(
    project: Project, named: Named, pushgateway: Pushgateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(None)
    publish(project, "people")
    named("staging")
    remove = retired.remove

    def interrupted(*_: object, **__: object) -> None:
        raise OutletUnavailable(f"http://{LOOPBACK}:{free_port()} is gone")

    monkeypatch.setattr(retired, "remove", interrupted)
    with pytest.raises(OutletUnavailable):
        publish(project, "people")
    monkeypatch.setattr(retired, "remove", remove)
    nightly.push_gauges(project.night(str(DAY)))
    assert groups(pushgateway) == {"people - staging", "- fleet staging"}
