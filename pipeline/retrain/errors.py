"""What can break while retraining, beside what can break anywhere (see `pipeline.errors`)."""

from __future__ import annotations

from pipeline.errors import NightjarError, OutletUnavailable


class TrainingFailed(NightjarError):
    """The trainer raised, took longer than it may, or returned something that is no usable model."""

    exit_code = 7


class ModelTampered(NightjarError):
    """The files of a model are not the ones that were registered. They are neither loaded nor promoted."""

    exit_code = 7


class RetrainingBusy(OutletUnavailable):
    """Another retraining, promotion or rollback of this monitor is still going on."""
