"""How drift is measured, and when it counts: the section `drift` of a monitor file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from pipeline.config.sections import ColumnName, Section, Share, one_of
from pipeline.config.together_policy import TogetherPolicy
from pipeline.config.values import AnyMethod, CategoricalMethod, NumericalMethod, Threshold
from pipeline.wording import count, exact_share, listed


class NumericalDrift(Section):
    """How numerical columns are compared unless a column says otherwise."""

    method: NumericalMethod = "auto"
    threshold: Threshold | None = None


class CategoricalDrift(Section):
    """How categorical columns are compared unless a column says otherwise."""

    method: CategoricalMethod = "auto"
    threshold: Threshold | None = None


class ColumnDriftPolicy(Section):
    """How one column is compared."""

    method: AnyMethod = "auto"
    threshold: Threshold | None = None


class DriftFlags(Section):
    """From where findings that a drift score cannot see are flagged; `null` switches one off.

    `missing_rise` is a fraction of all rows, the category limits are fractions of the non-missing rows.
    """

    missing_rise: Share | None = 0.05
    new_category: Share | None = 0.01
    vanished_category: Share | None = 0.01
    changed_type: bool = True


class PastNights(Section):
    """Quiet nights that tonight is held against, together: those of the last `trailing` days, the last `same_weekday`
    ones of tonight's weekday, or the `previous` ones; one of the three.
    """

    trailing: Annotated[int, Field(ge=1, le=365)] | None = None
    same_weekday: Annotated[int, Field(ge=1, le=52)] | None = None
    previous: Annotated[int, Field(ge=1, le=365)] | None = None

    @property
    def choice(self) -> tuple[str, int]:
        """Which of the three, and how many."""
        return next((name, many) for name, many in self if many is not None)

    @property
    def words(self) -> str:
        """`the quiet nights of the last 28 days`."""
        name, many = self.choice
        if name == "trailing":
            return f"the quiet nights of the last {count(many, 'day')}"
        if name == "same_weekday":
            return f"the last {count(many, 'quiet night')} of the same weekday"
        return "the last quiet night" if many == 1 else f"the last {count(many, 'quiet night')}"


_LONGEST = {"trailing": 365, "same_weekday": 52, "previous": 365}


def _check_against(value: object) -> object:
    """Whatever is wrong, what is allowed: a union would tell of each of its kinds what it misses."""
    if isinstance(value, PastNights) or value == "reference":
        return value
    if isinstance(value, dict) and len(value) == 1:
        ((name, many),) = value.items()
        if type(many) is int and name in _LONGEST and 1 <= many <= _LONGEST[name]:
            return value
    most = ", ".join(f"{{{name}: 1 to {longest}}}" for name, longest in _LONGEST.items())
    raise ValueError(f"allowed: reference, {most}")


def _check_any(value: tuple[object, ...]) -> tuple[object, ...]:
    if not value:
        raise ValueError("allowed: at least one comparison")
    if len(set(value)) < len(value):
        raise ValueError("allowed: each comparison once")
    return value


ComparedWith = Annotated[Literal["reference"] | PastNights, BeforeValidator(_check_against)]


class AlarmPolicy(Section):
    """A budget instead of thresholds: at most one false alarm in `per_nights` quiet nights. See docs/alarms.md.

    Where tonight's rows are too few, up to `window` nights are looked at together. `against`: what tonight is held
    against, the first of which decides and the others are told beside it.
    """

    per_nights: Annotated[int, Field(ge=2, le=100_000)]
    window: Annotated[int, Field(ge=1, le=90)] = 1
    against: Annotated[tuple[ComparedWith, ...], AfterValidator(_check_any)] = ("reference",)


class DriftPolicy(Section):
    """Retraining is due when the share of drifted columns is over `limit`, strictly. Whether a column drifted, fixed
    thresholds say, or a budget of `alarms`.

    `share: importance` counts columns by how much the champion relies on them, once there is a champion that says so.
    Of the columns under `critical` each decides alone: where it drifted, the night did. `profile_gauges`: every night
    pushes gauges of what its columns hold, too; never of columns listed under `columns.private`. `together`: columns
    are looked at together as well.
    """

    limit: Share = 0.30
    share: Annotated[str, one_of("columns", "importance")] = "columns"
    critical: tuple[ColumnName, ...] = ()
    alarms: AlarmPolicy | None = None
    together: TogetherPolicy | None = None
    profile_gauges: bool = False
    flags: DriftFlags = DriftFlags()
    numerical: NumericalDrift = NumericalDrift()
    categorical: CategoricalDrift = CategoricalDrift()
    columns: dict[ColumnName, ColumnDriftPolicy] = Field(default_factory=dict)

    @property
    def over_words(self) -> str:
        """What counts as drifted: `more than 30% of the columns drifted, or plan did`."""
        base = "the columns" if self.share == "columns" else "what the champion relies on"
        alone = f", or {listed(self.critical)} did" if self.critical else ""
        return f"more than {exact_share(self.limit)} of {base} drifted{alone}"

    @model_validator(mode="after")
    def _budget_or_thresholds(self) -> DriftPolicy:
        """Two rules for one verdict would keep no budget."""
        if self.alarms is not None and (self.columns or {self.numerical, self.categorical} != {*_DEFAULTS}):
            raise ValueError("allowed: 'alarms', or methods and thresholds ('numerical', 'categorical', 'columns')")
        return self


_DEFAULTS = (NumericalDrift(), CategoricalDrift())
