"""What `python -m pipeline site` makes of nights whose publisher was killed, on S3."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta

import pytest

from pipeline.cli import main
from pipeline.results import DriftResult
from pipeline.steps import nightly as steps
from pipeline.steps.night import Night
from pipeline.steps.unmeasured import no_profile
from pipeline.storage import lease
from tests.project import Project
from tests.publish import samples
from tests.servers.s3 import S3
from tests.storage.stopping import Requests

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
DAY = date(2026, 1, 14)


@pytest.fixture
def on_s3(project: Project, s3: S3, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    monkeypatch.setenv("PIPELINE_STORE", s3.uri("store"))
    project.write_suite()
    project.write_monitor()
    return project


def kept(project: Project, day: date, drift: DriftResult) -> Night:
    """A night whose steps have kept their results, ready to be published."""
    night, view = project.night(str(day)), samples.view("people", day)
    results = {"quality": view.quality, "drift": drift, "performance": view.performance, "decision": view.decision}
    night.store.save("people", day, "snapshots", view.pair)
    night.save(no_profile(view.pair))
    for name, result in results.items():
        night.store.save("people", day, name, result.model_copy(update={"snapshots": view.pair.digest}))
    return night


def as_people_find_it(s3: S3, day: date) -> dict[str, bytes]:
    """The files of a night in their places, which all have to be of one publication."""
    manifest = json.loads(s3.get(f"store/people/{day}/night.json"))
    found = {name: s3.get(f"store/people/{day}/{name}") for name in manifest["files"]}
    assert {name: hashlib.sha256(content).hexdigest() for name, content in found.items()} == manifest["files"]
    return found


def test_a_night_whose_publisher_was_killed_between_two_files_is_whole_after_the_pages_were_written_again(
    on_s3: Project, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps.render_report(kept(on_s3, DAY - timedelta(1), samples.drift()))
    steps.render_report(kept(on_s3, DAY, samples.drift()))
    before = as_people_find_it(s3, DAY)
    night = kept(on_s3, DAY, samples.drift(18, 17))
    with Requests().killed_at_copy(len(before)):  # the last one is the page
        steps.render_report(night)
    torn = {name: s3.get(f"store/people/{DAY}/{name}") for name in before}
    assert torn["drift.json"] != before["drift.json"]
    assert torn["index.html"] == before["index.html"]
    monkeypatch.setattr(lease, "EXPIRES_SECONDS", -1.0)

    assert main(["site"]) == 0

    assert as_people_find_it(s3, DAY) == night.store.read_night("people", DAY)
    assert b"94.4%" in as_people_find_it(s3, DAY)["index.html"]
