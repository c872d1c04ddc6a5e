"""Where training runs are recorded, on a real registry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import OutletRefused
from pipeline.retrain.champion.registry import Entry, Registry
from pipeline.storage.mlflow_client import open_store

pytestmark = pytest.mark.slow
WAYS: dict[str, Callable[[Registry, Path], object]] = {
    "before a training": lambda registry, _: registry.prepare(),
    "after a training": lambda registry, folder: registry.record(Entry("people/2026-01-14", folder, {}, {}, {})),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_deleted_experiment_is_not_brought_back_behind_its_owners_back(
    tracking_uri: str, tmp_path: Path, way: str
) -> None:
    registry = Registry("people", tracking_uri)
    (tmp_path / "model").mkdir()
    WAYS[way](registry, tmp_path / "model")
    with open_store(tracking_uri) as client:
        experiment = client.get_experiment_by_name("retraining/people").experiment_id
        client.delete_experiment(experiment)

    with pytest.raises(OutletRefused, match="'retraining/people' was deleted; bring it back with") as caught:
        WAYS[way](registry, tmp_path / "model")
    assert f"--experiment-id {experiment}" in str(caught.value)
    assert not caught.value.retryable
