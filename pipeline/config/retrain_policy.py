"""When a monitor retrains, on what, and when the new model takes over: the section `retrain` of a monitor file."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from pipeline.config.sections import ColumnName, Section, Share, one_of
from pipeline.results.metric_kinds import METRICS


def _check_callable(value: str) -> str:
    module, _, function = value.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), function)):
        raise ValueError("allowed: package.module:function")
    return value


def _check_variable(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise ValueError("allowed: the name of an environment variable (its value is the URL)")
    return value


CallableName = Annotated[str, AfterValidator(_check_callable)]
Variable = Annotated[str, AfterValidator(_check_variable)]


class NightsOver(Section):
    """Retraining needs `at_least` nights that ask for it among the last `of` nights, tonight included."""

    at_least: Annotated[int, Field(ge=1, le=365)] = 1
    of: Annotated[int, Field(ge=1, le=365)] = 1

    @model_validator(mode="after")
    def _possible(self) -> NightsOver:
        if self.at_least > self.of:
            raise ValueError("allowed: 'at_least' of no more nights than 'of'")
        return self


class AfterPromotion(Section):
    """Who is told that the champion changed.

    `webhook` names the environment variable that holds a URL to POST to; `call` is a `package.module:function`.
    """

    webhook: Variable | None = None
    call: CallableName | None = None


class RetrainPolicy(Section):
    """When to retrain, on what, and when the new model takes over. See docs/retraining.md.

    When: `on` names what asks for it (drift over the limit, a degraded model); then
    `cooldown_days` since the last request, `nights_over` the limit, `min_rows` of the night's production,
    `min_labelled_rows` of production within the window.
    On what: the reference and the labelled production of `window_days`, at most `max_rows` (the newest), of which the
    newest `holdout_share` of the labelled production rows is never trained on.
    How: `trainer` (default: histogram gradient boosting), for at most `time_limit_minutes`. `trusted_types` are classes
    a model file may hold beyond scikit-learn's usual ones; `allow_pickle` gives up that protection.
    The gate: `policy` on `main_metric`, `floors` by metric (for errors: at most), and `max_segment_drop` as a fraction
    of the champion's value, for every value of the columns under `segments`.
    After it: for `probation_days` the champion before it answers the same rows, and takes over again where it is
    better beyond the noise. `shadow: challenger` has a challenger that waits answer beside the champion.
    """

    on: tuple[Annotated[str, one_of("drift", "degraded")], ...] = ("drift", "degraded")
    cooldown_days: Annotated[int, Field(ge=0, le=3650)] = 7
    nights_over: NightsOver = NightsOver()
    min_rows: Annotated[int, Field(ge=0)] = 0
    min_labelled_rows: Annotated[int, Field(ge=0)] = 200
    window_days: Annotated[int, Field(ge=1, le=3650)] = 30
    max_rows: Annotated[int, Field(ge=100)] = 200_000
    holdout_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    trainer: CallableName | None = None
    time_limit_minutes: Annotated[float, Field(gt=0, le=10_080)] = 60
    trusted_types: tuple[str, ...] = ()
    allow_pickle: bool = False
    main_metric: Annotated[str, one_of("auto", *METRICS)] = "auto"
    policy: Annotated[str, one_of("better", "not_worse")] = "better"
    floors: dict[Annotated[str, one_of(*METRICS)], Annotated[float, Field(allow_inf_nan=False)]] = Field(
        default_factory=dict
    )
    segments: tuple[ColumnName, ...] = ()
    max_segment_drop: Share = 0.05
    mode: Annotated[str, one_of("promote", "propose")] = "promote"
    probation_days: Annotated[int, Field(ge=0, le=365)] = 7
    shadow: Annotated[str, one_of("none", "challenger")] = "none"
    after_promotion: AfterPromotion = AfterPromotion()
