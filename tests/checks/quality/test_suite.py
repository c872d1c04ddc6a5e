"""Suite files: every mistake is found before a night, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.checks.quality import build_suite, load_suite
from pipeline.errors import ConfigError
from tests.checks.quality.samples import entry, write_suite


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"name": "s",\n "expectations": [}', "suite.json:2: broken JSON"),
        ("[]", "found no expectations"),
        ('{"name": "s"}', "found no expectations"),
        ('{"name": "s", "expectations": []}', "found no expectations"),
        ('{"name": "s", "expectations": [3]}', "expectations[0]: found int"),
        ('{"name": "s", "expectations": [{"kwargs": {}}]}', "expectations[0]: 'type' is missing"),
        ('{"name": "s", "expectations": [{"type": "x", "kwarg": {}}]}', "expectations[0] (x): unknown key 'kwarg'"),
        (
            '{"name": "s", "expectations": [{"type": "x", "kwargs": []}]}',
            "expectations[0] (x): 'kwargs' must be an object",
        ),
    ],
)
def test_a_broken_suite_file_is_refused_with_its_place(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        build_suite(load_suite(write_suite(tmp_path, content)))
    assert words in str(raised.value)


def test_every_unknown_expectation_and_wrong_argument_is_listed(tmp_path: Path) -> None:
    suite = load_suite(
        write_suite(
            tmp_path,
            [
                entry("expect_colum_values_to_not_be_null", column="a"),
                entry("expect_column_values_to_be_between", column="a", min_vlue=1, max_value=2),
                entry("expect_column_values_to_be_in_set", column="a", value_set=3),
                entry("expect_column_values_to_not_be_null", "fatal", column="a"),
                entry("expect_column_values_to_match_like_pattern", column="a", like_pattern="a%"),
                entry("expect_table_row_count_to_equal_other_table", other_table_name="t"),
                entry("expect_column_values_to_not_be_null", column="a"),
            ],
        )
    )
    with pytest.raises(ConfigError) as raised:
        build_suite(suite)
    found = raised.value.problems
    assert len(found) == 6
    wanted = ["not found", "min_vlue", "value_set", "fatal", "expect_column_values_to_match_regex", "second table"]
    for position, words in enumerate(wanted):
        assert f"expectations[{position}]" in found[position]
        assert words in found[position]
