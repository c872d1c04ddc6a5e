"""deploy/Dockerfile and what it copies, read rather than built: no Docker engine runs in the tests."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.wheel import build_wheel

ROOT = Path(__file__).parents[2]
INSTRUCTIONS = re.sub(r"\\\n", "", (ROOT / "deploy" / "Dockerfile").read_text())
IGNORE = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
PACKAGES, WHEEL, IMAGE = re.split(r"^(?=FROM )", INSTRUCTIONS, flags=re.MULTILINE)[1:]  # the stages


def copied(stage: str) -> list[tuple[str, str]]:
    """What a stage copies out of the repository, and where to."""
    lines = [line.split() for line in re.findall(r"^COPY ((?!--from).+)$", stage, re.MULTILINE)]
    return [(source, words[-1]) for words in lines for source in words[:-1]]


COPIED = [source for source, _ in copied(INSTRUCTIONS)]


def test_the_base_image_is_pinned_and_of_a_supported_python() -> None:
    first, *others = re.findall(r"^FROM (\S+)", INSTRUCTIONS, re.MULTILINE)
    assert re.fullmatch(r"python:3\.12\.\d+-slim-\w+", first)
    assert others == ["packages", "packages"]


def test_it_does_not_run_as_root() -> None:
    assert re.findall(r"^USER (\S+)$", INSTRUCTIONS, re.MULTILINE) == ["nightjar"]
    assert INSTRUCTIONS.index("USER nightjar") > INSTRUCTIONS.index("useradd")


def test_it_holds_the_package_as_it_is_installed_and_no_source_beside_it() -> None:
    assert "pip install --no-cache-dir --no-deps --no-index /wheels/*.whl" in IMAGE
    assert "PYTHONPATH" not in INSTRUCTIONS
    assert [source for source, _ in copied(IMAGE)] == ["deploy", "expectations", "monitors", "dags/nightjar.py"]
    assert "AIRFLOW__CORE__DAGS_FOLDER=/opt/nightjar/dags" in PACKAGES


@pytest.mark.slow
def test_what_reaches_the_builder_is_enough_for_the_whole_package(tmp_path: Path, wheel: Path) -> None:
    for source, target in copied(WHEEL):
        place = tmp_path / target if (ROOT / source).is_dir() else tmp_path / target / Path(source).name
        (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, place)

    built = build_wheel(tmp_path, tmp_path / "wheels")

    with zipfile.ZipFile(built) as one, zipfile.ZipFile(wheel) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())


@pytest.mark.parametrize("source", COPIED)
def test_everything_copied_exists_and_reaches_the_builder(source: str) -> None:
    assert (ROOT / source).exists()
    allowed = [pattern.removeprefix("!") for pattern in IGNORE if pattern.startswith("!")]
    assert any(f"{pattern}/".startswith(f"{source}/") or f"{source}/".startswith(f"{pattern}/") for pattern in allowed)


def test_everything_let_through_exists() -> None:
    for pattern in IGNORE:
        if pattern.startswith("!"):
            assert (ROOT / pattern.removeprefix("!")).exists(), pattern


def test_secrets_and_data_never_reach_the_builder() -> None:
    assert IGNORE[0] == "*"
    allowed = {pattern.removeprefix("!").split("/")[0] for pattern in IGNORE if pattern.startswith("!")}
    assert not {".env", ".env.compose", ".secrets", "certs", ".git", "data", "var", ".venv"} & allowed


def test_secrets_and_certificates_are_kept_out_of_git() -> None:
    assert {".env.*", "/.secrets/", "/certs/"} <= set((ROOT / ".gitignore").read_text().splitlines())


def test_the_files_the_services_run_are_in_the_image() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    for path in {"deploy/s3/policies", *re.findall(r"deploy/[\w./-]+\.py", compose)} - {"deploy/make-secrets.py"}:
        assert (ROOT / path).exists()
        assert any(
            path == line.removeprefix("!") or path.startswith(line.removeprefix("!") + "/") for line in IGNORE
        ), path
