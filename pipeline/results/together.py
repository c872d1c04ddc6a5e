"""What columns of a night are together, beyond what each is by itself."""

from __future__ import annotations

from typing import ClassVar

from pipeline.results.base import Failure, Kept, Number, Result


class PairDrift(Result):
    """Two columns, before and after: `association` is Cramér's V of their cells, 0 to 1, and `correlation` Pearson's,
    of two numerical columns only.

    `chance` is how often the pair of a quiet night is at least this far from the reference, as a fraction of nights
    in (0, 1]; `changed`, it is rarer than the budget allows.
    """

    first: str
    second: str
    chance: Number
    changed: bool
    association_before: Number
    association_now: Number
    correlation_before: Number | None = None
    correlation_now: Number | None = None


class PlaneDrift(Result):
    """The plane of `components` principal components that numerical `columns` of the reference lie about.

    `error_before` and `error_now` are the parts of the columns' variance that lie outside of it, 0 to 1, each column
    measured in its own deviations of that side. `beyond` is the squared change less what chance makes of it, in
    squared deviations of a row; None on a night that changed, which says nothing of what is usual.
    """

    columns: int
    components: int
    error_before: Number
    error_now: Number
    chance: Number
    changed: bool
    beyond: Number | None = None


class Telling(Result):
    """A column that tells the sides apart: by how much the area under the curve falls when its values are shuffled."""

    name: str
    lost: Number


class SidesDrift(Result):
    """How well rows of tonight are told from rows of the reference by how their columns go together.

    `auc` is the area under the ROC curve on rows that the classifier has not seen, `rows_before` and `rows_now` of
    either side; one half is guessing. `telling`: the columns it goes by, the most telling first. `beyond`: see
    `PlaneDrift`.
    """

    auc: Number
    rows_before: int
    rows_now: int
    chance: Number
    changed: bool
    telling: tuple[Telling, ...] = ()
    beyond: Number | None = None


class MeanDrift(Result):
    """The mean list of a column: `distance` is how far it moved in deviations of a list (Mahalanobis), over
    `directions` of the reference's principal components, less what chance makes of it. `beyond`: see `PlaneDrift`, here
    summed over the directions.
    """

    directions: int
    distance: Number
    chance: Number
    changed: bool
    beyond: Number | None = None


class VectorDrift(Result):
    """A column of lists of `width` numbers, such as an embedding, looked at as a whole.

    `rows_before` and `rows_now` lists were looked at. Missing shares are of all rows, those that have no list at all;
    unusable are lists of another width, or with a number missing or infinite. `reason` says why the column could not be
    looked at; None where it was. `chance` is how often a quiet night is as rare in it, and `changed`, that is within
    the budget. In `plane` errors are parts of the reference's variance, in its own means and deviations, so that one of
    tonight may be over 1; `sides` names no columns.
    """

    name: str
    width: int
    rows_before: int = 0
    rows_now: int = 0
    missing_before: Number | None = None
    missing_now: Number | None = None
    unusable_before: int = 0
    unusable_now: int = 0
    reason: str | None = None
    chance: Number | None = None
    changed: bool = False
    mean: MeanDrift | None = None
    plane: PlaneDrift | None = None
    sides: SidesDrift | None = None


class TogetherResult(Kept):
    """Columns of a night together and in pairs, on a budget of one warning in `per_nights` quiet nights.

    `chance` is how often a quiet night is as rare as tonight; None where nothing could be compared. `changed`: it is
    within 1 / `per_nights`. `columns` were looked at, and `left_out` counts those that were not, beyond the most there
    may be. Of `pairs_compared` pairs `pairs_changed` changed, and `pairs_chance` is how rare all of them are; `pairs`
    are these and the next, the rarest first, as many as pages show. `beyond` has for each pair of `columns`, in order,
    what it moved beyond chance, as `PlaneDrift.beyond`, for the nights to come; `nights` of the past have told it
    tonight. `vectors` are columns of lists of numbers; `vectors_left_out` counts those beyond the most there may be.
    """

    file: ClassVar[str] = "together"

    snapshots: str
    per_nights: int
    chance: Number | None = None
    changed: bool = False
    nights: int = 0
    columns: tuple[str, ...] = ()
    left_out: int = 0
    pairs_compared: int = 0
    pairs_changed: int = 0
    pairs_chance: Number | None = None
    pairs: tuple[PairDrift, ...] = ()
    plane: PlaneDrift | None = None
    sides: SidesDrift | None = None
    beyond: tuple[Number | None, ...] = ()
    vectors: tuple[VectorDrift, ...] = ()
    vectors_left_out: int = 0
    failure: Failure | None = None
