"""The kinds of values in a monitor file, each with a message that says what is allowed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from pathlib import Path
from string import Formatter
from typing import Annotated

from croniter import croniter
from croniter.croniter import CroniterBadDateError
from pydantic import AfterValidator, BeforeValidator, Field

from pipeline.config.sections import one_of

NAME_PATTERN = r"[a-z0-9][a-z0-9_-]{0,62}"
CHAMPION = "champion"
_MAIL = re.compile(r"[!-~]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_LONGEST_MAIL = 254

NUMERICAL_METHODS = (
    "wasserstein", "jensenshannon", "psi", "kl_div", "hellinger", "ks", "t_test", "mannw", "anderson",
    "cramer_von_mises", "ed", "es", "empirical_mmd",
)  # fmt: skip
CATEGORICAL_METHODS = (
    "jensenshannon", "psi", "kl_div", "hellinger", "TVD", "chisquare", "z", "fisher_exact", "g_test",
)  # fmt: skip


_CRON_FIELD = re.compile(
    r"(?:[\d*/,#?L-]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)+", re.IGNORECASE
)
_CRON_STEPS = (59, 23, 31, 12, 7)
_FIRST_YEAR, _LAST_YEAR = 1970, 2999
_DAYS = r"%[-_0^#]?[aAbBCdDeFgGhjmuUVwWxyYHMSp%]"  # what the C library makes of a date; of others it makes nothing


def _check_cron(value: str) -> str:
    fields = value.split()
    known = len(fields) == 5 and all(map(_CRON_FIELD.fullmatch, fields)) and croniter.is_valid(value)
    steps = (step for field, most in zip(fields, _CRON_STEPS, strict=False) for step in _steps_over(field, most))
    if not known or next(steps, None) is not None:
        raise ValueError("allowed: five cron fields in UTC, such as '0 2 * * *'")
    try:
        croniter(value, datetime(2000, 1, 1, tzinfo=UTC)).get_next(datetime)
    except CroniterBadDateError:
        raise ValueError("allowed: a moment that comes, unlike 30 February") from None
    return value


def _steps_over(field: str, most: int) -> list[str]:
    """Steps such as the 99 of `*/99`, which would be another schedule than they say."""
    return [step for step in re.findall(r"/(\d+)", field) if not 0 < int(step) <= most]


def check_run_date(day: date) -> date:
    """A run date that every outlet can tell, with room before and after it for labels and past nights.

    Raises:
        ValueError: it is out of that range.
    """
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError(f"allowed: a date from {_FIRST_YEAR}-01-01 to {_LAST_YEAR}-12-31")
    return day


def _check_name(value: str) -> str:
    if not re.fullmatch(NAME_PATTERN, value):
        raise ValueError(
            "allowed: 1 to 63 of a-z, 0-9, '_' and '-', starting with a letter or digit "
            "(the name becomes a folder, a DAG id and a label)"
        )
    return value


def _check_email(value: str) -> str:
    """As mails are written and handed over: what is refused there would stop every night."""
    try:
        if _MAIL.fullmatch(value) and len(value) <= _LONGEST_MAIL and Address(addr_spec=value).addr_spec == value:
            return value
    except (ValueError, HeaderParseError):
        pass
    raise ValueError("allowed: one mail address in ASCII, such as ml-team@example.com")


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
        fields = [part[1:] for part in Formatter().parse(value) if part[1] is not None]
    except ValueError as error:
        raise ValueError(f"allowed: the placeholder {{date}}; the braces do not match ({error})") from error
    if not all(field == "date" and conversion is None and _is_format(spec) for field, spec, conversion in fields):
        raise ValueError("allowed: only the placeholder {date}, or with a format {date:%Y/%m/%d}")
    return value


def _is_format(spec: str | None) -> bool:
    return not re.search(r"[%{}]", re.sub(_DAYS, "", spec or ""))


def _check_reference(value: str) -> str:
    return value if value == CHAMPION else _check_location(value)


def _check_duration(value: object) -> object:
    if type(value) is int and value == 0:
        return value
    found = re.fullmatch(r"(\d{1,4})([smh])", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("allowed: a time such as 90s, 10m or 2h, or 0")
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]


def _check_file_name(value: str) -> str:
    if not value or value in (".", "..") or "/" in value or not value.isprintable() or len(value.encode()) > 255:
        raise ValueError("allowed: the name of a file, such as _SUCCESS")
    return value


FileName = Annotated[str, AfterValidator(_check_file_name)]
Seconds = Annotated[int, BeforeValidator(_check_duration)]
Cron = Annotated[str, AfterValidator(_check_cron)]
Name = Annotated[str, AfterValidator(_check_name)]
Email = Annotated[str, AfterValidator(_check_email)]
Location = Annotated[str, AfterValidator(_check_location)]
Reference = Annotated[str, AfterValidator(_check_reference)]
Threshold = Annotated[float, Field(ge=0, allow_inf_nan=False)]
NumericalMethod = Annotated[str, one_of("auto", *NUMERICAL_METHODS)]
CategoricalMethod = Annotated[str, one_of("auto", *CATEGORICAL_METHODS)]
AnyMethod = Annotated[str, one_of("auto", *dict.fromkeys(NUMERICAL_METHODS + CATEGORICAL_METHODS))]


def is_dated(template: str) -> bool:
    """Whether a location has the run date in it."""
    return any(field is not None for _, field, _, _ in Formatter().parse(template))


def resolve_location(template: str, run_date: date, root: Path) -> str:
    """The location for one date: `{date}` filled in, a relative path made absolute under `root`.

    Raises:
        ValueError: "champion" is no location; which data it means only the registry knows.
    """
    if template == CHAMPION:
        raise ValueError("'champion' is no location: resolve snapshots.base, or ask the registry for the champion's")
    location = template.format(date=run_date)
    if location.startswith("s3://"):
        return location
    # The `/` at the end of a pattern says that folders are meant; paths forget it.
    folders = location.endswith("/") and any(char in location for char in "*?[")
    return f"{root / location}/" if folders else str(root / location)


def dated_folders(*templates: str) -> frozenset[str]:
    """Names of the folders that say a date in any of the locations: `dt` of `scored/dt={date}/`.

    Wherever such a folder lies, it says which night the data is of, and is no column.
    """
    two_days = date(2001, 2, 3), date(2014, 11, 26)  # year, month and day differ
    both = [[item.format(date=day).split("/") for day in two_days] for item in templates]
    parts = (pair for one, other in both for pair in zip(one, other, strict=False))
    return frozenset(one.partition("=")[0] for one, other in parts if one != other and "=" in one)
