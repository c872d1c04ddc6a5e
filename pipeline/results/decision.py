"""A night's verdict."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pipeline.results.base import Kept

Status = Literal["healthy", "drifted", "degraded", "too_few_rows", "data_broken"]
Cause = Literal["drift", "degraded"]

Hold = Literal[
    "quality_failed", "not_comparable", "backfill", "too_few_rows", "too_few_labels", "not_enough_nights", "cooldown"
]  # fmt: skip


class Decision(Kept):
    """The night's verdict. `status` is `drifted` when the drift share is over the limit, strictly, or a
    column that decides alone drifted; `degraded` when the model itself is worse than it may be, beyond the noise,
    whether or not anything drifted. `causes` are all that was found, of what may ask for retraining.

    `too_few_rows`: on a budget of alarms, nothing can be told from chance tonight.
    `data_broken`: a critical expectation failed, or no column could be compared; then nothing is retrained. `hold`
    names why nothing is: always on broken data, and on such a night whose monitor's policy waits.

    Beside the results, this is what was known when it was decided: `backfill`, an old night was run again, and nobody
    said that it may retrain; `labelled_rows`, the labelled production rows of the retraining window, counted until
    there were enough (None where nobody asked); `later`, of a night that came late, the first later date within the
    cooldown on which a retraining had been requested by then.
    """

    file: ClassVar[str] = "decision"

    snapshots: str
    status: Status
    retrain: bool
    reason: str
    hold: Hold | None = None
    causes: tuple[Cause, ...] = ()
    backfill: bool = False
    labelled_rows: int | None = None
    later: date | None = None
