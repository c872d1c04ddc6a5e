"""Everything that differs between machines: the environment."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from pipeline.config.environment import CHANNEL_PREFIX, ChannelSource, require_scheme, reveal
from pipeline.config.files import read_text
from pipeline.config.home import VARIABLE as HOME_VARIABLE
from pipeline.config.home import absolute, home
from pipeline.config.library_logs import quieten
from pipeline.config.values import Cron, Email, Name
from pipeline.errors import ConfigError


def _split(value: object) -> object:
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


class Settings(BaseSettings):
    """Everything that differs between machines, from `PIPELINE_*` variables or `.env` in `home`.

    With nothing set, everything is embedded: store, cache, MLflow database, gauges and mails are files under `var/`.
    Paths are absolute: relative ones begin at `home`. Secrets are `SecretStr`: printing settings never shows them.
    """

    model_config = SettingsConfigDict(
        env_prefix="PIPELINE_", env_ignore_empty=True, frozen=True, extra="ignore", validate_default=True
    )

    home: Path = Field(default_factory=home)  # the first: paths below are made absolute against it
    monitors_dir: Path = Path("monitors")
    expectations_dir: Path = Path("expectations")
    store: str = "var/store"
    archive: str = ""  # beside the store, see below
    cache_dir: Path = Path("var/cache")
    cache_max_bytes: Annotated[int, Field(gt=0)] = 20 * 2**30
    memory_budget_bytes: Annotated[int, Field(ge=64 * 2**20)] = 2 * 2**30
    outlet_seconds: Annotated[float, Field(ge=1, le=3600)] = 180
    snapshot_seconds: Annotated[float, Field(ge=1, le=86400)] = 10_800
    pushgateway_url: SecretStr | None = None
    prometheus_url: SecretStr | None = None
    alertmanager_url: SecretStr | None = None
    smtp_url: SecretStr | None = None
    mail_from: Email = "nightjar@localhost"
    report_base_url: str | None = None
    mlflow_url: str | None = None
    airflow_url: str | None = None
    airflow_api_url: str | None = None
    airflow_login: SecretStr | None = None
    airflow_login_file: Path | None = None
    airflow_teams: Annotated[tuple[Name, ...], NoDecode, BeforeValidator(_split)] = ()
    environment: Name | None = None
    preload: bool = True
    log_format: Literal["text", "json"] = "text"
    digest_schedule: Cron = "0 7 * * *"
    digest_to: Annotated[tuple[Email, ...], NoDecode, BeforeValidator(_split)] = ()
    callables: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ("pipeline.", "examples.")
    channels: Annotated[dict[str, SecretStr], NoDecode] = {}

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

    @field_validator("monitors_dir", "expectations_dir", "cache_dir")
    @classmethod
    def _path(cls, value: Path, info: ValidationInfo) -> Path:
        return absolute(value, info.data["home"])

    @field_validator("store", "archive")
    @classmethod
    def _path_or_address(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            return _beside(info.data.get("store", ""))
        return value if "://" in value else str(absolute(Path(value), info.data["home"]))

    @field_validator("callables")
    @classmethod
    def _packages(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """A package and all in it; `acme` means no `acmeother`."""
        packages = tuple(item.rstrip(".") for item in value)
        if not all(part.isidentifier() for item in packages for part in item.split(".")):
            raise ValueError("allowed: names of modules or packages, such as pipeline., examples., acme.training")
        return tuple(f"{item}." for item in packages)

    @model_validator(mode="after")
    def _urls(self) -> Settings:
        require_scheme("PIPELINE_STORE", self.store, ("", "s3://"))
        require_scheme("PIPELINE_ARCHIVE", self.archive, ("", "s3://"))
        if f"{self.archive.rstrip('/')}/".startswith(f"{self.store.rstrip('/')}/"):
            raise ValueError(f"PIPELINE_ARCHIVE: found {self.archive}, in the store; allowed: a place outside of it")
        require_scheme("PIPELINE_PUSHGATEWAY_URL", reveal(self.pushgateway_url), ("http://", "https://"))
        require_scheme("PIPELINE_PROMETHEUS_URL", reveal(self.prometheus_url), ("http://", "https://"))
        require_scheme("PIPELINE_ALERTMANAGER_URL", reveal(self.alertmanager_url), ("http://", "https://"))
        require_scheme("PIPELINE_SMTP_URL", reveal(self.smtp_url), ("smtp://", "smtps://"))
        require_scheme("PIPELINE_REPORT_BASE_URL", self.report_base_url, ("http://", "https://"))
        require_scheme("PIPELINE_MLFLOW_URL", self.mlflow_url, ("http://", "https://"))
        require_scheme("PIPELINE_AIRFLOW_URL", self.airflow_url, ("http://", "https://"))
        require_scheme("PIPELINE_AIRFLOW_API_URL", self.airflow_api_url, ("http://", "https://"))
        return self


def _beside(store: str) -> str:
    """Where training sets go by default: `<store>-archive`. Beside a whole bucket there is no place of its owner's."""
    place = store.rstrip("/")
    whole_bucket = place.startswith("s3://") and "/" not in place.removeprefix("s3://").rstrip("/")
    return "" if whole_bucket or not place else f"{place}-archive"


def load_settings(environ: Iterable[str] = ()) -> Settings:
    """Settings from the process environment and, where that says nothing, from `.env`.

    Args:
        environ: names of the variables that are set, to find misspelt `PIPELINE_` names.

    Raises:
        ConfigError: with one line per variable that is unknown or holds a value that is not allowed.
    """
    quieten()
    place = home()
    env_file = place / ".env"
    written = _names(env_file)
    problems = _unknown({*environ, *written})
    if HOME_VARIABLE in written:
        problems.append(f"{HOME_VARIABLE}: found in {env_file}; allowed: in the environment, as it says where .env is")
    try:
        settings = Settings(home=place, _env_file=env_file if written else None)
    except ValidationError as error:
        for detail in error.errors(include_input=False, include_url=False):
            variable = f"PIPELINE_{str(detail['loc'][0]).upper()}: " if detail["loc"] else ""
            problems.append(variable + detail["msg"].removeprefix("Value error, "))
        raise ConfigError(problems) from None
    if problems:
        raise ConfigError(problems)
    return settings


def _names(env_file: Path) -> set[str]:
    """The variables that a file sets; none where there is no file."""
    try:
        return set(dotenv_values(stream=StringIO(read_text(env_file))))
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except (OSError, ValueError) as error:
        raise ConfigError([f"{env_file}: cannot be read ({error}); allowed: a UTF-8 text file"]) from None


def _unknown(names: Iterable[str]) -> list[str]:
    known = {f"PIPELINE_{field.upper()}" for field in Settings.model_fields if field != "channels"}
    return [
        f"{name}: unknown variable; allowed: {', '.join(sorted(known))}"
        for name in sorted(names)
        if name.startswith("PIPELINE_") and name not in known and not name.startswith(CHANNEL_PREFIX)
    ]
