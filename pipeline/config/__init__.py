"""What a platform engineer writes: monitor files and the environment. Typed, frozen, validated."""

from pipeline.config.monitor import ColumnDriftPolicy, ColumnRoles, DriftFlags, Monitor
from pipeline.config.settings import Settings, load_settings
from pipeline.config.values import (
    CATEGORICAL_METHODS,
    NUMERICAL_METHODS,
    Location,
    Name,
    dated_folders,
    resolve_location,
)

__all__ = [
    "CATEGORICAL_METHODS",
    "NUMERICAL_METHODS",
    "ColumnDriftPolicy",
    "ColumnRoles",
    "DriftFlags",
    "Location",
    "Monitor",
    "Name",
    "Settings",
    "dated_folders",
    "load_settings",
    "resolve_location",
]
