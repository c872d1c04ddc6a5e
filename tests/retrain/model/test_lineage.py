"""A model's code version: the commit where there is one, else version and digest, and never nothing."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from pipeline import __version__
from pipeline.retrain.model import lineage
from pipeline.retrain.model.lineage import code_version, commit_of, fetched_commit, source_digest, trainer_digest
from tests.servers.processes import require

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def git(folder: Path, *arguments: str) -> str:
    """Real git, with nothing of this machine's configuration."""
    environment = {
        "PATH": str(Path(require("git", "git")).parent),
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(folder),
        **{f"GIT_{who}_{what}": f"{who}@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "first")
    return root


def head(root: Path) -> str:
    return git(root, "rev-parse", "HEAD")


def test_the_commit_of_a_branch(repository: Path) -> None:
    assert commit_of(repository) == head(repository)


def test_the_commit_of_a_branch_that_git_has_packed(repository: Path) -> None:
    git(repository, "pack-refs", "--all")
    assert not (repository / ".git" / "refs" / "heads" / "main").exists()
    assert commit_of(repository) == head(repository)


def test_the_commit_of_a_detached_head(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "--detach")
    assert commit_of(repository) == head(repository)


@pytest.mark.parametrize("packed", [False, True])
def test_the_commit_of_a_worktree_is_its_own(repository: Path, tmp_path: Path, packed: bool) -> None:
    git(repository, "worktree", "add", "--quiet", "-b", "other/branch", str(tmp_path / "tree"))
    git(tmp_path / "tree", "commit", "--quiet", "--allow-empty", "--message", "second")
    if packed:
        git(repository, "pack-refs", "--all")
    assert (tmp_path / "tree" / ".git").is_file()
    assert commit_of(tmp_path / "tree") == head(tmp_path / "tree") != head(repository)


def test_the_commit_of_a_branch_that_stands_for_another(repository: Path) -> None:
    git(repository, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
    git(repository, "symbolic-ref", "HEAD", "refs/heads/alias")
    assert commit_of(repository) == head(repository)


def test_where_git_keeps_names_in_another_form_nothing_is_guessed(repository: Path) -> None:
    (repository / ".git" / "HEAD").write_text("ref: refs/heads/.invalid\n")  # as with reftable
    assert commit_of(repository) is None


def test_no_repository_and_no_commit_yet_have_none(tmp_path: Path) -> None:
    assert commit_of(tmp_path) is None
    git(tmp_path, "init", "--quiet")
    assert commit_of(tmp_path) is None


def distribution(folder: Path, origin: object) -> PathDistribution:
    info = folder / "nightjar-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: nightjar\nVersion: 1\n")
    (info / "direct_url.json").write_text(json.dumps(origin))
    return PathDistribution(info)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that holds ours."""
    monkeypatch.setattr(lineage, "_PACKAGE", tmp_path / "pipeline")
    return tmp_path


def test_the_commit_that_pip_fetched(packages: Path) -> None:
    origin = {"url": "https://example.com/nightjar.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}}
    assert fetched_commit(distribution(packages, origin)) == COMMIT


@pytest.mark.parametrize(
    "origin",
    [
        {},
        [],
        {"url": "file:///wheel.whl", "archive_info": {}},
        {"url": "file:///source", "dir_info": {"editable": True}},
        {"vcs_info": {"vcs": "git"}},
        {"vcs_info": {"vcs": "git", "commit_id": "main"}},
    ],
)
def test_a_package_from_elsewhere_has_no_commit(packages: Path, origin: object) -> None:
    assert fetched_commit(distribution(packages, origin)) is None


def test_the_commit_of_another_copy_is_not_ours(tmp_path: Path) -> None:
    origin = {"vcs_info": {"vcs": "git", "commit_id": COMMIT}}
    assert fetched_commit(distribution(tmp_path, origin)) is None


def test_a_digest_changes_with_names_and_bytes_and_with_nothing_else(tmp_path: Path) -> None:
    def package(name: str, **files: str) -> str:
        for file, text in files.items():
            path = tmp_path / name / file.replace("_", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".py").write_text(text)
        return source_digest(tmp_path / name)

    first = package("first", a="x = 1", b_c="")
    (tmp_path / "first" / "__pycache__").mkdir()
    (tmp_path / "first" / "__pycache__" / "a.pyc").write_bytes(b"anything")
    assert source_digest(tmp_path / "first") == first
    assert package("second", b_c="", a="x = 1") == first
    others = [package("third", a="x = 2", b_c=""), package("fourth", a="x = 1", b_d=""), package("fifth", a="x = 1")]
    assert len({first, *others}) == 4


def test_without_a_repository_and_without_pip_version_and_digest_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "checkout", lambda: None)
    monkeypatch.setattr(lineage, "_installed", list)
    found = code_version()
    assert re.fullmatch(re.escape(__version__) + r" sha256:[0-9a-f]{64}", found)


def test_an_archive_of_the_sources_is_told_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "checkout", lambda: tmp_path)
    assert code_version().startswith(f"{__version__} sha256:")


def test_a_trainer_may_be_a_module_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.path", list(sys.path))
    (tmp_path / "trainer_of_the_home.py").write_text("def train(data): ...\n")
    digest = hashlib.sha256((tmp_path / "trainer_of_the_home.py").read_bytes()).hexdigest()
    assert trainer_digest("trainer_of_the_home:train") == digest
    assert trainer_digest("no_such_module:train") == "unknown"
