"""Built-in check of rows that repeat each other, as in a night that was delivered twice.

Rows are told apart by a hash of their values, counted by DuckDB within the memory budget. Missing values are equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.checks.quality.built_in.scene import Found, Scene
from pipeline.checks.quality.engines.sql import VIEW, is_too_deep, setup_statements
from pipeline.results import ExpectationOutcome
from pipeline.storage.scratch import temporary_folder
from pipeline.wording import clip, exact_share, share

if TYPE_CHECKING:
    from pipeline.checks.scan import Table


def duplicate_rows(scene: Scene) -> Iterator[Found]:
    """Hardly more rows repeat another one than in the reference; of a table with an id, the id says it.

    By chance, rows of few different values repeat the more often the more there are: a night with more rows than the
    reference may have as many times its share.
    """
    import duckdb

    policy = scene.checks.duplicate_rows
    checked = scene.roles.id is not None and scene.checks.duplicate_id is not None
    if policy is None or scene.empty or (checked and scene.roles.id and scene.production.has(scene.roles.id)):
        return
    names = _names(scene)
    if not names:
        return
    found, usual, looked, error = 0.0, 0.0, False, None
    try:
        found = _repeated_share(scene, scene.production, names)
        if found > policy.rise and scene.reference.rows:
            usual = _repeated_share(scene, scene.reference, names)
            looked = True
            usual *= max(1.0, scene.production.rows / scene.reference.rows)
    except duckdb.Error as problem:
        error = clip(str(problem), 200)
    limit = min(1.0, usual + policy.rise)
    yield ExpectationOutcome(
        expectation="rows_are_not_repeated",
        column=None,
        severity=policy.severity,
        passed=error is None and found <= limit,
        sentence="Hardly more rows repeat another one than in the reference",
        expected=f"at most {exact_share(round(limit, 4))} of the rows (reference: {share(usual)})" if looked else None,
        unexpected_rows=round(found * scene.production.rows),
        unexpected_share=found,
        allowed_share=limit,
        error=error,
        check="duplicate_rows",
        engine="duckdb",
    )


def _names(scene: Scene) -> list[str]:
    """Columns of both snapshots that DuckDB reads, without the label, which comes later, and ignored ones."""
    aside = {scene.roles.label, *scene.roles.ignore}
    both = [name for name in scene.production.column_names if scene.reference.has(name)]
    types = {name: [table.types_of(name) for table in (scene.production, scene.reference)] for name in both}
    deep = {name for name, found in types.items() if any(is_too_deep(kind) for kinds in found for kind in kinds)}
    return [name for name in both if name not in aside | deep and all(map(len, types[name]))]


def _repeated_share(scene: Scene, table: Table, names: Sequence[str]) -> float:
    """The rows that are not the first of their kind, as a fraction of all."""
    import duckdb

    schema = table.schemas[0]
    columns = ", ".join(f"c{schema.get_field_index(name)}" for name in names if schema.get_all_field_indices(name))
    paths, limits = [Path(path) for path in table.paths], scene.limits
    with temporary_folder() as spill, duckdb.connect() as connection:
        for statement in setup_statements(paths, schema, spill, limits.budget_bytes, limits.threads):
            connection.execute(statement)
        # In two steps: reading wide rows and counting at once takes the memory of both, which DuckDB cannot lay aside.
        connection.execute(f"CREATE TEMP TABLE hashes AS SELECT hash({columns}) AS kind FROM {VIEW}")  # noqa: S608 - ours
        row = connection.execute("SELECT count(*) FROM (SELECT 1 FROM hashes GROUP BY kind)").fetchone()
    return 1 - (row[0] if row else 0) / table.rows
