"""A regular expression that RE2 is asked instead of Python finds a match in the same texts."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from pipeline.checks.quality.check import Check, Limits
from pipeline.checks.quality.engines.evaluate import evaluate
from pipeline.checks.quality.engines.literals import text_literal
from pipeline.checks.quality.engines.regular import regular
from pipeline.checks.quality.validate import open_files
from tests.checks.quality.samples import write_parts

PATTERNS = int(os.environ.get("NIGHTJAR_FUZZ_EXAMPLES", "500"))
PARTS = (
    "a", "b", "A", "Z", "1", "0", "_", "-", " ", "é", r"\.", r"\$", r"\n", r"\t", r"\d", r"\w", r"\s", r"\D", r"\W",
    r"\S", ".", "^", "$", r"\A", r"\Z", r"\b", "[a-c]", "[^a]", "[é-ü]", "[A-Z0-9]", r"[\d_]", r"[^\s]", r"[\W1]",
    r"[^\D5]", "[]^-]", "(?#said)",
)  # fmt: skip
REPEATS = ("*", "+", "?", "{2}", "{1,3}", "{0,}", "*?", "+?", "??")
LETTERS = "abAB01_- \n\t.$xZz\x0b\x1cs"
BEYOND = "éü٣\u212a\x85\u2028\u017f"


def made_up(rng: random.Random, depth: int = 0) -> str:
    kind = rng.random()
    if depth > 2 or kind < 0.5:
        return rng.choice(PARTS)
    inner = made_up(rng, depth + 1)
    if kind < 0.7:
        return inner + made_up(rng, depth + 1)
    if kind < 0.8:
        return f"(?:{inner}|{made_up(rng, depth + 1)})"
    return f"({inner})" if kind < 0.9 else f"(?:{inner}){rng.choice(REPEATS)}"


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def found(database: duckdb.DuckDBPyConnection, pattern: str, texts: list[str]) -> list[bool]:
    asked = f"SELECT regexp_matches(unnest($1::VARCHAR[]), {text_literal(pattern)})"
    return [told for (told,) in database.execute(asked, [texts]).fetchall()]


@pytest.mark.fuzz
@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")
def test_made_up_patterns_match_the_same_texts(database: duckdb.DuckDBPyConnection) -> None:
    rng, asked, hits = random.Random(17), 0, 0
    for _ in range(PATTERNS):
        pattern = rng.choice(("", "", "", "(?i)", "(?s)", "(?is)", "(?x)")) + made_up(rng)
        try:
            expected = re.compile(pattern)
        except re.error:
            continue
        ours = regular(pattern)
        if ours is None:
            continue
        letters = LETTERS if ours.ascii_only else LETTERS + BEYOND
        texts = ["".join(rng.choices(letters, k=rng.randrange(6))) for _ in range(30)]
        told = found(database, ours.pattern, texts)
        wrong = [text for text, one in zip(texts, told, strict=True) if one != bool(expected.search(text))]
        assert not wrong, (pattern, ours, wrong)
        asked, hits = asked + 1, hits + sum(told)
    assert asked > PATTERNS * 0.7
    assert 0.2 < hits / asked / 30 < 0.8


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a)\1", "(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", r"\Ba", "a$b", "(?m)^a", "(?a)\\d", "(?i:a)b",
        "(?P<n>a)(?(n)b|c)", "a{1001}", "(?>a)", "a++", "(?i)é", "(?i)[a-ü]", "(", "a" * 5 + "(" * 3000,
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_is_python_s_alone_stays_python_s(pattern: str) -> None:
    assert regular(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "ascii_only"),
    [("^[a-z]+$", False), ("é.", False), (r"\d", True), ("[^\\w]", True), (r"\bx", True), ("(?i)a", True)],
)
def test_tables_of_unicode_matter_for_some_patterns(pattern: str, ascii_only: bool) -> None:
    told = regular(pattern)
    assert told is not None
    assert told.ascii_only is ascii_only


@pytest.mark.parametrize(
    ("pattern", "texts", "engine", "unexpected"),
    [
        (r"^\d+$", ["1", "22", "x", None], "duckdb", 1),
        (r"^\d+$", ["1", "22", "x", "٣", None], "pandas", 1),  # a digit, too
        ("^[0-9]+$", ["1", "22", "x", "٣", None], "duckdb", 2),
        ("^(?!x)", ["1", "22", "x", None], "pandas", 1),
        ("1$", ["1", "1\n", "1\n\n"], "duckdb", 1),
    ],
)
def test_each_check_goes_to_the_engine_that_reads_it(
    tmp_path: Path, pattern: str, texts: list[Any], engine: str, unexpected: int
) -> None:
    files = open_files(write_parts(tmp_path, pa.table({"said": pa.array(texts, pa.string())})))
    checks = [
        Check(f"expect_column_values_to_{kind}", {"column": "said", **arguments}, "info", "")
        for kind, arguments in (
            ("match_regex", {"regex": pattern}),
            ("match_regex_list", {"regex_list": [pattern]}),
            ("not_match_regex", {"regex": pattern}),
            ("not_match_regex_list", {"regex_list": [pattern]}),
        )
    ]
    told = evaluate(checks, files, Limits(threads=1, examples=1))
    assert [item.engine for item in told] == [engine] * 4
    with_value = sum(text is not None for text in texts)
    counts = [item.details["unexpected_count"] for item in told]
    assert counts == [unexpected, unexpected, with_value - unexpected, with_value - unexpected]
