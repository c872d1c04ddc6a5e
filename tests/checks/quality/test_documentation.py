"""docs/quality.md tells every built-in check with its limits and severity as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.quality_checks import QualityChecks

TEXT = (Path(__file__).parents[3] / "docs" / "quality.md").read_text(encoding="utf-8")
ROWS = {line.split("|")[1].strip(" `"): line for line in TEXT.splitlines() if line.startswith("| `")}


@pytest.mark.parametrize("name", QualityChecks.model_fields)
def test_a_check_is_told_with_its_defaults(name: str) -> None:
    _, _, limits, severity, _, _ = ROWS[name].split("|")
    default = getattr(QualityChecks(), name)
    told = {key: value for key, value in default.model_dump().items() if key != "severity"}
    words = ", ".join(f"`{key}: {'null' if value is None else f'{value:g}'}`" for key, value in told.items())
    assert (limits.strip(), severity.strip()) == (words, f"`{default.severity}`")
