"""What a champion says of some rows: for batch scoring without a serving platform, as in the demo."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config import Monitor
from pipeline.errors import ConfigError
from pipeline.retrain.champion.promotion import champion_of
from pipeline.retrain.champion.registry import Registry
from pipeline.retrain.data.snapshot_file import Told, logged
from pipeline.retrain.judging.trial import ask
from pipeline.retrain.model.model_files import describe
from pipeline.retrain.model.process import run

if TYPE_CHECKING:
    import pandas as pd


def score(monitor: Monitor, registry: Registry, run_date: date, rows: pd.DataFrame, scratch: Path) -> pd.DataFrame:
    """The rows with the monitor's prediction, score and model version columns as the champion of a date fills them.

    Raises:
        ConfigError: there is no champion.
        ModelTampered: its files are not the registered ones.
        TrainingFailed: it raised, or took longer than a training may.
    """
    champion = champion_of(registry, run_date)
    if champion is None:
        raise ConfigError([f"{monitor.name}: there was no champion on {run_date}: retrain first"])
    policy, roles = monitor.retrain, monitor.columns

    def work(command: str, folder: Path) -> dict[str, Any]:
        minutes = policy.time_limit_minutes
        return run(command, folder, minutes * 60, minutes, lambda line: None)

    with tempfile.TemporaryDirectory(prefix="score-", dir=scratch) as folder:
        registered = Path(folder) / "registered"
        registered.mkdir()
        model = registry.fetch(champion, registered)
        answers = ask(model, rows, policy, Path(folder) / "job", work)
        positive = describe(model).positive
    found = logged(answers.predictions, answers.probabilities, Told(answers.classes, positive), roles)
    version = {} if roles.model_version is None else {roles.model_version: champion.number}
    return rows.assign(**found, **version)
