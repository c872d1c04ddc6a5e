"""A monitor that is not watched any more: its file is put aside, its gauges go, and its nights where that is asked for.

Nothing is asked of the monitor file, which may be wrong, or aside already. Whatever was done before is done no more, so
whoever was interrupted, or found an outlet down, does it again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import Settings
from pipeline.config.values import NAME_PATTERN
from pipeline.errors import ConfigError
from pipeline.steps.pushing import fleet_gauges, former_environment
from pipeline.storage.run_store import RunStore
from pipeline.wording import clip, count, size

RETIRED = "retired"
"""The folder of files that were put aside, in that of the monitor files, where nobody looks for monitors."""
DAGS = ("nightly", "retrain")


@dataclass(frozen=True)
class Task:
    """Something to do, in words, and how; `do` is None for what only people can."""

    words: str
    do: Callable[[], None] | None = None


def tasks(name: str, settings: Settings, with_store: bool) -> list[Task]:
    """What there is to do for a monitor, in the order in which it has to be done.

    Args:
        name: of the monitor.
        settings: of this machine.
        with_store: its nights, pages and retrainings go as well.

    Raises:
        ConfigError: nobody knows such a monitor.
        OutletUnavailable: the run store does not answer.
    """
    store = RunStore(settings.store)
    _require_known(name, settings, store)
    return [
        *_file(name, settings),
        *_gauges(name, settings, store),
        *_stored(name, store, with_store),
        *_for_people(name),
    ]


def _require_known(name: str, settings: Settings, store: RunStore) -> None:
    is_name = re.fullmatch(NAME_PATTERN, name) is not None
    if is_name and (files_of(name, settings) or store.knows(name)):
        return
    found = clip(name, 80)
    raise ConfigError([f"{settings.monitors_dir}: found no monitor {found!r}, aside or in {settings.store}"])


def files_of(name: str, settings: Settings) -> list[Path]:
    """The file of a monitor, right or wrong, where there is one, and those that were put aside."""
    path = _file_of(name, settings)
    return [*([path] if path.exists() else []), *_aside(name, settings)]


def _file_of(name: str, settings: Settings) -> Path:
    return settings.monitors_dir / f"{name}.yaml"


def _aside(name: str, settings: Settings) -> list[Path]:
    """The files of that name which were put aside before."""
    folder = settings.monitors_dir / RETIRED
    return [path for path in folder.glob(f"{name}*.yaml") if re.fullmatch(rf"{name}(\.\d+)?\.yaml", path.name)]


def _file(name: str, settings: Settings) -> Iterator[Task]:
    path = _file_of(name, settings)
    if not path.exists():
        return
    many = len(_aside(name, settings))
    target = path.parent / RETIRED / (f"{name}.{many}.yaml" if many else path.name)

    def put_aside() -> None:
        try:
            target.parent.mkdir(exist_ok=True)
            with suppress(FileNotFoundError):  # somebody else did it meanwhile
                os.replace(path, target)
        except OSError as error:
            raise ConfigError([f"{path}: cannot be moved to {target}: {error.strerror or error}"]) from error

    yield Task(f"put its file aside: {path} to {target}; no night starts any more", put_aside)


def _gauges(name: str, settings: Settings, store: RunStore) -> Iterator[Task]:
    if settings.pushgateway_url is None:
        return
    gateway = settings.pushgateway_url.get_secret_value()

    def remove() -> None:
        from pipeline.publish.gauges import fleet, retired

        noted = former_environment(store, name)
        for environment in {settings.environment or "", settings.environment or "" if noted is None else noted}:
            retired.remove(name, gateway, environment=environment)
        others = fleet_gauges(settings)  # else it would be a monitor that has a file and never ran
        if others is not None:
            fleet.push(others, gateway, environment=settings.environment)

    yield Task("delete its groups in the Pushgateway, so that no alert rings for it", remove)


def _stored(name: str, store: RunStore, with_store: bool) -> Iterator[Task]:
    place = store.page_uri(name)
    if with_store and store.knows(name):
        nights, taken = count(len(store.nights(name)), "night"), size(store.bytes_of_monitor(name))
        yield Task(
            f"delete {place} with {nights} and everything else in it, {taken}", lambda: store.remove_monitor(name)
        )
    elif store.knows(name):
        yield Task(f"left as it is: {place}; --store deletes it")


def _for_people(name: str) -> Iterator[Task]:
    dags = " and ".join(f"airflow dags delete --yes {kind}_{name}" for kind in DAGS)
    yield Task(f"for you: in Airflow, once it has seen that the file is gone, the history goes with {dags}")
    experiments = f"the experiments monitoring/{name} and retraining/{name}"
    yield Task(f"for you: its models and {experiments} in MLflow, and its training sets in the archive, are left")
