"""Which code made a model."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import pipeline
from pipeline.config.home import checkout, make_importable
from pipeline.retrain.trainer import DEFAULT

_PACKAGE = Path(__file__).resolve().parents[2]
_DISTRIBUTION = "nightjar"
_OBJECT_ID_LENGTHS = (40, 64)  # SHA-1 and SHA-256


def code_version() -> str:
    """The commit that this code is, else its release and what its files hold: something is always known.

    A checkout is asked for its commit, without git. An installed package knows the commit that pip fetched, if pip
    fetched one. Everything else (a wheel, an image, an archive) is told by version and digest.
    """
    root = checkout()
    found = commit_of(root) if root else next(filter(None, map(fetched_commit, _installed())), None)
    return found or f"{pipeline.__version__} sha256:{source_digest(_PACKAGE)}"


def commit_of(root: Path) -> str | None:
    """The commit that is checked out at `root`, a repository or a worktree of one; None where that cannot be read."""
    try:
        private, shared = _git_folders(root / ".git")
        name = "HEAD"
        for _ in range(5):  # a branch may stand for another one
            value = _read_ref(name, private, shared)
            if not value.startswith("ref: "):
                return value if _is_object_id(value) else None
            name = value.removeprefix("ref: ")
    except (OSError, UnicodeDecodeError):
        pass
    return None


def fetched_commit(installed: Distribution) -> str | None:
    """The commit that pip built a package from (PEP 610); None where it came from elsewhere or is not this one."""
    if Path(str(installed.locate_file(_PACKAGE.name))).resolve() != _PACKAGE:
        return None
    try:
        origin: Any = json.loads(installed.read_text("direct_url.json") or "{}")
        commit = origin["vcs_info"]["commit_id"]
    except (ValueError, KeyError, TypeError):
        return None
    return commit if isinstance(commit, str) and _is_object_id(commit) else None


def source_digest(package: Path) -> str:
    """SHA-256 over the names and bytes of all Python files of a package, in hex: equal wherever it is installed."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py"), key=lambda path: path.relative_to(package).as_posix()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(package).as_posix()}\n{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def trainer_digest(name: str | None) -> str:
    """SHA-256 of the file that holds the trainer, in hex; `unknown` where there is no such file."""
    module = (name or DEFAULT).partition(":")[0]
    make_importable()
    try:
        spec = importlib.util.find_spec(module)
        if spec is None or spec.origin is None:
            return "unknown"
        return hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest()
    except (ImportError, OSError, ValueError):
        return "unknown"


def _installed() -> list[Distribution]:
    return list(distributions(name=_DISTRIBUTION))


def _git_folders(git: Path) -> tuple[Path, Path]:
    """Where HEAD is, and where branches are: they differ in a worktree, whose `.git` is a file."""
    if git.is_file():
        git = git.parent / git.read_text(encoding="utf-8").strip().removeprefix("gitdir: ")
    shared = git / "commondir"
    return git, git / shared.read_text(encoding="utf-8").strip() if shared.is_file() else git


def _read_ref(name: str, private: Path, shared: Path) -> str:
    """What HEAD or a branch says: a commit, or `ref: ` and another name; empty where there is none yet."""
    for folder in (private, shared):
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8").strip()
    packed = (shared / "packed-refs").read_text(encoding="utf-8").splitlines()
    return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "")


def _is_object_id(text: str) -> bool:
    return len(text) in _OBJECT_ID_LENGTHS and not set(text) - set("0123456789abcdef")
