"""Reports of nights: what they have alike is kept once, and each can leave whole."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pytest

from pipeline.cli import main
from pipeline.errors import ExitCode
from pipeline.publish import evidently_report
from pipeline.steps.reports import REPORT
from pipeline.steps.views import measured_night
from pipeline.steps.walk import run_night
from tests.project import Project

DAYS = ("2026-01-14", "2026-01-15")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two nights, everything embedded."""
    made = Project(tmp_path_factory.mktemp("reports") / "project")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in made.environment().items():
            patch.setenv(name, value)
        for day in DAYS:
            assert run_night(made.complete(day), lambda _: None).errors == ()
    return made


@pytest.fixture
def nights(shared: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name, value in shared.environment().items():
        monkeypatch.setenv(name, value)
    return shared


def parts(project: Project) -> list[Path]:
    return sorted((project.store / "_evidently").iterdir())


def whole(project: Project, day: str) -> bytes:
    view = measured_night(project.night(day))
    return evidently_report.render(view.monitor, view.pair, view.drift, view.performance)


def test_what_reports_have_alike_is_in_the_store_once(nights: Project) -> None:
    folders = [nights.store / "people" / day for day in DAYS]
    assert [path.suffix for path in parts(nights)] in ([".css", ".js"], [".js", ".css"])
    for folder in folders:
        assert sum(path.stat().st_size for path in folder.iterdir()) < 300_000
        assert all(path.name in (folder / REPORT).read_text() for path in parts(nights))


def test_a_report_leaves_as_one_file_by_command_and_in_mlflow(
    nights: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted, file = whole(nights, DAYS[0]), tmp_path / "sent" / "report.html"
    assert main(["report", "people", DAYS[0], "--single-file", "-o", str(file)]) == ExitCode.SOUND
    assert file.read_bytes() == wanted
    assert "3.7 MB" in capsys.readouterr().out
    client = mlflow.MlflowClient(nights.settings.embedded_mlflow_uri)
    (experiment,) = client.search_experiments(filter_string="name = 'monitoring/people'")
    (run,) = client.search_runs([experiment.experiment_id], f"tags.monitor_key = 'people/{DAYS[0]}'")
    logged = client.download_artifacts(run.info.run_id, REPORT, str(tmp_path))
    assert Path(logged).read_bytes() == wanted


def test_the_command_says_where_a_report_lies_or_that_there_is_none(
    nights: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "people", DAYS[0]]) == ExitCode.SOUND
    assert capsys.readouterr().out.strip() == str(nights.store / "people" / DAYS[0] / REPORT)
    assert main(["report", "people", "2026-01-13", "--single-file"]) == ExitCode.USAGE
    assert "not published" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_what_is_missing_beside_a_report_is_named_and_the_next_night_puts_it_back(
    nights: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    before = {path: path.read_bytes() for path in parts(nights)}
    broken = parts(nights)[0]
    broken.write_bytes(b"//") if damage == "changed" else broken.unlink()
    assert main(["report", "people", DAYS[0], "-o", str(tmp_path / "report.html")]) == ExitCode.USAGE
    assert str(broken) in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert main(["run", "people", "--date", DAYS[1]]) == ExitCode.SOUND
    assert {path: path.read_bytes() for path in parts(nights)} == before


def test_site_takes_the_same_out_of_reports_that_were_published_whole(nights: Project) -> None:
    night, before = nights.night(DAYS[0]), (nights.store / "people" / DAYS[0] / REPORT).read_bytes()
    night.replace({REPORT: whole(nights, DAYS[0])})
    assert len((nights.store / "people" / DAYS[0] / REPORT).read_bytes()) > 3_000_000
    assert main(["site"]) == ExitCode.SOUND
    assert (nights.store / "people" / DAYS[0] / REPORT).read_bytes() == before
