"""Row conditions: read from structures and from words, never run, and the rows they choose are those of pandas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.checks.quality.conditions import ConditionError, columns_of, condition_words, parse_condition
from tests.checks.quality.samples import entry, run

FRAME = pd.DataFrame(
    {
        "status": ["open", "cancelled", None, "open", None, "done"],
        "n": [1.0, None, 3.0, 4.0, None, 6.0],
        "m": [1.0, 2.0, None, 5.0, None, 5.0],
        "id": [1, 2, 3, 4, 5, 6],
        "when": pd.Series(
            ["2026-01-01", None, "2026-01-03", "2026-01-03T12:00", None, "2025-12-31"], dtype="datetime64[ns]"
        ),
        "a b": ["x", "y", "x", None, "y", "x"],
    }
)


def structure(column: str, operator: str, parameter: Any) -> dict[str, Any]:
    return {"type": "comparison", "column": {"name": column}, "operator": operator, "parameter": parameter}


def nullity(column: str, *, is_null: bool) -> dict[str, Any]:
    return {"type": "nullity", "column": {"name": column}, "is_null": is_null}


STRUCTURES: list[tuple[dict[str, Any], str]] = [
    *((structure("n", operator, 3), f"n {operator} 3") for operator in ("==", "!=", "<", "<=", ">", ">=")),
    *((structure("status", operator, "open"), f"status {operator} 'open'") for operator in ("==", "!=")),
    (structure("status", "IN", ["open", "done"]), "status in ['open', 'done']"),
    (structure("status", "NOT_IN", ["open", "done"]), "status not in ['open', 'done']"),
    (structure("n", "NOT_IN", [1, 6]), "n not in [1, 6]"),
    (structure("status", "IN", []), "status in []"),
    (structure("status", "NOT_IN", []), "status not in []"),
    (structure("when", ">", "2026-01-03"), "when > '2026-01-03'"),
    (structure("when", "!=", "2026-01-03"), "when != '2026-01-03'"),
    (nullity("status", is_null=True), "status.isnull()"),
    (nullity("n", is_null=False), "n.notnull()"),
    ({"type": "and", "conditions": [structure("n", "!=", 3), nullity("m", is_null=False)]}, "n != 3 and m.notnull()"),
    ({"type": "or", "conditions": [structure("n", "<", 3), structure("m", "!=", 5)]}, "n < 3 or m != 5"),
]
WORDS = [
    "status != 'cancelled'", "n > m", "n != m", "n == n", "n != n", "1 < n <= 4", "3 > n", "not (n > 3)",
    "~(n > 3) & m > 1",
    "n > 3 | m > 1 & id < 4", "`a b` == 'x'", "`a b` in ('x',) and id not in [1, 2]", "status == ['open', 'done']",
    "status.isin(['open'])", "n.between(1, 4)", "n.isna() or not m.notna()",
]  # fmt: skip


def rows_of(folder: Path, condition: Any) -> list[tuple[int | None, str | None, int | None]]:
    """How many rows, of SQL and of pandas, and of those that are not 0: the last rows left in both engines."""
    result = run(
        folder,
        FRAME,
        entry("expect_table_row_count_to_equal", value=-1, row_condition=condition),
        entry("expect_column_values_to_be_between", column="id", max_value=0, row_condition=condition),
        entry("expect_column_values_to_match_regex", column="id", regex="^$", row_condition=condition),
        examples=6,
    )
    assert [item.error for item in result.outcomes[1:]] == [None] * 3
    assert [item.engine for item in result.outcomes[1:]] == ["duckdb", "duckdb", "pandas"]
    return [(item.unexpected_rows, item.observed, len(item.examples)) for item in result.outcomes[1:]]


@pytest.mark.filterwarnings("ignore:The behavior of 'isin':FutureWarning")  # of pandas' own query
@pytest.mark.parametrize(("condition", "query"), STRUCTURES, ids=[query for _, query in STRUCTURES])
def test_a_structure_chooses_the_rows_that_pandas_would(tmp_path: Path, condition: Any, query: str) -> None:
    many = len(FRAME.query(query))
    assert rows_of(tmp_path, condition) == [(None, str(many), 0), (many, None, many), (many, None, many)]


@pytest.mark.parametrize("words", WORDS)
def test_words_choose_the_rows_that_pandas_would(tmp_path: Path, words: str) -> None:
    many = len(FRAME.query(words))
    assert rows_of(tmp_path, words) == [(None, str(many), 0), (many, None, many), (many, None, many)]


def test_what_is_bad_exactly_where_the_condition_has_no_value_is_found(tmp_path: Path) -> None:
    frame = pd.DataFrame({"status": ["ok"] * 100 + [None] * 100, "v": [1] * 100 + [-1] * 100})
    for condition in (
        structure("status", "!=", "cancelled"),
        structure("status", "NOT_IN", ["cancelled"]),
        "status != 'cancelled'",
        'col("status") != "cancelled"',
    ):
        found = run(
            tmp_path,
            frame,
            entry("expect_column_values_to_be_between", column="v", min_value=0, row_condition=condition),
            entry("expect_table_row_count_to_equal", value=200, row_condition=condition),
        )
        assert [(item.passed, item.unexpected_rows) for item in found.outcomes[1:]] == [(False, 100), (True, None)]


@pytest.mark.parametrize(
    ("condition", "columns", "words"),
    [
        (None, [], None),
        ("", [], None),
        ('col("a").notNull()', ["a"], "a is present"),
        ('col("a b") >= date("2026-01-01")', ["a b"], "a b >= 2026-01-01"),
        ({"type": "pass_through", "pass_through_filter": "a > 1"}, ["a"], "a > 1"),
        ("(a > 1 or b == 'x') and not c.isna()", ["a", "b", "c"], "(a > 1 or b == x) and not (c is missing)"),
        ("code in ['01067', '01069']", ["code"], "code is one of 01067, 01069"),
        ("a.str.startswith('DE')", ["a"], "a starts with DE"),
        ("active", ["active"], "active == true"),
        (structure("year", "NOT_IN", [2024]), ["year"], "year is none of 2024"),
    ],
)
def test_conditions_name_their_columns_and_read_as_sentences(condition: Any, columns: list[str], words: str) -> None:
    found = parse_condition(condition)
    assert columns_of(found) == columns
    assert (None if found is None else condition_words(found)) == words


@pytest.mark.parametrize(
    "condition",
    [
        "@pd.io.common.os.system('touch x') == 0",
        "age.to_pickle('x') != age",
        "__import__('os').system('x')",
        "().__class__ == 1",
        "[x for x in y] == 1",
        "(lambda: 1)() == 1",
        "f'{a}' == 1",
        "a if b else c",
        "a + 1 > 2",
        "a ==",
        "a = 1",
        "a == None",
        "a is b",
        "a.mean() > 1",
        "a.between(1)",
        "a.isin('x')",
        "1 == 1",
        "(" * 5_000,
        5,
        ["a"],
        {"type": "comparison"},
        {"type": "spark", "x": 1},
        structure("a", "~", 1),
        structure("a", "==", None),
        structure("a", "IN", "abc"),
        structure("a", "<", [1]),
        structure("a", "IN", [None]),
        structure("a", "==", {"$PARAMETER": "x"}),
        {"type": "nullity", "column": {"name": "a"}},
        {"type": "and", "conditions": []},
        {"type": "or", "conditions": [None]},
        {"type": "pass_through", "pass_through_filter": 5},
        {"$PARAMETER": "x"},
    ],
)
def test_what_is_no_condition_is_refused_in_words(condition: Any) -> None:
    with pytest.raises(ConditionError):
        parse_condition(condition)


@pytest.mark.parametrize(
    ("condition", "error"),
    [
        ("gone == 1", "the column is not in the snapshot"),
        ("status > 5", "row_condition compares status, which holds string, with a number"),
        ("n > status", "row_condition compares n with status, which holds another kind of value"),
        (structure("when", ">", "01/02/2026"), "dates and moments are ISO 8601"),
        ("n.str.startswith('1')", "row_condition asks n for text"),
    ],
)
def test_a_condition_that_does_not_suit_its_column_fails_its_entry_alone(
    tmp_path: Path, condition: Any, error: str
) -> None:
    result = run(
        tmp_path,
        FRAME,
        entry("expect_column_values_to_be_unique", column="id", row_condition=condition),
        entry("expect_column_values_to_be_unique", column="id"),
    )
    wrong, right = result.outcomes[1:]
    assert (wrong.passed, right.passed) == (False, True)
    assert error in str(wrong.error)


def test_equal_kinds_compare_and_others_are_never_equal(tmp_path: Path) -> None:
    wanted = {
        "status == 5": 0,
        "status != 5": 6,
        "n in ['x', 1]": 1,
        "n not in ['x']": 6,
        "status == n": 0,
        "id != status": 6,
    }
    for condition, many in wanted.items():
        result = run(tmp_path, FRAME, entry("expect_table_row_count_to_equal", value=many, row_condition=condition))
        assert result.outcomes[1].passed, (condition, result.outcomes[1])
