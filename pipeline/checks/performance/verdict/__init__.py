"""Whether a model still does what it should: limits, evidence over the newest nights, the trend, and the words."""

from pipeline.checks.performance.verdict.judge import judge
from pipeline.checks.performance.verdict.stretches import Stretch

__all__ = ["Stretch", "judge"]
