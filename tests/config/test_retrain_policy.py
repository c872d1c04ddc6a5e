"""The keys of the monitor file."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import ConfigError
from tests.project import Project

SNAPSHOTS = {"reference": "champion", "initial": "data/r/", "production": "data/p/{date}/"}


@pytest.mark.parametrize(
    ("section", "changes", "words"),
    [
        ("retrain", {"nights_over": {"at_least": 3, "of": 2}}, "'at_least' of no more nights than 'of'"),
        ("retrain", {"holdout_share": 1.0}, "retrain.holdout_share: found 1.0"),
        ("retrain", {"trainer": "mine.train"}, "allowed: package.module:function"),
        ("retrain", {"main_metric": "auc"}, "retrain.main_metric: found 'auc'; allowed: auto, roc_auc"),
        ("retrain", {"policy": "worse"}, "allowed: better, not_worse"),
        ("retrain", {"mode": "auto"}, "allowed: promote, propose"),
        ("retrain", {"time_limit_minutes": 0}, "retrain.time_limit_minutes: found 0"),
        ("retrain", {"after_promotion": {"webhook": "https://x"}}, "the name of an environment variable"),
        ("retrain", {"segments": ["age"]}, "found ['age']"),
        ("retrain", {"cooldown": 3}, "unknown key"),
        ("snapshots", {"reference": "champion", "production": "p"}, "'initial' together with 'reference: champion'"),
        ("snapshots", SNAPSHOTS | {"reference": "r"}, "'initial' together with 'reference: champion'"),
        ("snapshots", SNAPSHOTS | {"production": "champion"}, "only the reference can be 'champion'"),
    ],
)
def test_mistakes_are_told(project: Project, section: str, changes: dict[str, Any], words: str) -> None:
    project.write_suite()
    sections: dict[str, Any] = {"columns": {"private": ["age"]}, section: changes}
    project.write_monitor("people", **sections)

    with pytest.raises(ConfigError) as caught:
        project.night()

    assert words in str(caught.value), str(caught.value)


def test_floors_are_of_known_metrics(project: Project) -> None:
    project.write_suite()
    project.write_monitor(retrain={"floors": {"roc_auc": 0.7, "beauty": 1}})

    with pytest.raises(ConfigError, match="beauty"):
        project.night()


def test_the_base_of_training_is_the_reference_that_does_not_move(project: Project) -> None:
    project.write_suite()
    project.write_monitor(snapshots=SNAPSHOTS)
    assert project.night().monitor.snapshots.base == "data/r/"
    project.write_monitor()
    assert project.night().monitor.snapshots.base == "data/reference/"
