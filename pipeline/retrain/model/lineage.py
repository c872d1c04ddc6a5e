"""Which code made a model."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from pipeline.retrain.trainer import DEFAULT


def code_version(root: Path) -> str:
    """The commit that is checked out under `root`, read without git; `unknown` where there is no repository."""
    try:
        folder = root / ".git"
        head = (folder / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="utf-8").strip()
        packed = (folder / "packed-refs").read_text(encoding="utf-8").splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "unknown")
    except OSError:
        return "unknown"


def trainer_digest(name: str | None) -> str:
    """SHA-256 of the file that holds the trainer, in hex; `unknown` where there is no such file."""
    module = (name or DEFAULT).partition(":")[0]
    try:
        spec = importlib.util.find_spec(module)
        if spec is None or spec.origin is None:
            return "unknown"
        return hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest()
    except (ImportError, OSError, ValueError):
        return "unknown"
