"""Built-in checks of the snapshot as a whole: its columns, its rows, its ids and how old it is."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from pipeline.checks.quality.built_in.scene import Found, Scene
from pipeline.checks.quality.check import Check
from pipeline.results import ExpectationOutcome
from pipeline.wording import count, listed, number, value

if TYPE_CHECKING:
    from pipeline.config.quality_checks import RowVolume


_MONTH = timedelta(days=31).total_seconds()


def _expected_columns(scene: Scene) -> list[str]:
    left_out = {scene.roles.label, *scene.roles.ignore}
    return [name for name in scene.reference.column_names if name not in left_out]


def missing_columns(scene: Scene) -> Iterator[Found]:
    """Every column of the reference is there, whatever their order; the label may come later."""
    policy = scene.checks.missing_column
    if policy is not None:
        yield Check(
            "expect_table_columns_to_match_set",
            {"column_set": _expected_columns(scene), "exact_match": False},
            policy.severity,
            "The snapshot has every column of the reference",
            expected=count(len(_expected_columns(scene)), "column"),
            check="missing_column",
        )


def extra_columns(scene: Scene) -> Iterator[Found]:
    """No column that the reference lacks."""
    policy = scene.checks.extra_column
    if policy is None:
        return
    known = {*scene.reference.column_names, *scene.roles.ignore}
    extra = [name for name in scene.production.column_names if name not in known]
    yield ExpectationOutcome(
        expectation="no_extra_column",
        column=None,
        severity=policy.severity,
        passed=not extra,
        sentence="The snapshot has no column that the reference lacks",
        observed=listed(extra) if extra else None,
        check="extra_column",
        engine="metadata",
    )


def retyped_columns(scene: Scene) -> Iterator[Found]:
    """Every column holds the kind of value that it holds in the reference; the answers have a check of their own."""
    policy = scene.checks.retyped_column
    if policy is None:
        return
    answers = (scene.roles.prediction, scene.roles.score) if scene.checks.prediction_skew else ()
    names = [name for name in _expected_columns(scene) if name not in answers and scene.family(name)]
    changed = [words for name in names if (words := scene.retyped(name))]
    yield ExpectationOutcome(
        expectation="columns_keep_their_type",
        column=None,
        severity=policy.severity,
        passed=not changed,
        sentence="Every column holds the kind of value that it holds in the reference",
        observed=listed(changed) if changed else None,
        check="retyped_column",
        engine="metadata",
    )


def same_data(scene: Scene) -> Iterator[Found]:
    """Production has not the very bytes of the reference, as where both addresses lead to one place."""
    policy = scene.checks.same_data
    if policy is None:
        return
    reference, production = (
        sorted(item.sha256 for item in side.objects) for side in (scene.pair.reference, scene.pair.production)
    )
    yield ExpectationOutcome(
        expectation="production_is_other_data",
        column=None,
        severity=policy.severity,
        passed=reference != production,
        sentence="The snapshot is another one than the reference",
        observed="the same bytes, so that nothing can drift" if reference == production else None,
        check="same_data",
        engine="metadata",
    )


def row_volume(scene: Scene) -> Iterator[Found]:
    """As many rows as the reference lets expect."""
    policy = scene.checks.row_volume
    if policy is not None and scene.pair.reference.rows:
        yield _rows_between(policy, scene.pair.reference.rows, "the rows of the reference", "row_volume")


def row_history(scene: Scene) -> Iterator[Found]:
    """As many rows as recent nights let expect, once there are three of them."""
    policy = scene.checks.row_history
    if policy is None:
        return
    recent = list(scene.recent_rows)[-policy.nights :]
    if len(recent) >= 3 and statistics.median(recent):
        nights = f"the usual rows of the last {count(len(recent), 'night')}"
        yield _rows_between(policy, statistics.median(recent), nights, "row_history")


def _rows_between(policy: RowVolume, base: float, words: str, check: str) -> Check:
    least, most = math.ceil(policy.least * base), math.floor(policy.most * base)
    return Check(
        "expect_table_row_count_to_be_between",
        {"min_value": least, "max_value": max(least, most)},
        policy.severity,
        f"The snapshot has {value(policy.least)} to {value(policy.most)} times {words}",
        expected=f"{count(least)} to {count(most, 'row')}",
        check=check,
    )


def ids(scene: Scene) -> Iterator[Found]:
    """Every row has an id of its own."""
    policy, name = scene.checks.duplicate_id, scene.roles.id
    if policy is None or name is None or scene.empty or not scene.production.has(name):
        return
    for kind, words in (("not_be_null", "has no missing values"), ("be_unique", "has no value twice")):
        yield Check(
            f"expect_column_values_to_{kind}",
            {"column": name},
            policy.severity,
            f"{name} {words}",
            check="duplicate_id",
            private=scene.private(name),
        )


def freshness(scene: Scene) -> Iterator[Found]:
    """The newest file and the newest moment in the data are near the end of the run date."""
    policy = scene.checks.freshness
    if policy is None:
        return
    end = datetime.combine(scene.pair.run_date + timedelta(days=1), time(), UTC)
    yield from _object_age(scene, end)
    name = policy.column or (None if policy.column is False else _only_timestamp(scene))
    if name is None or scene.empty:
        return
    slack = timedelta(hours=policy.hours)
    bounds = [(end + offset).replace(tzinfo=None).isoformat() for offset in (-slack, slack)]
    yield Check(
        "expect_column_max_to_be_between",
        {"column": name, "min_value": bounds[0], "max_value": bounds[1]},
        policy.severity,
        f"The newest {name} lies within {_hours(policy.hours)} of the end of the run date",
        expected=f"{bounds[0]} to {bounds[1]}",
        check="freshness",
        private=scene.private(name),
    )


def _object_age(scene: Scene, end: datetime) -> Iterator[Found]:
    """A file written after the run date is as fresh as can be: nights are also run again later."""
    policy = scene.checks.freshness
    written = [datetime.fromisoformat(item.modified) for item in scene.pair.production.objects if item.modified]
    if policy is None or not written:
        return
    hours = max(0.0, (end - max(written)).total_seconds() / 3600)
    yield ExpectationOutcome(
        expectation="newest_object_is_fresh",
        column=None,
        severity=policy.severity,
        passed=hours <= policy.hours,
        sentence=f"The newest file was not written more than {_hours(policy.hours)} before the end of the run date",
        observed=f"{number(hours, 2, beside=(policy.hours,))} hours before" if hours else None,
        expected=f"at most {_hours(policy.hours)} before",
        check="freshness",
        engine="metadata",
    )


def _hours(hours: float) -> str:
    return f"{value(hours)} {'hour' if hours == 1 else 'hours'}"


def _only_timestamp(scene: Scene) -> str | None:
    """Not dates of birth, or ends of contracts: moments of a night lie close together, whichever night it is."""
    found = [name for name in scene.production.column_names if scene.family(name) == "timestamp"]
    return found[0] if len(found) == 1 and _lies_together(scene, found[0]) else None


def _lies_together(scene: Scene, name: str) -> bool:
    """Whether nine of ten moments lie within a month, in the first rows."""
    from pipeline.checks.scan.types import to_floats

    if scene.production.problem_with(name) is not None:
        return False
    batch = next(scene.production.batches(name), None)
    moments = sorted(item for item in (() if batch is None else to_floats(batch).tolist()) if not math.isnan(item))
    if not moments:
        return False
    first, last = (moments[int(share * (len(moments) - 1))] for share in (0.05, 0.95))
    return bool(last - first <= _MONTH)
