"""How values are written: nothing is rounded away, different values look different, codes stay codes."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import wording
from pipeline.wording import apart, count, exact_share, label, measured, number, share, signed, times, value

ROOT = Path(__file__).parent.parent
# Numbers that are formatted elsewhere than in `pipeline/wording.py`, because nobody reads them as such.
NOT_FOR_PEOPLE: dict[str, set[str]] = {
    "demo/churn.py": {"07d"},  # digits of an id
    "pipeline/checks/quality/engines/regular.py": {"x"},  # an escape in a regular expression
    "pipeline/config/documents.py": {"08x"},  # an escape in YAML
    "pipeline/authoring/suggest.py": {".12g"},  # rounds a limit, which is written as JSON
    "pipeline/labels/classes.py": {"f"},  # a key that equal numbers share
    "pipeline/publish/charts/svg.py": {".1f", ".3f"},  # coordinates of SVG
    "pipeline/publish/mlflow_run.py": {"02X"},  # an escape in the name of a metric
    "pipeline/retrain/challenge.py": {".6g"},  # a tag that programs read
    "pipeline/retrain/model/lineage.py": {"len"},  # the length of a file, for a digest
}
Writer = Callable[..., str]
FRACTIONS = st.floats(0, 1)
FIGURES = st.floats(allow_nan=False, allow_infinity=False)
USUAL = st.floats(-1e14, 1e14)
repeatable = settings(derandomize=True, deadline=None, database=None, max_examples=300)


def read(text: str) -> Decimal:
    """The number that a person reads."""
    return Decimal(text.replace(",", ""))


def read_share(text: str) -> Decimal:
    return Decimal(text.removesuffix("%").replace(",", "")) / 100


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0, "0%"), (1 / 3000, "0.033%"), (0.00012, "0.012%"), (0.05, "5%"), (1 / 18, "5.6%"), (0.304, "30.4%"),
     (0.5, "50%"), (0.9996, "99.96%"), (0.9999, "99.99%"), (1, "100%"), (1.0004, "100.04%"), (12.5, "1250%"),
     (-0.031, "-3.1%"), (1e-12, "1e-10%"), (1 - 1e-12, "99.9999999999%")],
)  # fmt: skip
def test_measured_shares(fraction: float, text: str) -> None:
    assert share(fraction) == text


@pytest.mark.parametrize(
    ("fraction", "text"), [(0.3, "30%"), (0.3333, "33.33%"), (0.07, "7%"), (0.0001, "0.01%"), (0, "0%"), (1, "100%")]
)
def test_a_share_that_somebody_set_is_written_in_full(fraction: float, text: str) -> None:
    assert exact_share(fraction) == text


@repeatable
@given(FRACTIONS)
def test_only_none_is_no_per_cent_and_only_all_is_a_hundred(fraction: float) -> None:
    assert (share(fraction) == "0%") == (fraction == 0)
    assert (share(fraction) == "100%") == (fraction == 1)


@repeatable
@given(FRACTIONS, FRACTIONS)
def test_a_larger_share_never_reads_as_a_smaller_one(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert read_share(share(low)) <= read_share(share(high))


@repeatable
@given(FRACTIONS)
def test_a_share_is_read_to_half_of_its_last_digit(fraction: float) -> None:
    exact = Decimal(str(fraction))
    near = min(exact, 1 - exact)  # what is missing to 0% or 100%, of which two digits are shown
    assert abs(read_share(share(fraction)) - exact) <= min(Decimal("0.0005"), near / 20)


@repeatable
@given(FRACTIONS)
def test_a_share_that_somebody_set_is_read_back_exactly(fraction: float) -> None:
    assert read_share(exact_share(fraction)) == Decimal(str(fraction))


@repeatable
@given(FRACTIONS, FRACTIONS)
def test_a_share_stays_on_its_side_of_the_limit(fraction: float, limit: float) -> None:
    found, held = map(read_share, wording.share_and_limit(fraction, limit))
    assert (found > held, found < held) == (fraction > limit, fraction < limit)


def test_a_share_just_over_its_limit_says_so() -> None:
    assert wording.share_and_limit(0.3004, 0.3) == ("30.04%", "30%")
    assert wording.share_and_limit(0.1 + 0.2, 0.3) == ("30.000000000000004%", "30%")
    assert wording.share_and_limit(0.36, 0.3333) == ("36%", "33.33%")


@pytest.mark.parametrize(
    ("found", "text"),
    [(0.0, "0"), (-0.0, "0"), (0.31249, "0.312"), (0.1, "0.1"), (12.0, "12"), (999.6, "1000"), (2011.3, "2011"),
     (12345.678, "12,346"), (0.00054, "0.00054"), (0.0000163, "0.0000163"), (1.23e-7, "1.23e-7"), (5e15, "5e+15"),
     (1.7e9, "1,700,000,000"), (-3.14159, "-3.14"), (-0.5, "-0.5"), (float("inf"), "inf")],
)  # fmt: skip
def test_numbers_to_three_significant_digits(found: float, text: str) -> None:
    assert number(found) == text


@pytest.mark.parametrize(
    ("found", "text"),
    [(0.78, "0.780"), (1, "1.00"), (0.9996, "1.00"), (0, "0"), (55.88, "55.9"), (123.4, "123"), (12345.678, "12,346"),
     (1234.5, "1234"), (-0.5, "-0.500"), (1e-9, "1e-9")],
)  # fmt: skip
def test_metrics_keep_their_zeros(found: float, text: str) -> None:
    assert measured(found) == text


@pytest.mark.parametrize(
    ("chance", "text"),
    [(1, "every night"), (0.999, "nearly every night"), (0.57, "on 4 of 7 nights"), (0.4, "on 2 of 5 nights"),
     (0.5, "once in 2 nights"), (1 / 3, "once in 3 nights"), (0.1, "once in 10 nights"), (0.05, "once in 20 nights"),
     (1 / 912, "once in 910 nights"), (1 / 4_023, "once in 4,000 nights"), (1e-6, "once in 1,000,000 nights"),
     (9e-7, "less than once in 1,000,000 nights"), (0, "less than once in 1,000,000 nights")],
)  # fmt: skip
def test_how_rare_something_is(chance: float, text: str) -> None:
    assert wording.once_in(chance) == text


def read_rarity(text: str) -> Decimal:
    """The fraction of nights that a person reads, none of them twice; what lies beyond the ends reads as just that."""
    ends = {"every night": "1", "nearly every night": "0.99", "less than once in 1,000,000 nights": "0.0000009"}
    if text in ends:
        return Decimal(ends[text])
    many, nights = re.fullmatch(r"(?:on (\d+) of|once in) ([\d,.]+) nights", text).groups()  # type: ignore[union-attr]
    return Decimal(many or 1) / read(nights)


@repeatable
@given(st.floats(0, 1) | st.floats(0, 0.11) | st.floats(1, 2e6).map(lambda nights: 1 / nights), FRACTIONS)
def test_what_is_rarer_never_reads_as_more_frequent(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert read_rarity(wording.once_in(low)) <= read_rarity(wording.once_in(high))


@repeatable
@given(st.floats(11, 1e5), st.integers(11, 100_000))
def test_a_rarity_stays_on_its_side_of_the_budget(nights: float, budget: int) -> None:
    shown = read(wording.once_in(1 / nights, beside=(budget,)).split()[2])
    if abs(nights - budget) > 1e-6 * budget:
        assert (shown > budget) == (nights > budget)
    assert wording.once_in(1 / budget, beside=(budget,)) == f"once in {count(budget)} nights"


def test_too_few_rows_are_told_with_what_it_takes_where_that_is_known() -> None:
    assert wording.few_rows(24, 1, 310) == "24 instead of at least 310"
    assert wording.few_rows(1_680, 7, None) == "1,680 in 7 nights together"
    assert wording.too_few_rows(24, 1, None) == "too few rows to tell a change from chance: 24"


@repeatable
@given(FIGURES, FIGURES, st.sampled_from([number, measured, value]), st.integers(1, 6))
def test_a_larger_number_never_reads_as_a_smaller_one(one: float, other: float, write: Writer, digits: int) -> None:
    low, high = sorted((one, other))
    assert read(write(low, digits)) <= read(write(high, digits))


@repeatable
@given(FIGURES, st.sampled_from([number, measured, value]), st.integers(1, 6))
def test_a_number_is_read_to_its_digits(found: float, write: Writer, digits: int) -> None:
    exact = Decimal(str(found))
    assert abs(read(write(found, digits)) - exact) <= abs(exact) * Decimal(10) ** (1 - digits) / 2


@repeatable
@given(USUAL, USUAL, st.sampled_from([number, measured]))
def test_a_number_stays_on_its_side_of_what_it_is_held_against(found: float, limit: float, write: Writer) -> None:
    shown, held = read(write(found, beside=(limit,))), read(value(limit))
    assert (shown > held, shown < held) == (found > limit, found < limit)


@repeatable
@given(st.lists(FIGURES, min_size=2, max_size=6), st.sampled_from([number, measured, value, signed]))
def test_different_numbers_that_are_compared_read_differently(found: list[float], write: Writer) -> None:
    texts = [read(text) for text in apart(*sorted(found), write=write)]
    assert len(set(texts)) == len(set(found))
    assert texts == sorted(texts)


@repeatable
@given(st.lists(FRACTIONS, min_size=2, max_size=6))
def test_different_shares_that_are_compared_read_differently(found: list[float]) -> None:
    assert len(set(apart(*found, digits=2, write=share))) == len(set(found))


def test_no_more_digits_than_needed_to_tell_numbers_apart() -> None:
    assert apart(0.8123, 0.7804, write=measured) == ("0.812", "0.780")
    assert apart(0.81234, 0.81231, write=measured) == ("0.81234", "0.81231")
    assert apart(0.5, 0.5, write=measured) == ("0.500", "0.500")


def test_changes_have_a_direction() -> None:
    assert [signed(change) for change in (0.0319, -0.0041, 0, 1.631e-5)] == ["+0.032", "-0.0041", "0", "+0.000016"]
    assert [wording.difference(gain) for gain in (0.0319, -0.0041, 0)] == [
        "better by 0.032", "worse by 0.0041", "no better",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0, "0.0"), (0.33, "0.3"), (0.96, "0.96"), (1, "1.0"), (1.004, "1.004"), (4.2, "4.2"), (9.96, "10"), (57.3, "57"),
     (999.7, "1,000+"), (1e9, "1,000+")],
)  # fmt: skip
def test_how_many_times(ratio: float, text: str) -> None:
    assert times(ratio) == text


@pytest.mark.parametrize(
    ("many", "words"),
    [((0, "row"), "0 rows"), ((1, "row"), "1 row"), ((2000, "row"), "2,000 rows"), ((12345,), "12,345"),
     ((1, "category", "categories"), "1 category"), ((2, "category", "categories"), "2 categories")],
)  # fmt: skip
def test_counts(many: Any, words: str) -> None:
    assert count(*many) == words


@pytest.mark.parametrize(
    ("found", "text"),
    [("01067", "01067"), ("1,067", "1,067"), (2024, "2024"), (2024.0, "2024"), (1234567, "1234567"), (0.05, "0.05"),
     (12345.5, "12345.5"), (np.int64(10**18), "1000000000000000000"), (np.float32(0.1), "0.1"), (True, "true"),
     (np.False_, "false"), (None, "missing"), (float("nan"), "missing"), (Decimal("1.50"), "1.5"), (1e-7, "1e-7"),
     (date(2026, 1, 14), "2026-01-14"), (datetime(2026, 1, 14, 7), "2026-01-14T07:00:00"), ([1, 2], "[1, 2]"),
     ("a\nb", "a\\nb"), (float("-inf"), "-inf")],
)  # fmt: skip
def test_a_value_is_written_as_it_is(found: object, text: str) -> None:
    assert value(found) == text


@repeatable
@given(st.one_of(st.integers(), st.text(alphabet="0123456789", min_size=1)))
def test_a_code_never_gets_separators(code: int | str) -> None:
    assert value(code) == str(code)


@repeatable
@given(FIGURES)
def test_a_value_is_read_back_exactly(found: float) -> None:
    assert float(value(found)) == found


def test_values_to_some_digits_have_no_separators_either() -> None:
    assert [value(found, 6) for found in (10115.25, 1234567.891, 0.1234567, 3.0)] == [
        "10115.2", "1234568", "0.123457", "3",
    ]  # fmt: skip
    assert value(43.5000001, 6, beside=(43.5,)) == "43.5000001"


@pytest.mark.parametrize(
    ("many", "text"), [(0, "0 B"), (999, "999 B"), (1_234, "1.2 kB"), (99_960, "100 kB"), (999_999, "1.0 MB")]
)
def test_sizes_in_powers_of_a_thousand(many: int, text: str) -> None:
    assert wording.size(many) == text


def test_moments_are_in_utc() -> None:
    vienna = timezone(timedelta(hours=1))
    assert wording.moment("2026-01-15T02:12:30+01:00") == "2026-01-15 01:12 UTC"
    assert wording.moment(datetime(2026, 1, 15, 2, 12, 30, tzinfo=vienna), "seconds") == "2026-01-15 01:12:30 UTC"
    assert wording.moment(datetime(2026, 1, 15, tzinfo=UTC)) == "2026-01-15 00:00 UTC"
    assert wording.moment("soon\n") == "soon\\n"


def test_durations_quantiles_lists_and_metrics() -> None:
    assert [wording.seconds(found) for found in (0.42, 7.6, 75.3)] == ["0.4 s", "8 s", "75 s"]
    assert [wording.quantile(part) for part in (0.05, 0.5, 0.999)] == ["5% quantile", "median", "99.9% quantile"]
    assert wording.listed(range(3), 2) == "0, 1 and 1 more"
    assert wording.listed(["a", "b"]) == "a, b"
    assert [wording.metric_name(name) for name in ("roc_auc", "mean_absolute_error", "rmse", "f1")] == [
        "ROC AUC", "mean absolute error", "RMSE", "F1",
    ]  # fmt: skip


def test_text_from_data_is_one_line_of_bounded_length_that_hides_nothing() -> None:
    clip = wording.clip
    assert clip("a\r\nb\tc\x00", 50) == "a\\r\\nb\\tc\\x00"
    assert clip("\u202eabc\u2028\ud800\ufeff", 50) == "\\u202eabc\\u2028\\ud800\\ufeff"
    assert clip("\u05e9\u05dc\u05d5\u05dd \u0928\u200d\u092e", 50) == "\u05e9\u05dc\u05d5\u05dd \u0928\u200d\u092e"
    assert clip("x" * 10_000, 40) == "x" * 39 + "\u2026"
    assert len(clip("\n" * 10_000, 40)) == 40


@repeatable
@given(st.one_of(st.text(max_size=200), st.integers(), st.floats(allow_nan=False), st.booleans()))
def test_labels_are_short_and_hide_nothing(key: object) -> None:
    shown = label(key)
    assert len(shown) <= wording.MAX_LABEL
    assert wording.clip(shown, wording.MAX_LABEL) == shown
    assert not any(char in shown for char in "\n\r\t\x00\u202e\u2028")


def formats_of_numbers(tree: ast.AST) -> Iterator[str]:
    """Every way in which a module would write a number by itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FormattedValue):
            yield from formats_in_a_string(node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            yield from percent_formats(node.left)
        elif isinstance(node, ast.Call):
            yield from formats_in_a_call(node)


def formats_in_a_string(node: ast.FormattedValue) -> Iterator[str]:
    """Of an f-string: `{x:,}`, `{x:.{digits}f}`, and `{len(x)}`, which has no separators."""
    if isinstance(node.format_spec, ast.JoinedStr):
        spec = "".join(str(part.value) if isinstance(part, ast.Constant) else "1" for part in node.format_spec.values)
        if "%" not in spec.rstrip("%") and re.search(r"[,_.]|[bcdeEfFgGnoxX%]$", spec):
            yield spec
    elif isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
        yield from {"len", "sum", "round", "int", "float"} & {node.value.func.id}


def formats_in_a_call(node: ast.Call) -> Iterator[str]:
    """`format(x, ...)`, `"{:,}".format(x)`, and the text of a log entry."""
    if isinstance(node.func, ast.Name) and node.func.id == "format":
        yield "format"
    if not isinstance(node.func, ast.Attribute):
        return
    if node.func.attr == "format" and isinstance(node.func.value, ast.Constant):
        yield from re.findall(r"{[^{}:]*:([^{}%]*[,_.deEfFgGn%])}", str(node.func.value.value))
    if node.func.attr in ("debug", "info", "warning", "error", "exception", "critical") and node.args:
        yield from percent_formats(node.args[0])


def percent_formats(node: ast.AST) -> list[str]:
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    return re.findall(r"(?<!%)%[-+ #0-9.*]*[diouxXeEfFgG]", text)


@pytest.mark.parametrize("code", [
    'f"{x:,}"', 'f"{x:.0%}"', 'f"{x:.{n}f}"', 'f"{x:g}"', 'f"{x:6,}"', 'f"{len(x)} rows"', '"%.3f" % x', '"%d" % x',
    'log.info("%d rows", x)', 'format(x, ",")', '"{:,}".format(x)', '"{0:.1%}".format(x)',
])  # fmt: skip
def test_the_scan_sees_every_way_to_format_a_number(code: str) -> None:
    assert list(formats_of_numbers(ast.parse(code)))


@pytest.mark.parametrize(
    "code", ['f"{x}"', 'f"{x!r:>8}"', 'f"{day:%Y-%m-%d}"', '"%s rows" % x', "'{} {:>6}'.format(x, y)"]
)
def test_the_scan_leaves_text_and_dates_alone(code: str) -> None:
    assert not list(formats_of_numbers(ast.parse(code)))


def test_numbers_for_people_are_written_in_one_place() -> None:
    found: dict[str, set[str]] = {}
    for path in (path for part in ("pipeline", "dags", "demo") for path in (ROOT / part).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        formats = set(formats_of_numbers(ast.parse(path.read_text())))
        if formats and name != "pipeline/wording.py":
            found[name] = formats
    assert found == NOT_FOR_PEOPLE


def test_templates_format_no_numbers() -> None:
    templates = sorted((ROOT / "reports" / "templates").glob("*.j2"))
    assert templates
    formats = re.compile(r"\|\s*(round|float|int)\b|%[-+ #0-9.]*[defg]\b|:,|\.format\(")
    for path in templates:
        for expression in re.findall(r"{[{%].*?[%}]}", path.read_text(), re.DOTALL):
            assert not formats.search(re.sub(r"strftime\(.*?\)", "", expression)), (path, expression)


def test_small_changes_have_no_exponent() -> None:
    assert (signed(1.631e-05), wording.difference(-1.631e-05)) == ("+0.000016", "worse by 0.000016")


def test_what_changed_as_expected_is_told_from_the_columns_that_count() -> None:
    assert wording.columns_drifted(9, 18, 0) == "9 of 18 columns drifted"
    assert wording.columns_drifted(0, 2, 3) == "0 of 2 other columns drifted"
    assert wording.columns_drifted(0, 1, 1, "none") == "none of 1 other column drifted"
    assert wording.columns_drifted(0, 0, 3) == "every column changed as expected"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('Invalid string found: value "ann@example.com" is not valid', "Invalid string found: value"),
        ("Casting 6543210987654 would be out of bounds: -1.5e+3", "Casting # would be out of bounds: #"),
        ("Page was smaller (5) than expected (1,024)", "Page was smaller (#) than expected (#)"),
        ("could not read int64 of utf8\nand more", "could not read int64 of utf8"),
        ("'ann' is not known", "ValueError"),
        ("", "ValueError"),
    ],
)
def test_what_foreign_code_says_of_data_is_told_without_the_data(said: str, told: str) -> None:
    assert wording.cause(ValueError(said)) == told
