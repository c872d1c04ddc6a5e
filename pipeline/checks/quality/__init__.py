"""The quality gate: Great Expectations on every row, and checks against the reference that need no suite.

`load_suite` and `build_suite` read a suite file, `validate` runs it and the built-in checks of a night,
`validate_suite` the suite alone. Expectations run as SQL in DuckDB over the parquet files where that means the
same as in pandas, else in pandas; see docs/quality.md.
"""

from pipeline.checks.quality.check import Limits
from pipeline.checks.quality.sound import suite_problems
from pipeline.checks.quality.suite.problems import build_suite
from pipeline.checks.quality.suite.read import load_suite, suite_content
from pipeline.checks.quality.validate import validate, validate_suite

__all__ = ["Limits", "build_suite", "load_suite", "suite_content", "suite_problems", "validate", "validate_suite"]
