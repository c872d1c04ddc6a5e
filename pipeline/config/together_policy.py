"""Whether columns are looked at together: the section `drift.together` of a monitor file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.config.sections import Section


class TogetherPolicy(Section):
    """Columns are looked at together and in pairs, and at most one quiet night in `per_nights` gives a warning. See
    docs/together.md.
    """

    per_nights: Annotated[int, Field(ge=2, le=100_000)]
