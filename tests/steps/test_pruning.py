"""Old nights go with all that is of them, and what something still needs stays."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import mlflow
import pytest

from pipeline.cli import main
from pipeline.errors import ExitCode, OutletUnavailable
from pipeline.results import Kept, SnapshotPair
from pipeline.steps import nightly as steps
from pipeline.steps import pages
from pipeline.steps.night import Night, open_workspace
from pipeline.steps.pruning import plan
from pipeline.steps.unmeasured import no_profile
from pipeline.steps.walk import run_night
from pipeline.storage import s3 as s3_storage
from tests.project import Project
from tests.publish import samples
from tests.publish.retrainings import retraining
from tests.servers.processes import LOOPBACK, free_port
from tests.servers.s3 import S3

FIRST = date(2026, 1, 10)
SHORT_SIGHTED: dict[str, Any] = {
    "performance": {"window_days": 1, "trend_nights": 0},
    "retrain": {"window_days": 1, "cooldown_days": 0, "probation_days": 0},
    "quality": {"suite": "people", "checks": {"row_history": None}},
}
"""A monitor whose nights look at the night before them and no further."""


def day(number: int) -> date:
    return FIRST + timedelta(number)


@pytest.fixture(scope="module")
def quiet_nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run store with eight quiet nights, to be copied."""
    made = Project(tmp_path_factory.mktemp("quiet") / "project")
    made.write_suite()
    made.write_monitor(**SHORT_SIGHTED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
        for name, value in made.environment().items():
            patch.setenv(name, value)
        for number in range(8):
            publish(made, number)
    return made.store


@pytest.fixture
def watched(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    project.write_suite()
    project.write_monitor(**SHORT_SIGHTED)
    return project


def publish(project: Project, number: int, drifted: bool = False) -> Night:
    """The night so many days after the first, with made-up results."""
    night = project.night(str(day(number)))
    view = samples.view("people", night.run_date)
    quality = view.quality.model_copy(update={"outcomes": tuple(one for one in view.quality.outcomes if one.passed)})
    found: list[Kept] = [
        quality,
        samples.drift() if drifted else samples.drift(drifted=0),
        samples.performance(measured=False),
        samples.decision(False, drifted),
    ]
    night.save(no_profile(view.pair))
    for result in (view.pair, *(one.model_copy(update={"snapshots": view.pair.digest}) for one in found)):
        night.save(result)
    steps.render_report(night)
    return night


def numbers(project: Project) -> list[int]:
    """The nights that are there, counted from the first."""
    return [(found - FIRST).days for found in project.night(str(FIRST)).nights()]


def prune(*options: str) -> int:
    return main(["prune", "people", "--keep-nights", *options])


def published(root: Path) -> dict[str, bytes]:
    """Every file of a folder by its place, whatever it is a link to, but for locks."""
    found = (path for path in root.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


@pytest.mark.slow
def test_old_nights_go_with_their_runs_and_their_objects_and_a_dry_run_says_so(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(4):
        assert run_night(project.complete(str(day(number)), **SHORT_SIGHTED), lambda _: None).errors == ()
    pairs = [project.night(str(day(number))).read(SnapshotPair) for number in range(4)]
    objects = [pair.production.objects[0].sha256 for pair in pairs if pair is not None]
    reference = next(pair.reference.objects[0].sha256 for pair in pairs if pair is not None)
    client, cached = mlflow.MlflowClient(project.settings.embedded_mlflow_uri), project.root / "var/cache/objects"

    def runs() -> list[str]:
        experiment = client.get_experiment_by_name("monitoring/people")
        assert experiment is not None
        return sorted(run.info.run_name for run in client.search_runs([experiment.experiment_id]))

    before = published(project.root / "var")
    assert prune("2", "--dry-run") == ExitCode.SOUND
    assert published(project.root / "var") == before
    dry = capsys.readouterr().out
    assert "people: 2 nights would go, of 2026-01-10 to 2026-01-11" in dry
    assert "2 MLflow runs would go, with files of" in dry

    with monkeypatch.context() as down:
        down.setenv("MLFLOW_TRACKING_URI", f"http://{LOOPBACK}:{free_port()}")
        down.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        assert prune("2") == ExitCode.OUTLET
    assert numbers(project) == [2, 3]
    assert "MLflow at" in capsys.readouterr().out
    assert len(runs()) == 4
    assert prune("2") == ExitCode.SOUND
    assert runs() == ["2026-01-12", "2026-01-13"]
    assert len(list((project.root / "var/mlflow-artifacts").rglob("drift.json"))) == 2
    assert {path.name for path in cached.iterdir()} == {reference, *objects[2:]}
    left = published(project.store)
    assert not [name for name in left if "2026-01-10" in name or "2026-01-11" in name]
    assert b"2026-01-11/index.html" not in left["people/index.html"]
    assert prune("2") == ExitCode.SOUND
    assert published(project.store) == left
    assert "0 nights go, 0 B" in capsys.readouterr().out


def test_so_many_nights_stay_and_all_pages_are_of_them(watched: Project, quiet_nights: Path) -> None:
    shutil.copytree(quiet_nights, watched.store, symlinks=True)
    assert prune("4") == ExitCode.SOUND
    assert numbers(watched) == [4, 5, 6, 7]
    found = published(watched.store)
    assert main(["site"]) == ExitCode.SOUND
    assert published(watched.store) == found
    assert prune("100") == ExitCode.SOUND
    assert numbers(watched) == [4, 5, 6, 7]


@pytest.mark.parametrize(
    ("changes", "stay"),
    [
        ({}, [6, 7]),
        ({"quality": {"suite": "people", "checks": {"row_history": {"nights": 4}}}}, [3, 4, 5, 6, 7]),
        ({"retrain": SHORT_SIGHTED["retrain"] | {"cooldown_days": 3}}, [4, 5, 6, 7]),
        ({"retrain": SHORT_SIGHTED["retrain"] | {"window_days": 3}}, [4, 5, 6, 7]),
        ({"performance": SHORT_SIGHTED["performance"] | {"label_delay_days": 4}}, [2, 3, 4, 5, 6, 7]),
        ({"drift": {"alarms": {"per_nights": 365, "against": [{"same_weekday": 1}]}}}, list(range(8))),
        ({"drift": {"together": {"per_nights": 365}}}, list(range(8))),
        (
            {"expected": [{"columns": ["age"], "from": str(day(3)), "until": str(day(9)), "why": "new prices"}]},
            [3, 4, 5, 6, 7],
        ),
        ({"expected": [{"columns": ["age"], "from": str(day(3)), "until": str(day(5)), "why": "over"}]}, [6, 7]),
    ],
)
def test_what_later_nights_look_at_or_people_expect_stays(
    watched: Project, quiet_nights: Path, changes: dict[str, Any], stay: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_STORE", str(quiet_nights))
    watched.write_monitor(**(SHORT_SIGHTED | changes))
    found = plan(open_workspace("people"), 1)
    assert [(one - FIRST).days for one in found.kept] == stay
    assert [(one - FIRST).days for one in found.nights] == [number for number in range(8) if number not in stay]


@pytest.mark.parametrize(
    ("drifted", "stay"),
    [
        ((1, 2), [6, 7]),  # over long ago
        ((5, 6), [5, 6, 7]),  # one of its nights stays, and so do all, with the one that ended it
        ((4, 5, 6, 7), [4, 5, 6, 7]),  # goes on
    ],
)
def test_an_incident_goes_whole_or_stays_whole(
    watched: Project, quiet_nights: Path, drifted: tuple[int, ...], stay: list[int]
) -> None:
    shutil.copytree(quiet_nights, watched.store, symlinks=True)
    for number in drifted:
        publish(watched, number, drifted=True)
    page = watched.store / f"people/incidents/{day(drifted[0])}/index.html"
    before = page.read_bytes()
    assert prune("1") == ExitCode.SOUND
    assert numbers(watched) == stay
    assert page.exists() == (stay[0] < 6)
    assert not page.exists() or page.read_bytes() == before


def test_the_night_of_a_version_of_the_model_stays_and_so_does_what_was_acknowledged(
    watched: Project, quiet_nights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(quiet_nights, watched.store, symlinks=True)
    publish(watched, 4, drifted=True)
    trained = retraining("rejected", day(1)).model_copy(update={"monitor": "people"})
    pages.publish_retraining(watched.night(str(day(1))), trained)
    assert main(["ack", "people", str(day(4)), "--until", str(day(20))]) == ExitCode.SOUND
    capsys.readouterr()
    assert prune("1", "--dry-run") == ExitCode.SOUND
    said = capsys.readouterr().out
    assert prune("1") == ExitCode.SOUND
    assert numbers(watched) == [1, 4, 5, 6, 7]
    assert "1 older: a version of the model was trained on their date" in said
    assert "2 older: of a change that is expected or acknowledged" in said
    assert watched.night(str(day(1))).retrainings() == [day(1)]


def test_on_s3_nothing_of_old_nights_is_left_wherever_it_was_interrupted(
    watched: Project, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_STORE", s3.uri("store"))
    for number in range(4):
        publish(watched, number)
    remove, calls = s3_storage.remove, list[str]()

    def interrupted(uri: str) -> None:
        calls.append(uri)
        if len(calls) in (1, 9):
            raise OutletUnavailable("no answer")
        remove(uri)

    monkeypatch.setattr(s3_storage, "remove", interrupted)
    assert [prune("2") for _ in range(3)] == [ExitCode.OUTLET, ExitCode.OUTLET, ExitCode.SOUND]
    assert numbers(watched) == [2, 3]
    assert not [
        name for name in s3_storage.names(s3.uri("store/")) if any(str(day(number)) in name for number in range(2))
    ]
    assert f"{day(1)}/index.html" not in s3.get("store/people/index.html").decode()


@pytest.mark.parametrize("many", ["0", "-1", "x", "1.5"])
def test_a_number_of_nights_that_is_none_is_refused(watched: Project, many: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["prune", "people", f"--keep-nights={many}"])
    assert ended.value.code == ExitCode.USAGE
