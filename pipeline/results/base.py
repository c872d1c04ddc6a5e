"""Base of every value that steps exchange: strict JSON, no NaN, no rows of data."""

from __future__ import annotations

import json
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from pipeline.errors import ExitCode

Number = Annotated[float, Field(allow_inf_nan=False)]


class Result(BaseModel):
    """Base of every value that steps exchange."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    def to_json(self) -> bytes:
        """Strict, indented JSON; equal values give equal bytes."""
        return (json.dumps(self.model_dump(mode="json"), indent=2, allow_nan=False, ensure_ascii=False) + "\n").encode()


class Failure(Result):
    """A part of a night that broke: which, what happened (see `pipeline.errors.named`), and how a command then ends."""

    part: str
    error: str
    exit_code: ExitCode


class Kept(Result):
    """A result that has a file of its own in the run store: `<file>.json`."""

    file: ClassVar[str]
