"""The frozen values that pass between steps. Each is strict JSON in the run store: no NaN, no rows of data."""

from pipeline.results.base import Failure, Kept, Number, Result
from pipeline.results.champion import AliasChange
from pipeline.results.decision import Decision, Hold, Status
from pipeline.results.drift import CategoryShare, ColumnDrift, Direction, DriftResult, Kind, Shape, strength
from pipeline.results.performance import ClassPerformance, PerformanceResult
from pipeline.results.quality import Engine, ExpectationOutcome, QualityResult, Severity
from pipeline.results.rendering import Rendering
from pipeline.results.retraining import (
    Against,
    Evaluation,
    GateCheck,
    Lineage,
    MetricComparison,
    NightLeftOut,
    RetrainResult,
    RetrainStatus,
    SegmentComparison,
    Task,
    TrainingCost,
    TrainingCounts,
)
from pipeline.results.snapshots import ColumnType, PinnedObject, Snapshot, SnapshotPair

__all__ = [
    "Against",
    "AliasChange",
    "CategoryShare",
    "ClassPerformance",
    "ColumnDrift",
    "ColumnType",
    "Decision",
    "Direction",
    "DriftResult",
    "Engine",
    "Evaluation",
    "ExpectationOutcome",
    "Failure",
    "GateCheck",
    "Hold",
    "Kept",
    "Kind",
    "Lineage",
    "MetricComparison",
    "NightLeftOut",
    "Number",
    "PerformanceResult",
    "PinnedObject",
    "QualityResult",
    "Rendering",
    "Result",
    "RetrainResult",
    "RetrainStatus",
    "SegmentComparison",
    "Severity",
    "Shape",
    "Snapshot",
    "SnapshotPair",
    "Status",
    "Task",
    "TrainingCost",
    "TrainingCounts",
    "strength",
]
