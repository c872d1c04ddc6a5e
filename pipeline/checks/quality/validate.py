"""The quality gate: a monitor's suite and the built-in checks, on every row of a night's production snapshot."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pipeline.checks.quality.check import Check, Files, Limits
from pipeline.checks.quality.suite.problems import entry_problems
from pipeline.checks.quality.suite.read import Suite
from pipeline.checks.quality.suite.sentences import expected, sentence
from pipeline.errors import named, unspoken
from pipeline.results import ExpectationOutcome, QualityResult, Severity, SnapshotPair
from pipeline.wording import count

if TYPE_CHECKING:
    from pipeline.checks.quality.built_in.scene import Found, Scene
    from pipeline.checks.scan import Shelf, Table
    from pipeline.config import ColumnRoles, Monitor
    from pipeline.config.quality_checks import QualityChecks
    from pipeline.results import Kind

log = logging.getLogger(__name__)


def validate(
    monitor: Monitor,
    suite: Suite,
    reference: Sequence[Path],
    production: Sequence[Path],
    pair: SnapshotPair,
    *,
    recent_rows: Sequence[int] = (),
    limits: Limits | None = None,
    shelf: Shelf | None = None,
) -> QualityResult:
    """Run the suite and the built-in checks.

    Args:
        monitor: roles of columns, limits of the built-in checks, how many examples may be shown.
        suite: from `load_suite`.
        reference: local parquet files of the reference snapshot.
        production: local parquet files of the production snapshot.
        pair: both as pinned: rows, times of the objects, run date.
        recent_rows: production rows of earlier nights, oldest first.
        limits: memory and cores.
        shelf: where other nights kept columns of the reference, if they did.

    Raises:
        SnapshotUnreadable: a file is no parquet file. Nothing about an entry or a column's content raises.
    """
    limits = replace(limits or Limits(), examples=monitor.quality.examples)
    from_suite = suite_checks(suite, monitor.columns.private)
    built_in = _built_in(
        lambda: _scene(monitor, reference, production, pair, recent_rows=recent_rows, limits=limits, shelf=shelf)
    )
    found = [*from_suite, *_not_said(built_in, from_suite)]
    return _result(suite.name, pair.digest, open_files(production), found, limits)


def validate_suite(
    suite: Suite, paths: Sequence[Path], snapshots: str, *, private: Collection[str] = (), limits: Limits | None = None
) -> QualityResult:
    """Run a suite alone, on any parquet files.

    Args:
        suite: from `load_suite`.
        paths: local parquet files with the same columns.
        snapshots: what the result says it is about.
        private: columns whose values must not leave.
        limits: memory, cores and examples.

    Raises:
        SnapshotUnreadable: see `validate`.
    """
    return _result(suite.name, snapshots, open_files(paths), suite_checks(suite, private), limits or Limits())


def _result(suite: str, snapshots: str, files: Files, found: Sequence[Found], limits: Limits) -> QualityResult:
    from pipeline.checks.quality.engines.evaluate import evaluate
    from pipeline.checks.quality.outcomes import outcome_of

    checks = [item for item in found if isinstance(item, Check)]
    evaluated = evaluate(checks, files, limits)
    made = iter(outcome_of(check, came) for check, came in zip(checks, evaluated, strict=True))
    damage = next((came.error for came in evaluated if came.damaged), None)
    outcomes = (
        _not_empty(files.rows),
        *([] if damage is None else [_broken("snapshot_readable", "The production snapshot can be read", damage)]),
        *(next(made) if isinstance(item, Check) else item for item in found),
    )
    return QualityResult(
        snapshots=snapshots,
        suite=suite,
        passed=not any(item.severity == "critical" and not item.passed for item in outcomes),
        outcomes=outcomes,
    )


def _built_in(scene: Callable[[], Scene]) -> list[Found]:
    """The built-in checks; where they cannot even be made, one that says so."""
    from pipeline.checks.quality.built_in.every import built_in_checks

    try:
        return built_in_checks(scene())
    except Exception as error:
        log.error("the built-in checks could not be made", exc_info=unspoken(error))
        return [_broken("built_in_checks", "The built-in checks can be made", named(error))]


def _broken(expectation: str, sentence: str, error: str) -> ExpectationOutcome:
    """Data that could not be judged is not taken for sound."""
    return ExpectationOutcome(
        expectation=expectation,
        column=None,
        severity="critical",
        passed=False,
        sentence=sentence,
        error=error,
        check=expectation,
    )


def _scene(
    monitor: Monitor,
    reference: Sequence[Path],
    production: Sequence[Path],
    pair: SnapshotPair,
    *,
    recent_rows: Sequence[int],
    limits: Limits,
    shelf: Shelf | None,
) -> Scene:
    from pipeline.checks.quality.built_in.reference import profile_columns
    from pipeline.checks.quality.built_in.scene import Scene
    from pipeline.checks.scan import open_table

    checks, roles = monitor.quality.checks, monitor.columns
    before, after = (open_table([str(path) for path in paths]) for paths in (reference, production))
    kinds = column_kinds(roles, before) if _looks_at_columns(checks) else {}
    factor = checks.outliers.factor if checks.outliers else 1.5
    most = checks.unseen_category.categories if checks.unseen_category else 1_000
    profiles = profile_columns(before, kinds, most, factor, limits, shelf=shelf)
    return Scene(checks, roles, pair, after, before, profiles, tuple(recent_rows), limits)


def _looks_at_columns(checks: QualityChecks) -> bool:
    wanted = (
        checks.missing_values, checks.unseen_category, checks.out_of_range,
        checks.outliers, checks.prediction_skew, checks.class_imbalance,
    )  # fmt: skip
    return any(item is not None for item in wanted)


def column_kinds(roles: ColumnRoles, table: Table) -> dict[str, Kind | None]:
    """How each column is looked at: as the monitor lists it, else by its type. Of ids and versions, only gaps matter.

    A whole-numbered, textual or boolean prediction is a class; the label and ignored columns are left out.
    """
    from pipeline.checks.scan import infer_kind

    kinds: dict[str, Kind | None] = {}
    for name in table.column_names:
        types = table.types_of(name)
        kinds[name] = infer_kind(types[0]) if types else None
        if name == roles.prediction and table.is_whole(name):
            kinds[name] = "categorical"
        if name in (roles.numerical or ()):
            kinds[name] = "numerical"
        if name in (roles.categorical or ()):
            kinds[name] = "categorical"
        if name in (roles.id, roles.model_version):
            kinds[name] = None
    return {name: kind for name, kind in kinds.items() if name != roles.label and name not in roles.ignore}


def _not_said(built_in: Sequence[Found], suite: Sequence[Check]) -> Iterator[Found]:
    """Those that the suite does not have in the very same words: else its severity and note count."""
    said: dict[tuple[str, str], list[Check]] = {}
    for own in suite:
        said.setdefault((own.type, repr(own.kwargs.get("column"))), []).append(own)
    for item in built_in:
        alike = said.get((item.type, repr(item.kwargs.get("column"))), []) if isinstance(item, Check) else []
        if not any(item.kwargs == own.kwargs for own in alike if isinstance(item, Check)):
            yield item


def suite_checks(suite: Suite, private: Collection[str] = ()) -> list[Check]:
    """The entries of a suite, in the order of the file; one that is wrong says so when it is evaluated."""
    problems = entry_problems(suite)
    return [_suite_check(entry, frozenset(private), problems.get(place)) for place, entry in enumerate(suite.entries)]


def _suite_check(entry: dict[str, Any], private: frozenset[str], problem: str | None) -> Check:
    kind, kwargs = entry["type"], dict(entry.get("kwargs", {}))
    severity = cast("Severity", entry.get("severity", "critical"))
    bare = Check(kind, kwargs, severity, sentence="")
    # Of an entry that cannot be read, nobody knows which columns it is about.
    hidden = bool(private & set(bare.columns)) or (problem is not None and bool(private))
    words = str(entry.get("description") or _sentence(kind, kwargs, private=hidden))
    limits = None if problem else expected(kind, kwargs, private=hidden)
    told = "the entry is wrong; `python -m pipeline check` says how" if problem and private else problem
    return Check(kind, kwargs, severity, words, limits, notes=_notes(entry), private=hidden, problem=told)


def _sentence(kind: str, kwargs: dict[str, Any], *, private: bool) -> str:
    """Arguments that are wrong may make no sentence."""
    try:
        return sentence(kind, kwargs, private=private)
    except (TypeError, ValueError, AttributeError):
        return kind


def _notes(entry: dict[str, Any]) -> str | None:
    notes = (entry.get("meta") or {}).get("notes")
    if isinstance(notes, dict):
        notes = notes.get("content")
    if isinstance(notes, list):
        notes = " ".join(map(str, notes))
    return None if notes is None else str(notes)


def open_files(paths: Sequence[Path]) -> Files:
    """A snapshot as the engines read it: the footers are read, no rows.

    Raises:
        SnapshotUnreadable: a file is not parquet or is gone.
    """
    from pipeline.checks.scan import open_table

    table = open_table([str(path) for path in paths])
    return Files(tuple(paths), table.schemas[0], table.rows)


def _not_empty(rows: int) -> ExpectationOutcome:
    """Most expectations hold on no rows at all, so emptiness is checked whatever the suite says."""
    return ExpectationOutcome(
        expectation="snapshot_not_empty",
        column=None,
        severity="critical",
        passed=rows > 0,
        sentence="The production snapshot has at least one row",
        observed=count(rows),
        check="not_empty",
        engine="metadata",
    )
