"""Nightjar as it is installed: the wheel in an environment of its own, used from another folder.

The libraries are those of the environment that runs the tests, so nothing is fetched.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipeline import __version__
from pipeline.retrain.model.lineage import source_digest
from tests.project import people

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


class Installed:
    """The wheel in a virtual environment, and a user who has nothing but that."""

    def __init__(self, root: Path, wheel: Path) -> None:
        self.user, self.elsewhere = root / "user", root / "elsewhere"
        self.bin = root / "venv" / "bin"
        for folder in (self.user, self.elsewhere):
            folder.mkdir()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root / "venv")], check=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(self.bin / "python")]
        subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
        (packages,) = (root / "venv" / "lib").glob("python*/site-packages")
        self.packages = packages
        borrowed = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
        (packages / "borrowed.pth").write_text("\n".join(borrowed))

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """A command of the environment, from a folder that has nothing to do with it."""
        foreign = ("AIRFLOW", "_AIRFLOW", "PIPELINE_", "MLFLOW_", "PYTHON", "COVERAGE_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            env=environment | {"HOME": str(self.user)} | variables,
            cwd=self.elsewhere,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def tell(self, code: str) -> str:
        done = self.run("python", "-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("installed"), wheel)


def test_the_wheel_holds_the_two_packages_and_the_templates_and_nothing_else(wheel: Path) -> None:
    trees = {
        "pipeline": "pipeline",
        "dags/nightjar_airflow": "nightjar_airflow",
        "reports/templates": "pipeline/templates",
    }
    expected = {
        f"{inside}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, inside in trees.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert found == expected


def test_the_code_is_the_installed_one(installed: Installed) -> None:
    for package in ("pipeline", "nightjar_airflow"):
        told = installed.tell(f"from importlib.util import find_spec; print(find_spec('{package}').origin)")
        assert Path(told).is_relative_to(installed.packages)


def test_the_command_and_the_module_are_the_same_and_help_follows_the_call(installed: Installed) -> None:
    command, module = installed.run("nightjar", "--help"), installed.run("python", "-m", "pipeline", "--help")
    assert command.stdout.startswith("usage: nightjar [-h] [--traceback] COMMAND")
    assert module.stdout.startswith("usage: python -m pipeline [-h] [--traceback] COMMAND")
    assert command.stdout.partition("\n")[2] == module.stdout.partition("\n")[2]


def test_before_the_first_monitor_check_says_where_the_home_is(installed: Installed) -> None:
    done = installed.run("nightjar", "check", PIPELINE_HOME=str(installed.elsewhere / "none"))
    assert done.returncode == 2
    assert f"home: {installed.elsewhere / 'none'} (as PIPELINE_HOME says)" in done.stdout
    assert f"PIPELINE_MONITORS_DIR: found {installed.elsewhere / 'none' / 'monitors'}" in done.stderr


def test_a_model_is_watched_from_its_first_file_to_its_pages(installed: Installed) -> None:
    data = installed.elsewhere / "data"
    for folder, rows, seed in (("reference", 2_000, 0), ("production/dt=2026-01-14", 1_500, 1)):
        (data / folder).mkdir(parents=True)
        people(rows, seed).to_parquet(data / folder / "part-0.parquet", index=False)
    home = installed.user / "nightjar"

    begun = installed.run(
        *("nightjar", "init", "people", "--reference", "data/reference/", "--production", "data/production/dt={date}/"),
        *("--owner", "team@example.com", "--label", "label", "--prediction", "prediction", "--score", "score"),
    )
    checked = installed.run("nightjar", "check")
    night = installed.run("nightjar", "run", "people", "--date", "2026-01-14")

    assert begun.returncode == 0, begun.stdout + begun.stderr
    assert "next: nightjar run people --date 2026-01-14" in begun.stdout
    assert checked.returncode == 0, checked.stderr
    assert f"home: {home} (the default; PIPELINE_HOME names another folder)" in checked.stdout
    assert night.returncode == 0, night.stdout + night.stderr
    published = home / "var" / "store" / "people" / "2026-01-14"
    page = (published / "index.html").read_text()
    assert "<style>" in page
    assert "<h1" in page
    assert (home / "var" / "mlflow.db").is_file()
    assert sorted(path.name for path in installed.elsewhere.iterdir()) == ["data"]
    assert not [
        path for path in installed.packages.rglob("var") if path.is_relative_to(installed.packages / "pipeline")
    ]


def test_the_version_of_the_code_is_known(installed: Installed) -> None:
    told = installed.tell("from pipeline.retrain.model.lineage import code_version; print(code_version())")
    assert told == f"{__version__} sha256:{source_digest(ROOT / 'pipeline')}"


def test_two_lines_in_somebodys_dags_folder_build_the_dags(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "home" / "monitors").mkdir(parents=True)
    lines = (ROOT / "dags" / "nightjar.py").read_text()
    (tmp_path / "dags" / "models.py").write_text(lines)
    variables = {
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PIPELINE_HOME": str(tmp_path / "home"),
    }
    describe, result = str(ROOT / "tests" / "dags" / "describe.py"), tmp_path / "described.json"

    done = installed.run("python", describe, str(result), str(tmp_path / "dags"), **variables)

    assert result.exists(), done.stdout + done.stderr
    found = json.loads(result.read_text())
    assert (found["errors"], list(found["dags"])) == ({}, ["nightjar_digest"])
