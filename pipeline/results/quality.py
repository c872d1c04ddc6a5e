"""What came of the expectations of a night."""

from __future__ import annotations

from typing import ClassVar, Literal

from pipeline.results.base import Failure, Kept, Number, Result

Severity = Literal["critical", "warning", "info"]


Engine = Literal["duckdb", "pandas", "metadata"]


class ExpectationOutcome(Result):
    """One expectation and what came of it. Holds no value from a row of the data, except `examples` where allowed.

    `check` names the built-in check that made it, None the suite. `engine` evaluated it; `metadata` stands for schema,
    row counts and times, without reading rows. `expected` and `observed` are for people, in the same unit;
    `unexpected_share` is a fraction of the rows that have a value, in [0, 1], and `unexpected_rows` their number;
    `allowed_share` is how large that fraction may be, None where not a single row may be unexpected;
    `error` is set when the expectation could not be evaluated, which counts as failed.
    """

    expectation: str
    column: str | None
    severity: Severity
    passed: bool
    sentence: str
    observed: str | None = None
    unexpected_share: Number | None = None
    notes: str | None = None
    error: str | None = None
    check: str | None = None
    engine: Engine | None = None
    expected: str | None = None
    unexpected_rows: int | None = None
    allowed_share: Number | None = None
    examples: tuple[str, ...] = ()


class QualityResult(Kept):
    """The results of the built-in checks and the suite. `passed` is the gate: no critical expectation failed.

    `failure`: nothing could be evaluated, which counts as a critical expectation that failed.
    """

    file: ClassVar[str] = "quality"

    snapshots: str
    suite: str
    passed: bool
    outcomes: tuple[ExpectationOutcome, ...]
    failure: Failure | None = None

    @property
    def failures(self) -> tuple[ExpectationOutcome, ...]:
        """Failed expectations, critical ones first, otherwise in the suite's order."""
        order: dict[str, int] = {"critical": 0, "warning": 1, "info": 2}
        return tuple(sorted((item for item in self.outcomes if not item.passed), key=lambda item: order[item.severity]))

    def failed(self, severity: Severity) -> int:
        """How many expectations of this severity failed."""
        return sum(1 for item in self.outcomes if not item.passed and item.severity == severity)

    @property
    def passed_share(self) -> float:
        """Passed expectations as a fraction of all, in [0, 1]."""
        return sum(1 for item in self.outcomes if item.passed) / len(self.outcomes)
