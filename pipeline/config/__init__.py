"""What a platform engineer writes: monitor files and the environment. Typed, frozen, validated."""

from pipeline.config.drift_policy import AlarmPolicy, ColumnDriftPolicy, ComparedWith, DriftFlags, PastNights
from pipeline.config.expected import ExpectedChange
from pipeline.config.monitor import ColumnRoles, Monitor
from pipeline.config.mute import Mute
from pipeline.config.settings import Settings, load_settings
from pipeline.config.together_policy import TogetherPolicy
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
    "AlarmPolicy",
    "ColumnDriftPolicy",
    "ColumnRoles",
    "ComparedWith",
    "DriftFlags",
    "ExpectedChange",
    "Location",
    "Monitor",
    "Mute",
    "Name",
    "PastNights",
    "Settings",
    "TogetherPolicy",
    "dated_folders",
    "load_settings",
    "resolve_location",
]
