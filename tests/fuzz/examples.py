"""How many examples a property is tried on: a few in every run, many where somebody asks for it (`make fuzz`)."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

VARIABLE = "NIGHTJAR_FUZZ_EXAMPLES"


def examples(few: int) -> settings:
    """Settings for a property: `few` examples, always the same ones; or as many other ones as the variable says."""
    many = int(os.environ.get(VARIABLE, "0"))
    return settings(
        max_examples=many or few,
        derandomize=not many,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )
