"""Names, values, suites and monitors that would do something where somebody obeyed them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pandas as pd

TEXTS = (
    "<script>alert(1)</script>", "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</style>",
    '" onmouseover="alert(1)', "'><b>", "<!--", "-->", "]]>", "&lt;b&gt;", "&", "javascript:alert(1)",
    "[Open](http://evil.example/x)", "[1]: //evil.example", "<http://evil.example|Open>", "https://evil.example",
    "@everyone", "<!channel>", "**bold**", "# title", "| a | b |", "`code`", "\\", "\\n", "\\u202e",
    "{{ 7 * 7 }}", "{% raw %}", "{date}", "{0}", "{", "%s", "%(name)s", "$(id)", "${HOME}", "$1", "~",
    "'; DROP TABLE x; --", '"', "'", "''", '""', "--", "/* */", ";", "SELECT 1", "*", "?", ":a", "a = 1",
    "a\nb", "a\r\nBcc: evil@example.com", "\tb", "\x1b]0;PWNED\x07", "\x1b[31mred", "\x9b31m", "\x00", "\x7f",
    "\u202egnp.exe", "\u2028", "\ufeff", "\u200b", "\u0085", "e\u0301", "\u00e9", "\U0001f600", "ﬀ", "İ", "ß",
    "", " ", "  ", " a ", ".", "..", "../../etc/passwd", "/etc/passwd", "a/b", "a.b", "a,b", "a:b", "a#b", "a%2Fb",
    "C:\\x", "nul", "con", "None", "null", "nan", "NaN", "inf", "-inf", "true", "0", "1", "1e400", "-0", "=1+1",
    "+1", "-1", "@SUM(A1)", "__proto__", "constructor", "index", "rowid", "filename", "count",
    "row", "level_0", "self", "class", "lambda", "target", "prediction", "weighted", "x" * 300, "ü" * 200, "a" * 5_000,
)  # fmt: skip

OWN = ("id", "label", "prediction", "score")
MOST_NAMES = 6


def names(chance: Random) -> list[str]:
    """Some names of columns; now and then several that differ by little."""
    found = chance.sample(TEXTS, chance.randint(2, MOST_NAMES))
    if chance.random() < 0.3:
        found += [found[0].swapcase(), f"{found[0]} "]
    return [name for name in dict.fromkeys(found) if name not in OWN]


def _texts(chance: Random, rows: int, moved: bool) -> list[Any]:
    pool = chance.sample(TEXTS, 5)
    return chance.choices([*pool, None], weights=[1, 1, 1, 9, 1, 1] if moved else [4, 3, 1, 1, 1, 1], k=rows)


def _numbers(chance: Random, rows: int, moved: bool) -> list[Any]:
    odd = chance.choice([[], [float("nan")], [1e308, -1e308], [float("inf")], [5e-324], [2.0**53 + 2]])
    return [chance.choice(odd) if odd and chance.random() < 0.02 else chance.gauss(3 * moved, 1) for _ in range(rows)]


def _whole(chance: Random, rows: int, moved: bool) -> list[Any]:
    return [chance.choice([0, 1, 2**62, -(2**63)] if moved else [0, 1, 2, 3]) for _ in range(rows)]


def _moments(chance: Random, rows: int, moved: bool) -> list[Any]:
    first = pd.Timestamp("2262-01-01" if moved else "2026-01-01")
    return [first + pd.Timedelta(chance.randrange(90), "D") for _ in range(rows)]


def _flags(chance: Random, rows: int, moved: bool) -> list[Any]:
    return [chance.random() < (0.9 if moved else 0.3) for _ in range(rows)]


KINDS: tuple[Callable[[Random, int, bool], list[Any]], ...] = (
    _texts,
    _texts,
    _numbers,
    _numbers,
    _whole,
    _moments,
    _flags,
)


def tables(chance: Random, found: list[str]) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """A reference of 400 rows, a production of 300, and which of the columns are certain to have drifted.

    Moments are in the files and are not compared.
    """
    kinds = {name: chance.choice(KINDS) for name in found}
    moved = [name for name in found if chance.random() < 0.5]
    frames = []
    for rows, later in ((400, False), (300, True)):
        random = np.random.default_rng(chance.randrange(2**32))
        score = random.random(rows)
        answers = {
            "id": [f"{later}-{row}" for row in range(rows)],
            "score": score,
            "prediction": (score > 0.5).astype("int64"),
            "label": (random.random(rows) < score).astype("int64"),
        }
        made = {
            name: kinds[name](Random(name) if not later else chance, rows, later and name in moved) for name in found
        }
        frames.append(pd.DataFrame(made | answers))
    certain = [name for name in moved if kinds[name] in (_whole, _flags)]
    return frames[0], frames[1], certain


def suite(chance: Random, found: list[str]) -> list[dict[str, Any]]:
    """Entries about these columns, with texts wherever a suite may have one."""

    def text() -> str:
        return chance.choice(TEXTS)

    def column() -> str:
        return chance.choice(found)

    makers: tuple[Callable[[], dict[str, Any]], ...] = (
        lambda: {
            "type": "expect_column_values_to_be_in_set",
            "kwargs": {"column": column(), "value_set": [text(), text()]},
        },
        lambda: {"type": "expect_column_values_to_match_regex", "kwargs": {"column": column(), "regex": text()}},
        lambda: {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": column()}},
        lambda: {"type": "expect_column_values_to_be_between", "kwargs": {"column": column(), "max_value": 0.5}},
        lambda: {"type": "expect_column_to_exist", "kwargs": {"column": text()}},
        lambda: {"type": "expect_column_values_to_be_of_type", "kwargs": {"column": column(), "type_": text()}},
        lambda: {"type": "expect_table_columns_to_match_set", "kwargs": {"column_set": [text(), column()]}},
        lambda: {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": [column(), "id"]}},
        lambda: {
            "type": "expect_column_values_to_not_be_null",
            "kwargs": {"column": "id", "row_condition": f'col("{column()}") == "{text()}"'},
        },
        lambda: {
            "type": "unexpected_rows_expectation",
            "kwargs": {"unexpected_rows_query": f"SELECT * FROM {{batch}} WHERE '{text()}' = '{text()}'"},
        },
        lambda: {"type": text(), "kwargs": {"column": column()}},
    )  # fmt: skip
    entries = [chance.choice(makers)() for _ in range(chance.randint(1, 6))]
    for entry in entries:
        entry["severity"] = chance.choice(["info", "warning", "critical"])
        if chance.random() < 0.4:
            entry["meta"] = {"notes": {"format": "markdown", "content": [text()]}, text(): text()}
    return entries


def monitor(chance: Random, found: list[str]) -> dict[str, Any]:
    """Sections of a monitor file, with texts wherever it may have one."""
    listable = [name for name in found if name]  # a column without a name cannot be written down
    sections: dict[str, Any] = {
        "notify": {"email": ["team@example.com"], "channels": ["night"]},
        "columns": {"id": "id", "label": "label", "prediction": "prediction", "score": "score"},
        "performance": {"label_delay_days": 0},
        "quality": {"suite": "people", "examples": 3},
    }
    if chance.random() < 0.5:
        sections["description"] = chance.choice(TEXTS) or "none"
    if chance.random() < 0.3:
        sections["columns"]["private"] = [chance.choice(listable)]
    if chance.random() < 0.3:
        sections["drift"] = {"critical": [chance.choice(listable)]}
    if chance.random() < 0.3:
        sections["retrain"] = {
            "segments": sorted({chance.choice(listable)} - {*sections["columns"].get("private", ())})
        }
    return sections
