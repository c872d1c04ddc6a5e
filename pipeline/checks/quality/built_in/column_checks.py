"""Built-in checks of single columns against the reference: gaps, categories, ranges, outliers, the model's answers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.checks.quality.built_in.scene import Found, Scene
from pipeline.checks.quality.check import Check
from pipeline.results import ExpectationOutcome, Severity
from pipeline.wording import apart, count, exact_share, share, value

if TYPE_CHECKING:
    from pipeline.checks.quality.built_in.reference import Profile
    from pipeline.config.quality_checks import PredictionSkew

LARGEST_CLASS = "expect_column_largest_class_share_to_be_between"


def prediction_skew(scene: Scene) -> Iterator[Found]:
    """Prediction and score are what they were in the reference: of the same type, classes and range."""
    policy = scene.checks.prediction_skew
    if policy is None:
        return
    for role, name in (("prediction", scene.roles.prediction), ("score", scene.roles.score)):
        if name is None or not scene.reference.has(name) or not scene.production.has(name):
            continue
        words = scene.retyped(name)
        yield ExpectationOutcome(
            expectation="prediction_keeps_its_type",
            column=name,
            severity=policy.severity,
            passed=words is None,
            sentence=f"{name} holds the kind of value that the {role} has in the reference",
            observed=words,
            check="prediction_skew",
            engine="metadata",
        )
        profile = scene.profiles.get(name)
        if profile is not None and profile in scene.shared and not scene.empty:
            yield from _answers(scene, profile, policy)


def _answers(scene: Scene, profile: Profile, policy: PredictionSkew) -> Iterator[Found]:
    if profile.categories:
        yield _in_categories(scene, profile, policy.share, policy.severity, "prediction_skew")
    elif profile.numbers is not None and profile.numbers.bounded:
        bounds = profile.numbers.bounds
        words = f"{profile.name} lies within the range that it has in the reference"
        yield _within(
            scene, profile, bounds, words=words, limit=policy.share, severity=policy.severity, check="prediction_skew"
        )


def missing_values(scene: Scene) -> Iterator[Found]:
    """No column has many more gaps than in the reference, whatever it holds."""
    policy = scene.checks.missing_values
    if policy is None or scene.empty:
        return
    for profile in scene.profiles.values():
        before = profile.missing_share
        if before is None or profile.name == scene.roles.id or not scene.production.has(profile.name):
            continue
        limit = _limit(before, policy.rise)
        if limit < 1:
            yield Check(
                "expect_column_values_to_not_be_null",
                {"column": profile.name, "mostly": _mostly(limit)},
                policy.severity,
                f"{profile.name} is missing hardly more often than in the reference",
                expected=f"at most {exact_share(limit)} of the rows (reference: {share(before)})",
                check="missing_values",
            )


def unseen_categories(scene: Scene) -> Iterator[Found]:
    """No column has categories that the reference, and so the model, never had."""
    policy = scene.checks.unseen_category
    if policy is None or scene.empty:
        return
    for profile in scene.features:
        if profile.categories:
            yield _in_categories(scene, profile, policy.share, policy.severity, "unseen_category")


def _in_categories(scene: Scene, profile: Profile, limit: float, severity: Severity, check: str) -> Check:
    words = count(len(profile.categories), "category", "categories")
    return Check(
        "expect_column_values_to_be_in_set",
        {"column": profile.name, "value_set": list(profile.categories), "mostly": _mostly(limit)},
        severity,
        f"{profile.name} has no categories that the reference does not have",
        expected=f"the {words} of the reference in all but {exact_share(limit)} of the rows",
        check=check,
        private=scene.private(profile.name),
    )


def out_of_range(scene: Scene) -> Iterator[Found]:
    """Hardly any row lies beyond the extremes of the reference."""
    policy = scene.checks.out_of_range
    if policy is None or scene.empty:
        return
    for profile in scene.features:
        if profile.numbers is not None and profile.numbers.bounded:
            bounds = profile.numbers.bounds
            words = f"{profile.name} lies within the range of the reference"
            yield _within(
                scene, profile, bounds, words=words, limit=policy.share, severity=policy.severity, check="out_of_range"
            )


def outliers(scene: Scene) -> Iterator[Found]:
    """A column whose quartiles are equal has no fences: any other value would lie beyond them."""
    policy = scene.checks.outliers
    if policy is None or scene.empty:
        return
    for profile in scene.features:
        numbers = profile.numbers
        if numbers is not None and -math.inf < numbers.fences[0] < numbers.fences[1] < math.inf:
            limit = _limit(numbers.beyond_share, policy.rise)
            words = f"{profile.name} has hardly more outliers than in the reference"
            if limit < 1:
                yield _within(
                    scene, profile, numbers.fences, words=words, limit=limit, severity=policy.severity, check="outliers"
                )


def _within(
    scene: Scene,
    profile: Profile,
    bounds: tuple[float, float],
    *,
    words: str,
    limit: float,
    severity: Severity,
    check: str,
) -> Check:
    low, high = bounds
    private = scene.private(profile.name)
    finite = {key: value for key, value in (("min_value", low), ("max_value", high)) if math.isfinite(value)}
    return Check(
        "expect_column_values_to_be_between",
        {"column": profile.name, **finite, "mostly": _mostly(limit)},
        severity,
        words,
        expected=None if private else f"{_bounds(low, high)} in all but {exact_share(limit)} of the rows",
        check=check,
        private=private,
    )


def class_imbalance(scene: Scene) -> Iterator[Found]:
    """No category has come to dominate its column."""
    policy = scene.checks.class_imbalance
    if policy is None or scene.empty:
        return
    for profile in scene.shared:
        limit = max(policy.largest, _limit(profile.largest_share, policy.rise))
        if profile.categories and limit < 1:
            yield Check(
                LARGEST_CLASS,
                {"column": profile.name, "max_value": limit},
                policy.severity,
                f"{profile.name} is not dominated by one category",
                expected=f"at most {exact_share(limit)} in the largest (reference: {share(profile.largest_share)})",
                check="class_imbalance",
            )


def _bounds(low: float, high: float) -> str:
    if math.isinf(low) or math.isinf(high):
        return f"at most {value(high, 6)}" if math.isinf(low) else f"at least {value(low, 6)}"
    return " to ".join(apart(low, high, digits=6, write=value))


def _limit(reference_share: float, rise: float) -> float:
    """Rounded up to a hundredth of a per cent, so that the limit in the sentence is the one that is held against."""
    return math.ceil((reference_share + rise) * 10_000 - 1e-6) / 10_000


def _mostly(limit: float) -> float:
    """The share that has to comply, without the noise of floating-point subtraction."""
    return round(max(0.0, 1 - limit), 9)
