"""What a platform engineer writes: monitor files and the environment. Typed, frozen, validated."""

from pipeline.config.monitor import (
    CATEGORICAL_METHODS,
    CHAMPION,
    NUMERICAL_METHODS,
    PROJECT_ROOT,
    ColumnDriftPolicy,
    ColumnRoles,
    Location,
    Monitor,
    Name,
    Settings,
    load_settings,
    resolve_location,
)

__all__ = [
    "CATEGORICAL_METHODS",
    "CHAMPION",
    "NUMERICAL_METHODS",
    "PROJECT_ROOT",
    "ColumnDriftPolicy",
    "ColumnRoles",
    "Location",
    "Monitor",
    "Name",
    "Settings",
    "load_settings",
    "resolve_location",
]
