"""Everything that can be broken, as opposed to bad news about a model, which is a result and never raises.

Each class fixes two answers: the exit code of the command line, and whether trying again later can help.
Messages name the file, object, column or variable concerned and say what to do.
"""

from __future__ import annotations

from typing import ClassVar


class NightjarError(Exception):
    """Base of every error Nightjar raises on purpose."""

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False


class ConfigError(NightjarError):
    """A monitor file, a suite or an environment variable is wrong. Carries every problem found, one per line."""

    exit_code = 2

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


class SnapshotMissing(NightjarError):
    """No object lies where the monitor file points. Data that is late may still arrive."""

    exit_code = 3
    retryable = True


class SnapshotUnreadable(NightjarError):
    """An object is there, but is not the parquet it should be, or its parts do not fit together."""

    exit_code = 3


class SnapshotChanged(NightjarError):
    """An object no longer has the bytes that were pinned: results would mix two versions of the data."""

    exit_code = 3


class SourceUnavailable(NightjarError):
    """The storage that holds a snapshot did not answer or refused access, after retries."""

    exit_code = 3
    retryable = True


class ResultMissing(NightjarError):
    """A step was asked to go on from a result that is not in the run store, or belongs to other snapshots."""

    exit_code = 2


class QualityGateFailed(NightjarError):
    """A critical expectation failed. Raised only after the night was published, to turn the run red."""

    exit_code = 4


class OutletUnavailable(NightjarError):
    """MLflow, the Pushgateway, the mail server or the run store could not be reached, after retries."""

    exit_code = 5
    retryable = True


class OutletRefused(NightjarError):
    """An outlet answered, and the answer was a final no: asking again unchanged cannot help."""

    exit_code = 5


class StoreBusy(OutletUnavailable):
    """Somebody else holds what this process was about to change, or took it over while this process stood still."""


class TrainingFailed(NightjarError):
    """The trainer raised, took longer than it may, or returned something that is no usable model."""

    exit_code = 7


class ModelTampered(NightjarError):
    """The files of a model are not the ones that were registered. They are neither loaded nor promoted."""

    exit_code = 7
