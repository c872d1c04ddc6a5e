"""Everything that can be broken, as opposed to bad news about a model, which is a result and never raises.

Each class fixes two answers: the exit code of the command line, and whether trying again later can help.
Messages name the file, object, column or variable concerned and say what to do.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path
from typing import ClassVar, Self

from pipeline.plain_text import visible, without_addresses

_PACKAGE = Path(__file__).parent


class ExitCode(IntEnum):
    """How a command ends; `words` say what each number means. `--help` and README print this table."""

    words: str

    def __new__(cls, number: int, words: str) -> Self:
        code = int.__new__(cls, number)
        code._value_ = number
        code.words = words
        return code

    SOUND = 0, "healthy, too few rows, drifted or degraded: a verdict is not a failure"
    UNEXPECTED = (
        1,
        "an error unknown to Nightjar; `--traceback` shows all of it. `doctor`, `audit`, `drill`: something is open",
    )
    USAGE = 2, "bad usage or configuration"
    SNAPSHOT = 3, "a snapshot is missing or unreadable"
    QUALITY = 4, "a critical expectation failed"
    OUTLET = 5, "an outlet could not be reached"
    DRIFTED = 6, "drifted or degraded, with `--strict`"
    TRAINING = 7, "a retraining failed, or a model file was tampered with"
    STOPPED = 130, "stopped with Ctrl-C"

    @classmethod
    def of(cls, codes: Iterable[ExitCode]) -> ExitCode:
        """The one to end with when several things went wrong: the most basic, which is the lowest."""
        return min(codes, default=cls.SOUND)


class NightjarError(Exception):
    """Base of every error Nightjar raises on purpose: one plain line, as its words may quote names from data."""

    exit_code: ClassVar[ExitCode] = ExitCode.UNEXPECTED
    retryable: ClassVar[bool] = False

    def __init__(self, words: str) -> None:
        super().__init__(visible(words))


class Unexpected(NightjarError):
    """An error that nobody foresaw, named without what it says, which may quote data: see `named`."""

    def __init__(self, part: str, error: BaseException) -> None:
        super().__init__(f"{part}: {named(error)}")


NO_UTF8 = "its text is not UTF-8; write it as UTF-8, or as binary"
"""Of a column of text that no library can read: what a UnicodeDecodeError is about."""


def named(error: BaseException) -> str:
    """What went wrong, for people: our errors speak for themselves; of others `KeyError in checks/policy.py:31`."""
    return str(error) if isinstance(error, NightjarError) else f"{type(error).__name__} in {_place(error)}"


class _Unspoken(Exception):
    """An error without its words; `whole` is the error."""

    whole: BaseException


def unspoken(error: BaseException) -> BaseException:
    """The same error for a log: its type and traceback without its words, which may quote data, or a URL's token.

    The words of our own errors stay. Its attribute `whole` is the error as it was raised.
    """
    if isinstance(error, NightjarError):
        told: BaseException = type(error).__new__(type(error))
        told.args = error.args
    else:
        told = _Unspoken(type(error).__name__)
    told.whole = error  # type: ignore[attr-defined]
    for link in ("__cause__", "__context__"):
        below = getattr(error, link)
        setattr(told, link, None if below is None else unspoken(below))
    told.__suppress_context__ = error.__suppress_context__
    return told.with_traceback(error.__traceback__)


def _place(error: BaseException) -> str:
    """The innermost line of this package that an error came through, else the innermost line of all."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    if own:
        return f"{Path(own[-1].filename).relative_to(_PACKAGE)}:{own[-1].lineno}"
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"


class ConfigError(NightjarError):
    """A monitor file, a suite or an environment variable is wrong. Carries every problem found, one per line.

    What was found may be an address with a token, under a wrong key: of addresses only the scheme is told.
    """

    exit_code = ExitCode.USAGE

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(without_addresses(visible(problem, keep="\n")) for problem in problems)
        Exception.__init__(self, "\n".join(self.problems))


class SnapshotMissing(NightjarError):
    """No object lies where the monitor file points. Data that is late may still arrive."""

    exit_code = ExitCode.SNAPSHOT
    retryable = True


class SnapshotUnreadable(NightjarError):
    """An object is there, but is not the parquet it should be, or its parts do not fit together."""

    exit_code = ExitCode.SNAPSHOT


class SnapshotChanged(NightjarError):
    """An object no longer has the bytes that were pinned: results would mix two versions of the data."""

    exit_code = ExitCode.SNAPSHOT


class SourceUnavailable(NightjarError):
    """The storage that holds a snapshot did not answer or refused access, after retries."""

    exit_code = ExitCode.SNAPSHOT
    retryable = True


class ResultMissing(NightjarError):
    """A step was asked to go on from a result that is not in the run store, or belongs to other snapshots."""

    exit_code = ExitCode.USAGE


class LaterFormat(NightjarError):
    """A later version wrote the run store, in a form that this one does not know: it is neither read nor written."""

    exit_code = ExitCode.USAGE


class QualityGateFailed(NightjarError):
    """A critical expectation failed. Raised only after the night was published, to turn the run red."""

    exit_code = ExitCode.QUALITY


class NightIncomplete(NightjarError):
    """Parts of a night could not be made. Raised only after all others were published; the exit code is the parts'."""

    def __init__(self, words: str, exit_code: ExitCode) -> None:
        self.exit_code = exit_code  # type: ignore[misc]  # every other class has one
        super().__init__(words)


class OutletUnavailable(NightjarError):
    """MLflow, the Pushgateway, the mail server or the run store could not be reached, after retries."""

    exit_code = ExitCode.OUTLET
    retryable = True


class OutletRefused(NightjarError):
    """An outlet answered, and the answer was a final no: asking again unchanged cannot help."""

    exit_code = ExitCode.OUTLET


class StoreBusy(OutletUnavailable):
    """Somebody else holds what this process was about to change, or took it over while this process stood still."""


class TrainingFailed(NightjarError):
    """The trainer raised, took longer than it may, or returned something that is no usable model."""

    exit_code = ExitCode.TRAINING


class ModelTampered(NightjarError):
    """The files of a model are not the ones that were registered. They are neither loaded nor promoted."""

    exit_code = ExitCode.TRAINING
