"""How long steps take is kept beside their results and pushed; it is no part of the published night."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.errors import OutletUnavailable
from pipeline.publish.gauges import gateway
from pipeline.steps import nightly, timing
from pipeline.steps.pushing import fleet_gauges, push_durations
from pipeline.steps.walk import run_night
from tests.project import Project
from tests.servers.processes import LOOPBACK, free_port
from tests.servers.pushgateway import Pushgateway
from tests.steps.publishing import DAY, publish


def silent(_: str) -> None:
    pass


def test_a_night_tells_the_gateway_how_long_its_steps_took_and_which_monitors_there_are(
    project: Project, pushgateway: Pushgateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_PUSHGATEWAY_URL", pushgateway.url)
    night = project.complete()
    project.write_monitor("never_ran")
    project.write_text("monitors/wrong.yaml", "name: wrong\n")
    assert not run_night(night, silent).errors
    told = {found.labels["step"]: found.value for found in pushgateway.samples("model_monitor_step_duration_seconds")}
    assert sorted(told) == sorted({*timing.STEPS} - {"send_lineage"})  # no lineage server is set
    assert all(seconds >= 0 for seconds in told.values())
    assert max(told.values()) > 0
    assert timing.durations(night) == told
    assert not [name for name in night.published() if name.startswith(timing.StepTime.file)]
    due = pushgateway.value("model_monitor_next_night_due_timestamp_seconds", monitor=night.name)
    pushed = pushgateway.value("model_monitor_last_success_timestamp_seconds", monitor=night.name)
    assert due == pytest.approx(pushed + 4 * 3600)  # long past: whoever runs so old a day is given that much
    assert pushgateway.value("model_monitor_first_night_due_timestamp_seconds", monitor="never_ran") > pushed
    known = {found.labels["monitor"] for found in pushgateway.samples("model_monitor_configured")}
    assert known == {"people", "never_ran"}
    assert pushgateway.value("model_monitor_wrong_monitor_files") == 1


def test_how_long_steps_took_is_not_told_of_a_night_that_is_not_at_the_gateway_nor_of_an_older_one(
    project: Project, pushgateway: Pushgateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    monkeypatch.setenv("PIPELINE_PUSHGATEWAY_URL", f"http://{LOOPBACK}:{free_port()}")
    project.write_suite()
    project.write_monitor()
    monkeypatch.setattr(gateway, "with_retries", lambda _: lambda send, *told: send(*told))
    with pytest.raises(OutletUnavailable):
        publish(project, "people")
    caplog.clear()
    push_durations(project.night(str(DAY)))
    assert not caplog.records  # it is not tried: a later delivery brings the whole night
    monkeypatch.setenv("PIPELINE_PUSHGATEWAY_URL", pushgateway.url)
    nightly.push_gauges(project.night(str(DAY)))
    told = pushgateway.samples("model_monitor_step_duration_seconds")
    publish(project, "people", DAY - timedelta(days=1))
    push_durations(project.night(str(DAY - timedelta(days=1))))
    assert pushgateway.samples("model_monitor_step_duration_seconds") == told
    monkeypatch.setenv("PIPELINE_PUSHGATEWAY_URL", f"http://{LOOPBACK}:{free_port()}")
    push_durations(project.night(str(DAY)))
    assert "how long its steps took was not told" in caplog.text


def test_a_time_that_cannot_be_kept_breaks_no_step(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no clock")

    night = project.complete()
    monkeypatch.setattr(timing, "_keep", broken)
    assert nightly.pull_snapshots(night).production.rows > 0
    assert timing.durations(night) == {}


def test_monitor_files_that_cannot_be_listed_keep_no_night_from_the_gateway(project: Project) -> None:
    assert fleet_gauges(project.settings) is not None
    gone = project.settings.model_copy(update={"monitors_dir": project.root / "gone"})
    assert fleet_gauges(gone) is None
