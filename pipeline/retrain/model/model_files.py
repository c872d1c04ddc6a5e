"""A model as files: an MLflow model folder, its digest, and what may be loaded from it.

Loading a pickle runs whatever code is in it. skops builds only objects of types that it is told to trust; that list
comes from here and from the monitor file, never from the model's own files.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.results import Task
from pipeline.retrain.data.features import Features
from pipeline.retrain.model.signature import Declared, signature

if TYPE_CHECKING:
    import pandas as pd

SKOPS, PICKLE = "skops", "pickle"
_OF_MLFLOW = "registered_model_meta"

# The typing step, and what scikit-learn's own trees are made of, beyond the types that skops trusts by itself.
TRUSTED_TYPES = (
    "nightjar_model.TypedModel",
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
    "sklearn.utils.validation.check_array",
)


class Untrusted(Exception):
    """The model holds types that nobody said to trust."""


@dataclass(frozen=True)
class Description:
    """What is kept with a model, so that it can be asked for answers later.

    `positive`: the class whose probability is its score; None for a regression, for several classes of which the
    monitor names none, and in models of earlier versions.
    """

    task: Task
    features: Features
    serialization: str
    trusted_types: tuple[str, ...] = ()
    positive: int | str | None = None


def save(
    model: Any,
    folder: Path,
    description: Description,
    example: pd.DataFrame,
    types: Mapping[str, Declared] | None = None,
) -> None:
    """Write an MLflow model: `model.skops` or `model.pkl`, its signature, and an input example.

    What is saved takes production's own columns (see `nightjar_model`); `types` are those of its snapshot.

    Raises:
        Untrusted: the model cannot be saved with skops, or not with the types that are trusted.
    """
    from mlflow import sklearn as mlflow_sklearn
    from mlflow.exceptions import MlflowException

    from pipeline.retrain.data.nightjar_model import TypedModel

    trusted = sorted({*TRUSTED_TYPES, *description.trusted_types})
    code, features = _known(), description.features
    try:
        mlflow_sklearn.save_model(
            TypedModel(model, features.numerical, features.categorical, features.text),
            str(folder),
            serialization_format=description.serialization,
            skops_trusted_types=trusted if description.serialization == SKOPS else None,
            signature=signature(description.task, features, types or {}),
            code_paths=[str(code)],
            input_example=example,
            pip_requirements=_requirements(model, description.serialization),
            metadata={"nightjar": dataclasses.asdict(description)},
        )
    except MlflowException:
        if description.serialization == SKOPS:  # asked only now: a model of many trees is written slowly, see `trainer`
            _require_trusted(model, trusted)
        raise


def _require_trusted(model: Any, trusted: Iterable[str]) -> None:
    """Say what it is that skops does not save."""
    import skops.io

    advice = "name them in retrain.trusted_types, or set retrain.allow_pickle in the monitor file"
    try:
        found = skops.io.get_untrusted_types(data=skops.io.dumps(model))
    except Exception as error:
        raise Untrusted(
            f"skops cannot save {type(model).__name__} ({type(error).__name__}); "
            "set retrain.allow_pickle in the monitor file to save it as a pickle"
        ) from error
    missing = sorted(set(found) - set(trusted))
    if missing:
        raise Untrusted(f"the model holds types that are not trusted: {', '.join(missing)}; {advice}")


def _known() -> Path:
    """Make the typing step importable under the name that model files have for it; where its file is.

    Nightjar takes its own, whatever lies beside a model.
    """
    from pipeline.retrain.data import nightjar_model

    sys.modules["nightjar_model"] = nightjar_model
    return Path(str(nightjar_model.__file__))


def _requirements(model: Any, serialization: str) -> list[str]:
    """Pinned packages that loading and asking the model needs, told without loading it in a process of its own."""
    from importlib.metadata import packages_distributions, version

    last = model[-1] if hasattr(model, "steps") else model
    homes = packages_distributions().get(type(last).__module__.partition(".")[0], [])
    names = {"mlflow", "numpy", "pandas", "scikit-learn", *homes} | ({"skops"} if serialization == SKOPS else set())
    return sorted(f"{name}=={version(name)}" for name in names)


def load(folder: Path, serialization: str, trusted_types: Iterable[str], allow_pickle: bool) -> Any:
    """The model of a folder whose digest was checked.

    Raises:
        Untrusted: it holds types that are not trusted, or is a pickle although the monitor does not allow one.
    """
    _known()
    if serialization == SKOPS:
        import skops.io
        from skops.io.exceptions import UntrustedTypesFoundException

        try:
            return skops.io.load(folder / "model.skops", trusted=sorted({*TRUSTED_TYPES, *trusted_types}))
        except UntrustedTypesFoundException as error:
            raise Untrusted(f"the model file holds types that are not trusted: {error}") from error
    if not allow_pickle:
        raise Untrusted("the model is a pickle, and retrain.allow_pickle is not set in the monitor file")
    import pickle

    with open(folder / "model.pkl", "rb") as stream:
        return pickle.load(stream)  # noqa: S301  (the monitor file says so, and the digest is the registered one)


def describe(folder: Path) -> Description:
    """What was kept with the model.

    Raises:
        KeyError, OSError: it is not a model that Nightjar saved.
    """
    import yaml

    kept = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))["metadata"]["nightjar"]
    parts = {name: tuple(values) for name, values in kept["features"].items()}
    trusted, positive = tuple(kept["trusted_types"]), kept.get("positive")
    return Description(kept["task"], Features(**parts), kept["serialization"], trusted, positive)


def listing(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, in hex, by its path in it; in order."""
    found = {}
    for path in sorted(Path(parent) / name for parent, _, names in os.walk(folder) for name in names):
        with open(path, "rb") as stream:
            found[path.relative_to(folder).as_posix()] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


def digest(files: Mapping[str, str]) -> str:
    """SHA-256 over the paths and digests of files as `listing` gives them, in hex."""
    return hashlib.sha256("\n".join(f"{path} {content}" for path, content in files.items()).encode()).hexdigest()


def differing(folder: Path, files: Mapping[str, str], sha256: str) -> list[str]:
    """Which files of a model are not the registered ones; empty where all are, and nothing else is left in the folder.

    What was not registered is none of the model's business, such as `registered_model_meta`, which MLflow writes beside
    a model that its own `load_model` loads from a local folder. It is removed from this copy, so that nobody loads it.

    Args:
        folder: a copy of the model's files, which is nobody else's.
        files: the registered ones, as `listing` gave them; empty for models of earlier versions, which have no list.
        sha256: the digest that was registered. A list that does not have it counts for nothing.
    """
    found = listing(folder)
    if digest(files) != sha256:
        files = {path: content for path, content in found.items() if path != _OF_MLFLOW}
        if digest(files) != sha256:
            return ["one of them"]
    for path in found.keys() - files.keys():
        (folder / path).unlink()
    return [path for path, content in files.items() if found.get(path) != content]
