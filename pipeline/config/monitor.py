"""What a platform engineer writes: `Monitor` (one YAML file per model) and `Settings` (the environment).

Both are frozen and validated. `pipeline.config.monitor_files` reads the files, with line numbers for every mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from string import Formatter
from typing import Annotated, Any

from croniter import croniter
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from pipeline.config.environment import CHANNEL_PREFIX, ChannelSource, require_scheme, reveal
from pipeline.config.quality_checks import QualityChecks
from pipeline.config.retrain_policy import RetrainPolicy
from pipeline.config.sections import ColumnName, Section, Share, one_of
from pipeline.errors import ConfigError

PROJECT_ROOT = Path(__file__).resolve().parent.parent.parent
NAME_PATTERN = r"[a-z0-9][a-z0-9_-]{0,62}"
CHAMPION = "champion"

NUMERICAL_METHODS = (
    "wasserstein", "jensenshannon", "psi", "kl_div", "hellinger", "ks", "t_test", "mannw", "anderson",
    "cramer_von_mises", "ed", "es", "empirical_mmd",
)  # fmt: skip
CATEGORICAL_METHODS = (
    "jensenshannon", "psi", "kl_div", "hellinger", "TVD", "chisquare", "z", "fisher_exact", "g_test",
)  # fmt: skip


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


def _split(value: object) -> object:
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


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


Cron = Annotated[str, AfterValidator(_check_cron)]
Name = Annotated[str, AfterValidator(_check_name)]
Email = Annotated[str, AfterValidator(_check_email)]
Location = Annotated[str, AfterValidator(_check_location)]
Reference = Annotated[str, AfterValidator(_check_reference)]
Threshold = Annotated[float, Field(ge=0, allow_inf_nan=False)]
NumericalMethod = Annotated[str, one_of("auto", *NUMERICAL_METHODS)]
CategoricalMethod = Annotated[str, one_of("auto", *CATEGORICAL_METHODS)]
AnyMethod = Annotated[str, one_of("auto", *dict.fromkeys(NUMERICAL_METHODS + CATEGORICAL_METHODS))]


class SnapshotSources(Section):
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


class ColumnRoles(Section):
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


class QualityPolicy(Section):
    """The Great Expectations suite, `expectations/<suite>.json`, and the built-in checks.

    `examples`: how many unexpected values a failure may show; never of columns listed under `columns.private`.
    """

    suite: Name
    examples: Annotated[int, Field(ge=0, le=20)] = 0
    checks: QualityChecks = QualityChecks()


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


class DriftPolicy(Section):
    """Retraining is due when the share of drifted columns is over `limit`, strictly.

    `share: importance` counts columns by how much the champion relies on them, once there is a champion that says so.
    """

    limit: Share = 0.30
    share: Annotated[str, one_of("columns", "importance")] = "columns"
    flags: DriftFlags = DriftFlags()
    numerical: NumericalDrift = NumericalDrift()
    categorical: CategoricalDrift = CategoricalDrift()
    columns: dict[ColumnName, ColumnDriftPolicy] = Field(default_factory=dict)


class PerformancePolicy(Section):
    """Labels of a day are expected `label_delay_days` later."""

    label_delay_days: Annotated[int, Field(ge=0, le=3650)] = 0


class NotifyPolicy(Section):
    """Who is told, and of which nights. A channel is a name: its URL is in the variable PIPELINE_CHANNEL_<NAME>."""

    email: tuple[Email, ...] = ()
    channels: tuple[Name, ...] = ()
    when: Annotated[str, one_of("always", "change", "trouble")] = "always"


class Monitor(Section):
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
    mlflow_url: str | None = None
    airflow_url: str | None = None
    digest_schedule: Cron = "0 7 * * *"
    digest_to: Annotated[tuple[Email, ...], NoDecode, BeforeValidator(_split)] = ()
    channels: dict[str, SecretStr] = {}

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *args: Any, **sources: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The usual sources, and one that gathers the variables of the channels."""
        usual = super().settings_customise_sources(settings_cls, *args, **sources)
        return *usual, ChannelSource(settings_cls, *usual)

    @property
    def embedded_mlflow_uri(self) -> str:
        """The SQLite database used when MLFLOW_TRACKING_URI is not set: beside the cache, on this machine."""
        return f"sqlite:///{self.embedded_mlflow_path}"

    @property
    def embedded_mlflow_path(self) -> Path:
        """The file of the embedded MLflow database; not there before the first night."""
        return self.cache_dir.resolve().parent / "mlflow.db"

    @property
    def data_root(self) -> Path:
        """Relative snapshot paths start here: the folder that holds the monitors folder."""
        return self.monitors_dir.resolve().parent

    @model_validator(mode="after")
    def _urls(self) -> Settings:
        require_scheme("PIPELINE_STORE", self.store, ("", "s3://"))
        require_scheme("PIPELINE_PUSHGATEWAY_URL", reveal(self.pushgateway_url), ("http://", "https://"))
        require_scheme("PIPELINE_SMTP_URL", reveal(self.smtp_url), ("smtp://", "smtps://"))
        require_scheme("PIPELINE_REPORT_BASE_URL", self.report_base_url, ("http://", "https://"))
        require_scheme("PIPELINE_MLFLOW_URL", self.mlflow_url, ("http://", "https://"))
        require_scheme("PIPELINE_AIRFLOW_URL", self.airflow_url, ("http://", "https://"))
        return self


def load_settings(environ: Iterable[str] = ()) -> Settings:
    """Settings from the process environment.

    Args:
        environ: names of the variables that are set, to find misspelt `PIPELINE_` names.

    Raises:
        ConfigError: with one line per variable that is unknown or holds a value that is not allowed.
    """
    known = {f"PIPELINE_{field.upper()}" for field in Settings.model_fields if field != "channels"}
    problems = [
        f"{name}: unknown variable; allowed: {', '.join(sorted(known))}"
        for name in sorted(environ)
        if name.startswith("PIPELINE_") and name not in known and not name.startswith(CHANNEL_PREFIX)
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
