"""What is imported is declared, what is declared is imported, and what is locked is what was declared."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT: dict[str, Any] = PYPROJECT["project"]
OWN = {"pipeline", "nightjar_airflow"}


def requirements(texts: list[str]) -> dict[str, Requirement]:
    return {canonicalize_name(found.name): found for found in map(Requirement, texts)}


CORE = requirements(PROJECT["dependencies"])
EXTRAS = {name: requirements(texts) for name, texts in PROJECT["optional-dependencies"].items()}
GROUPS = {name: requirements(texts) for name, texts in PYPROJECT["dependency-groups"].items()}


def imported(folder: str) -> Iterator[tuple[str, Path]]:
    """The top of every foreign name that a folder's files import, wherever in the file."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                top = name.split(".")[0]
                if top not in sys.stdlib_module_names and top not in OWN:
                    yield top, path


@pytest.fixture(scope="module")
def providers() -> Mapping[str, set[str]]:
    """Which distributions bring a name that can be imported."""
    return {name: {canonicalize_name(of) for of in found} for name, found in packages_distributions().items()}


@pytest.mark.parametrize(("folder", "extras"), [("pipeline", {"chat", "lineage"}), ("dags", {"airflow"})])
def test_everything_imported_is_declared(folder: str, extras: set[str], providers: Mapping[str, set[str]]) -> None:
    declared = set(CORE).union(*(EXTRAS[name] for name in extras))
    for name, path in imported(folder):
        assert declared & providers[name], f"{path.relative_to(ROOT)} imports {name}: declare it in pyproject.toml"


def test_everything_declared_is_imported(providers: Mapping[str, set[str]]) -> None:
    used = {of for folder in ("pipeline", "dags") for name, _ in imported(folder) for of in providers[name]}
    declared = set(CORE).union(*EXTRAS.values())
    assert declared - used - {"apache-airflow"} == set()  # airflow's modules are in parts of it


def test_every_dependency_has_a_lower_bound_and_where_releases_have_an_order_an_upper_one() -> None:
    for declared in (CORE, *EXTRAS.values()):
        for name, found in declared.items():
            bounds = {bound.operator for bound in found.specifier}
            assert ">=" in bounds, name
            assert "<" in bounds or name == "pyarrow", name  # its every release is a major one


def pins(file: str) -> dict[str, set[str]]:
    """The versions a requirements file allows, by package; one package may have one per Python version."""
    found: dict[str, set[str]] = {}
    for package, version in re.findall(
        r"^([\w.-]+)(?:\[[\w,-]+\])?==([\w.]+)", (ROOT / file).read_text(), re.MULTILINE
    ):
        found.setdefault(canonicalize_name(package), set()).add(version)
    return found


@pytest.mark.parametrize(
    ("file", "declared"),
    [
        ("requirements.txt", [CORE, *EXTRAS.values(), GROUPS["build"]]),
        ("requirements-dev.txt", [GROUPS["dev"]]),
        ("deploy/requirements.txt", [GROUPS["server"]]),
    ],
)
def test_a_version_that_fits_is_locked_of_everything(file: str, declared: list[dict[str, Requirement]]) -> None:
    locked = pins(file)
    for group in declared:
        for name, found in group.items():
            versions = locked.get(name, set())
            assert versions, f"{name} is not in {file}: run `make lock`"
            assert all(found.specifier.contains(version) for version in versions), f"{name}: run `make lock`"


@pytest.mark.parametrize("file", ["requirements-dev.txt", "deploy/requirements.txt"])
def test_the_locked_files_agree_with_each_other(file: str) -> None:
    project = pins("requirements.txt")
    for package, versions in pins(file).items():
        assert versions <= project.get(package, versions), f"{package}: run `make lock`"


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt", "deploy/requirements.txt"])
def test_the_locked_files_name_no_place_to_fetch_from(file: str) -> None:
    lines = (ROOT / file).read_text().splitlines()
    assert not [line for line in lines if line.startswith("-") or "://" in line]


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt", "deploy/requirements.txt"])
def test_every_locked_version_has_the_digests_of_its_files(file: str) -> None:
    text = re.sub(r"\s*\\\n\s*", " ", (ROOT / file).read_text())
    locked = re.findall(r"^[\w.-]+(?:\[[\w,-]+\])?==.*$", text, re.MULTILINE)
    assert len(locked) > 10
    for line in locked:
        assert re.search(r" --hash=sha256:[0-9a-f]{64}\b", line), line
