"""SQL that a suite brings along: one query over `{batch}`, with any other brace meaning itself."""

from __future__ import annotations

import re

BATCH = "{batch}"
_NAME = "snapshot_by_name"


def with_plain_braces(query: str) -> str:
    """The query as `str.format` reads it, in which braces that are no placeholder stand for themselves.

    `{7}` of a regular expression and `{'a': 1}` need no doubling here; one that is doubled, as Great Expectations asks
    for, still counts once.
    """
    try:
        query.format(batch="")
    except (IndexError, KeyError, ValueError, AttributeError):
        return re.sub(r"\{batch\}|[{}]", lambda match: match[0] if match[0] == BATCH else match[0] * 2, query)
    return query


def query_problem(query: str) -> str | None:
    """Why a query cannot be evaluated, as far as its text shows; None where it can."""
    import duckdb

    if BATCH not in query:
        return f"it does not name the snapshot, {BATCH}"
    try:
        statements = duckdb.extract_statements(with_plain_braces(query).format(batch=_NAME))
    except (duckdb.Error, ValueError, KeyError, IndexError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        return f"no SQL: {first}"
    kinds = [statement.type.name for statement in statements]
    return None if kinds == ["SELECT"] else "only one SELECT is allowed"
