"""What a platform engineer writes: `Monitor` (one YAML file per model) and `Settings` (the environment).

Both are frozen and validated. Reading the files, with line numbers for every mistake, is `pipeline.monitors`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from string import Formatter
from typing import Annotated

from croniter import croniter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.errors import ConfigError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
NAME_PATTERN = r"[a-z0-9][a-z0-9_-]{0,62}"
CHAMPION = "champion"

NUMERICAL_METHODS = (
    "wasserstein", "jensenshannon", "psi", "kl_div", "hellinger", "ks", "t_test", "mannw", "anderson",
    "cramer_von_mises", "ed", "es", "empirical_mmd",
)  # fmt: skip
CATEGORICAL_METHODS = (
    "jensenshannon", "psi", "kl_div", "hellinger", "TVD", "chisquare", "z", "fisher_exact", "g_test",
)  # fmt: skip
METRICS = (
    "accuracy", "precision", "recall", "f1", "roc_auc", "log_loss", "calibration_error",
    "mean_absolute_error", "root_mean_squared_error", "r2",
)  # fmt: skip


def _one_of(*allowed: str) -> AfterValidator:
    def check(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"allowed: {', '.join(allowed)}")
        return value

    return AfterValidator(check)


def _check_share(value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError("allowed: a number from 0 to 1")
    return value


def _check_cron(value: str) -> str:
    if len(value.split()) != 5 or not croniter.is_valid(value):
        raise ValueError("allowed: five cron fields in UTC, such as '0 2 * * *'")
    return value


def _check_name(value: str) -> str:
    if not re.fullmatch(NAME_PATTERN, value):
        raise ValueError(
            "allowed: 1 to 63 of a-z, 0-9, '_' and '-', starting with a letter or digit "
            "(the name becomes a folder, a DAG id and a label)"
        )
    return value


def _check_email(value: str) -> str:
    if not re.fullmatch(r"[^@\s<>,;\"']+@[^@\s<>,;\"']+", value):
        raise ValueError("allowed: one mail address, such as ml-team@example.com")
    return value


def _check_location(value: str) -> str:
    if value == CHAMPION:
        raise ValueError("allowed: a path, a glob or an s3:// address; only the reference can be 'champion'")
    if not value.strip() or any(ord(char) < 32 for char in value):
        raise ValueError("allowed: a path, a glob or an s3:// address")
    if value.startswith("s3://"):
        if not re.match(r"s3://[a-z0-9][a-z0-9.-]+/.+", value):
            raise ValueError("allowed: s3://bucket/key or s3://bucket/prefix/")
    elif "://" in value:
        raise ValueError("allowed: a local path or an s3:// address; no other scheme is supported")
    try:
        fields = [(field, spec) for _, field, spec, _ in Formatter().parse(value) if field is not None]
    except ValueError as error:
        raise ValueError(f"allowed: the placeholder {{date}}; the braces do not match ({error})") from error
    if any(field != "date" for field, _ in fields):
        raise ValueError("allowed: only the placeholder {date}, or with a format {date:%Y/%m/%d}")
    return value


def _check_reference(value: str) -> str:
    return value if value == CHAMPION else _check_location(value)


def _check_callable(value: str) -> str:
    module, _, function = value.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), function)):
        raise ValueError("allowed: package.module:function")
    return value


def _check_variable(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise ValueError("allowed: the name of an environment variable (its value is the URL)")
    return value


Cron = Annotated[str, AfterValidator(_check_cron)]
Name = Annotated[str, AfterValidator(_check_name)]
Email = Annotated[str, AfterValidator(_check_email)]
Location = Annotated[str, AfterValidator(_check_location)]
Reference = Annotated[str, AfterValidator(_check_reference)]
CallableName = Annotated[str, AfterValidator(_check_callable)]
Variable = Annotated[str, AfterValidator(_check_variable)]
Share = Annotated[float, AfterValidator(_check_share)]
ColumnName = Annotated[str, Field(min_length=1)]
Threshold = Annotated[float, Field(ge=0, allow_inf_nan=False)]
NumericalMethod = Annotated[str, _one_of("auto", *NUMERICAL_METHODS)]
CategoricalMethod = Annotated[str, _one_of("auto", *CATEGORICAL_METHODS)]
AnyMethod = Annotated[str, _one_of("auto", *dict.fromkeys(NUMERICAL_METHODS + CATEGORICAL_METHODS))]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class SnapshotSources(_Section):
    """Where the data lies: a file, a directory, a glob or an s3:// prefix, with `{date}` for the run date.

    With `reference: champion` the reference is what the champion was trained on; `initial` serves until there is one,
    and stays the base of every training set.
    """

    reference: Reference
    production: Location
    labels: Location | None = None
    initial: Location | None = None

    @model_validator(mode="after")
    def _initial(self) -> SnapshotSources:
        if (self.reference == CHAMPION) != (self.initial is not None):
            raise ValueError(
                "allowed: 'initial' together with 'reference: champion', as the reference until there is a champion"
            )
        return self

    @property
    def base(self) -> str:
        """The reference that does not move: what the first champion is measured against and trained on."""
        return self.initial or self.reference


class ColumnRoles(_Section):
    """What each column is. Drift looks at `numerical` and `categorical`; by default the parquet schema says which.

    Values of `private` columns go into no example and no segment; models may still learn from them.
    """

    id: ColumnName | None = None
    label: ColumnName | None = None
    prediction: ColumnName | None = None
    score: ColumnName | None = None
    model_version: ColumnName | None = None
    numerical: tuple[ColumnName, ...] | None = None
    categorical: tuple[ColumnName, ...] | None = None
    ignore: tuple[ColumnName, ...] = ()
    private: tuple[ColumnName, ...] = ()


class QualityPolicy(_Section):
    """The Great Expectations suite, `expectations/<suite>.json`."""

    suite: Name


class NumericalDrift(_Section):
    """How numerical columns are compared unless a column says otherwise."""

    method: NumericalMethod = "auto"
    threshold: Threshold | None = None


class CategoricalDrift(_Section):
    """How categorical columns are compared unless a column says otherwise."""

    method: CategoricalMethod = "auto"
    threshold: Threshold | None = None


class ColumnDriftPolicy(_Section):
    """How one column is compared."""

    method: AnyMethod = "auto"
    threshold: Threshold | None = None


class DriftFlags(_Section):
    """From where findings that a drift score cannot see are flagged; `null` switches one off.

    `missing_rise` is a fraction of all rows, the category limits are fractions of the non-missing rows.
    """

    missing_rise: Share | None = 0.05
    new_category: Share | None = 0.01
    vanished_category: Share | None = 0.01
    changed_type: bool = True


class DriftPolicy(_Section):
    """Retraining is due when the share of drifted columns is over `limit`, strictly."""

    limit: Share = 0.30
    flags: DriftFlags = DriftFlags()
    numerical: NumericalDrift = NumericalDrift()
    categorical: CategoricalDrift = CategoricalDrift()
    columns: dict[ColumnName, ColumnDriftPolicy] = {}


class PerformancePolicy(_Section):
    """Labels of a day are expected `label_delay_days` later."""

    label_delay_days: Annotated[int, Field(ge=0, le=3650)] = 0


class NightsOver(_Section):
    """Retraining needs `at_least` nights over the limit among the last `of` nights, tonight included."""

    at_least: Annotated[int, Field(ge=1, le=365)] = 1
    of: Annotated[int, Field(ge=1, le=365)] = 1

    @model_validator(mode="after")
    def _possible(self) -> NightsOver:
        if self.at_least > self.of:
            raise ValueError("allowed: 'at_least' of no more nights than 'of'")
        return self


class AfterPromotion(_Section):
    """Who is told that the champion changed.

    `webhook` names the environment variable that holds a URL to POST to; `call` is a `package.module:function`.
    """

    webhook: Variable | None = None
    call: CallableName | None = None


class RetrainPolicy(_Section):
    """When to retrain, on what, and when the new model takes over. See docs/retraining.md.

    When: `cooldown_days` since the last request, `nights_over` the limit, `min_rows` of the night's production,
    `min_labelled_rows` of production within the window.
    On what: the reference and the labelled production of `window_days`, at most `max_rows` (the newest), of which the
    newest `holdout_share` of the labelled production rows is never trained on.
    How: `trainer` (default: histogram gradient boosting), for at most `time_limit_minutes`. `trusted_types` are classes
    a model file may hold beyond scikit-learn's usual ones; `allow_pickle` gives up that protection.
    The gate: `policy` on `main_metric`, `floors` by metric (for errors: at most), and `max_segment_drop` as a fraction
    of the champion's value, for every value of the columns under `segments`.
    """

    cooldown_days: Annotated[int, Field(ge=0, le=3650)] = 7
    nights_over: NightsOver = NightsOver()
    min_rows: Annotated[int, Field(ge=0)] = 0
    min_labelled_rows: Annotated[int, Field(ge=0)] = 200
    window_days: Annotated[int, Field(ge=1, le=3650)] = 30
    max_rows: Annotated[int, Field(ge=100)] = 200_000
    holdout_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    task: Annotated[str, _one_of("auto", "classification", "regression")] = "auto"
    trainer: CallableName | None = None
    time_limit_minutes: Annotated[float, Field(gt=0, le=10_080)] = 60
    trusted_types: tuple[str, ...] = ()
    allow_pickle: bool = False
    main_metric: Annotated[str, _one_of("auto", *METRICS)] = "auto"
    policy: Annotated[str, _one_of("better", "not_worse")] = "better"
    floors: dict[Annotated[str, _one_of(*METRICS)], Annotated[float, Field(allow_inf_nan=False)]] = {}
    segments: tuple[ColumnName, ...] = ()
    max_segment_drop: Share = 0.05
    mode: Annotated[str, _one_of("promote", "propose")] = "promote"
    after_promotion: AfterPromotion = AfterPromotion()


class NotifyPolicy(_Section):
    """Who is told."""

    email: tuple[Email, ...] = ()


class Monitor(_Section):
    """One monitored model, as written in `monitors/<name>.yaml`."""

    name: Name
    description: str = ""
    owner: Annotated[str, Field(min_length=1, max_length=200)]
    schedule: Cron = "0 2 * * *"
    snapshots: SnapshotSources
    columns: ColumnRoles = ColumnRoles()
    quality: QualityPolicy
    drift: DriftPolicy = DriftPolicy()
    performance: PerformancePolicy = PerformancePolicy()
    retrain: RetrainPolicy = RetrainPolicy()
    notify: NotifyPolicy = NotifyPolicy()

    @model_validator(mode="after")
    def _private_segments(self) -> Monitor:
        private = set(self.columns.private) & set(self.retrain.segments)
        if private:
            raise ValueError(f"allowed: retrain.segments without private columns; found {sorted(private)}")
        return self


def resolve_location(template: str, run_date: date, root: Path) -> str:
    """The location for one date: `{date}` filled in, a relative path made absolute under `root`."""
    location = template.format(date=run_date)
    return location if location.startswith("s3://") else str(root / location)


class Settings(BaseSettings):
    """Everything that differs between machines, from `PIPELINE_*` variables or `.env` in the project's root.

    With nothing set, everything is embedded: store, cache, MLflow database, gauges and mails are files under `var/`.
    Secrets are `SecretStr`: printing settings never shows them.
    """

    model_config = SettingsConfigDict(
        env_prefix="PIPELINE_", env_file=PROJECT_ROOT / ".env", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    monitors_dir: Path = PROJECT_ROOT / "monitors"
    expectations_dir: Path = PROJECT_ROOT / "expectations"
    store: str = str(PROJECT_ROOT / "var" / "store")
    cache_dir: Path = PROJECT_ROOT / "var" / "cache"
    cache_max_bytes: Annotated[int, Field(gt=0)] = 20 * 2**30
    memory_budget_bytes: Annotated[int, Field(ge=64 * 2**20)] = 2 * 2**30
    pushgateway_url: SecretStr | None = None
    smtp_url: SecretStr | None = None
    mail_from: Email = "nightjar@localhost"
    report_base_url: str | None = None

    @property
    def embedded_mlflow_uri(self) -> str:
        """The SQLite database used when MLFLOW_TRACKING_URI is not set: beside the cache, on this machine."""
        return f"sqlite:///{self.cache_dir.resolve().parent / 'mlflow.db'}"

    @property
    def data_root(self) -> Path:
        """Relative snapshot paths start here: the folder that holds the monitors folder."""
        return self.monitors_dir.resolve().parent

    @model_validator(mode="after")
    def _urls(self) -> Settings:
        _require_scheme("PIPELINE_STORE", self.store, ("", "s3://"))
        _require_scheme("PIPELINE_PUSHGATEWAY_URL", _secret(self.pushgateway_url), ("http://", "https://"))
        _require_scheme("PIPELINE_SMTP_URL", _secret(self.smtp_url), ("smtp://", "smtps://"))
        _require_scheme("PIPELINE_REPORT_BASE_URL", self.report_base_url, ("http://", "https://"))
        return self


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None


def _require_scheme(variable: str, value: str | None, schemes: tuple[str, ...]) -> None:
    """The value itself may hold a password, so the message does not repeat it."""
    if value is None:
        return
    plain_path_allowed = "" in schemes and "://" not in value
    if not plain_path_allowed and not any(scheme and value.startswith(scheme) for scheme in schemes):
        allowed = " or ".join("a local path" if scheme == "" else scheme + "..." for scheme in schemes)
        raise ValueError(f"{variable}: allowed: {allowed}")


def load_settings(environ: Iterable[str] = ()) -> Settings:
    """Settings from the process environment.

    Args:
        environ: names of the variables that are set, to find misspelt `PIPELINE_` names.

    Raises:
        ConfigError: with one line per variable that is unknown or holds a value that is not allowed.
    """
    known = {f"PIPELINE_{field.upper()}" for field in Settings.model_fields}
    problems = [
        f"{name}: unknown variable; allowed: {', '.join(sorted(known))}"
        for name in sorted(environ)
        if name.startswith("PIPELINE_") and name not in known
    ]
    try:
        settings = Settings()
    except ValidationError as error:
        for detail in error.errors(include_input=False, include_url=False):
            variable = f"PIPELINE_{str(detail['loc'][0]).upper()}: " if detail["loc"] else ""
            problems.append(variable + detail["msg"].removeprefix("Value error, "))
        raise ConfigError(problems) from None
    if problems:
        raise ConfigError(problems)
    return settings
