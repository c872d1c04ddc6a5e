"""The registry and the small world of the retraining tests."""

from tests.retrain.conftest import _empty_database, tracking_uri, world

__all__ = ["_empty_database", "tracking_uri", "world"]
