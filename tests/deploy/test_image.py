"""deploy/Dockerfile and what it copies, read rather than built: no Docker engine runs in the tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTRUCTIONS = re.sub(r"\\\n", "", (ROOT / "deploy" / "Dockerfile").read_text())
IGNORE = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
COPIED = [source for line in re.findall(r"^COPY (.+)$", INSTRUCTIONS, re.M) for source in line.split()[:-1]]


def pins(file: str) -> dict[str, set[str]]:
    """The versions a requirements file allows, by package; one package may have one per Python version."""
    found: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / file).read_text(), re.M):
        found.setdefault(package, set()).add(version)
    return found


def test_the_base_image_is_pinned_and_of_a_supported_python() -> None:
    (base,) = re.findall(r"^FROM (\S+)$", INSTRUCTIONS, re.M)
    assert re.fullmatch(r"python:3\.12\.\d+-slim-\w+", base)


def test_it_does_not_run_as_root() -> None:
    assert re.findall(r"^USER (\S+)$", INSTRUCTIONS, re.M) == ["nightjar"]
    assert INSTRUCTIONS.index("USER nightjar") > INSTRUCTIONS.index("useradd")


def test_it_holds_the_whole_project() -> None:
    assert {"dags", "pipeline", "monitors", "expectations", "reports", "requirements.txt"} <= set(COPIED)
    assert "PYTHONPATH=/opt/nightjar" in INSTRUCTIONS
    assert "AIRFLOW__CORE__DAGS_FOLDER=/opt/nightjar/dags" in INSTRUCTIONS


@pytest.mark.parametrize("source", COPIED)
def test_everything_copied_exists_and_reaches_the_builder(source: str) -> None:
    assert (ROOT / source).exists()
    allowed = [pattern.removeprefix("!") for pattern in IGNORE if pattern.startswith("!")]
    assert any(pattern == source or pattern.startswith(source + "/") for pattern in allowed)


def test_everything_let_through_exists() -> None:
    for pattern in IGNORE:
        if pattern.startswith("!"):
            assert (ROOT / pattern.removeprefix("!")).exists(), pattern


def test_secrets_and_data_never_reach_the_builder() -> None:
    assert IGNORE[0] == "*"
    allowed = {pattern.removeprefix("!").split("/")[0] for pattern in IGNORE if pattern.startswith("!")}
    assert not {".env", ".env.compose", ".git", "data", "var", ".venv"} & allowed


def test_the_secrets_file_is_kept_out_of_git() -> None:
    assert {".env.*", ".env.compose"} & set((ROOT / ".gitignore").read_text().splitlines())


def test_the_files_the_services_run_are_in_the_image() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    for path in set(re.findall(r"deploy/[\w./-]+\.(?:py|ini)", compose)) - {"deploy/make-env.py"}:
        assert (ROOT / path).is_file()
        assert any(
            path == line.removeprefix("!") or path.startswith(line.removeprefix("!") + "/") for line in IGNORE
        ), path


def test_the_pins_of_the_server_agree_with_those_of_the_project() -> None:
    project = pins("requirements.txt")
    for package, versions in pins("deploy/requirements.txt").items():
        assert versions <= project.get(package, versions), f"{package}: compile deploy/requirements.in again"
