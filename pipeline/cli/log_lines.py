"""What a command says beside its result, on standard error: as lines for people, or as JSON for machines."""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from datetime import UTC, datetime
from typing import Any

from pipeline import log_context
from pipeline.config import load_settings
from pipeline.errors import ConfigError
from pipeline.plain_text import visible
from pipeline.wording import clip

_NIGHTJAR = "nightjar"
_LONGEST = 2_000
"""Characters of a message: what quotes a file or a page at length is cut."""


class _Console(logging.Formatter):
    """Log lines without tracebacks, which quote messages of libraries, and these data."""

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's own name
        return ""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None
        return visible(super().format(record).rstrip("\n"), keep="\n")


class _Whole(logging.Formatter):
    """Log lines with tracebacks as they were raised."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        whole = getattr(ei[1], "whole", ei[1])
        return super().formatException((type(whole), whole, whole.__traceback__))

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record), keep="\n")


class _Json(logging.Formatter):
    """One JSON object for each record, in ASCII: what it is about is in fields of its own. An error is its type alone,
    unless tracebacks are asked for, which quote data.
    """

    def __init__(self, environment: str | None, traceback: bool) -> None:
        super().__init__()
        self._environment = environment
        self._traceback = traceback

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": clip(visible(record.getMessage(), keep="\n"), _LONGEST),
            **log_context.fields(),
        }
        if self._environment:
            line["environment"] = self._environment
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            if self._traceback:
                line["trace"] = _Whole().formatException(record.exc_info)
        return json.dumps(line)


_json: list[_Json] = []
"""The form of lines where it is JSON."""


def set_up(traceback: bool) -> None:
    """People see what a night does, not what its libraries say to their own developers.

    Args:
        traceback: show errors whole.
    """
    _json[:] = _wanted(traceback)
    logging.basicConfig(level=logging.WARNING)
    form: logging.Formatter = (_Whole if traceback else _Console)("%(levelname)s %(name)s: %(message)s")
    for handler in logging.getLogger().handlers:
        handler.setLevel(logging.WARNING)  # Great Expectations lowers the level of its own logger
        handler.setFormatter(_json[0] if _json else form)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def are_json() -> bool:
    """Whether lines are for machines."""
    return bool(_json)


def say(line: str, level: int = logging.INFO) -> None:
    """Say what is going on, or what went wrong."""
    record = logging.LogRecord(_NIGHTJAR, level, __file__, 0, line.strip(), None, None)
    print(_json[0].format(record) if _json else line, file=sys.stderr, flush=True)


def _wanted(traceback: bool) -> list[_Json]:
    try:
        settings = load_settings(os.environ)
    except ConfigError:  # which the command tells, in the form that the environment alone asks for
        return [_Json(None, traceback)] if os.environ.get("PIPELINE_LOG_FORMAT") == "json" else []
    return [_Json(settings.environment, traceback)] if settings.log_format == "json" else []
