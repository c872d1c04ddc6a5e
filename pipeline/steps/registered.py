"""A monitor's registered model, as far as the run store agrees."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.retrain.champion.registry import Registry
    from pipeline.steps.night import Workspace


def registry_of(workspace: Workspace) -> Registry:
    """The registry of a monitor's model, which believes no version that the run store does not know.

    Raises:
        OutletUnavailable, OutletRefused: MLflow does not answer.
    """
    from pipeline.retrain.champion.registry import Registry

    return Registry(workspace.name, workspace.tracking_uri, workspace.store)
