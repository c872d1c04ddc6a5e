"""A rerun of `suggest` never overwrites what a person wrote, changed or removed."""

from __future__ import annotations

import json
from typing import Any

from pipeline.authoring.merge import Entry, is_untouched, merge, signed_suite, suite_text


def entry(column: str, **kwargs: Any) -> Entry:
    kind = "expect_column_values_to_be_between"
    return {"type": kind, "kwargs": {"column": column, **kwargs}, "severity": "warning", "meta": {"notes": "seen"}}


def test_a_suggestion_that_nobody_touched_is_renewed() -> None:
    before = signed_suite("s", [entry("a", max_value=1), entry("b", max_value=1)])
    after = signed_suite("s", [entry("a", max_value=2), entry("b", max_value=1)])
    merged = merge(before, after)
    assert merged.content == after
    assert (merged.kept, merged.renewed, merged.added, merged.dropped) == (0, 1, 0, 0)


def test_what_a_person_changed_or_wrote_stays_in_its_place() -> None:
    before = signed_suite("s", [entry("a", max_value=1), entry("b", max_value=1)])
    edited = json.loads(json.dumps(before))
    edited["expectations"][0]["severity"] = "critical"
    edited["expectations"].insert(1, entry("mine", max_value=7))
    merged = merge(edited, signed_suite("s", [entry("a", max_value=2), entry("b", max_value=2)]))
    kept = merged.content["expectations"]
    assert [item["kwargs"]["max_value"] for item in kept] == [1, 7, 2]
    assert kept[0]["severity"] == "critical"
    assert (merged.kept, merged.renewed) == (2, 1)


def test_a_changed_note_is_an_edit_too() -> None:
    (signed,) = signed_suite("s", [entry("a")])["expectations"]
    assert is_untouched(signed)
    assert not is_untouched({**signed, "meta": {**signed["meta"], "notes": "agreed with the shop"}})
    assert not is_untouched(entry("a"))


def test_what_a_person_removed_is_not_suggested_again_but_new_things_are() -> None:
    before = signed_suite("s", [entry("a"), entry("b")])
    before["expectations"].pop(0)
    merged = merge(before, signed_suite("s", [entry("a"), entry("b"), entry("c")]))
    assert [item["kwargs"]["column"] for item in merged.content["expectations"]] == ["b", "c"]
    assert (merged.removed_before, merged.added) == (1, 1)
    again = merge(merged.content, signed_suite("s", [entry("a"), entry("b"), entry("c")]))
    assert again.content == merged.content


def test_an_untouched_suggestion_that_no_longer_holds_goes() -> None:
    merged = merge(signed_suite("s", [entry("a"), entry("b")]), signed_suite("s", [entry("b")]))
    assert [item["kwargs"]["column"] for item in merged.content["expectations"]] == ["b"]
    assert merged.dropped == 1


def test_other_content_of_the_file_stays() -> None:
    existing = {"name": "s", "notes": "ours", "meta": {"owner": "me"}, "expectations": [entry("a")]}
    merged = merge(existing, signed_suite("s", [entry("b")]))
    assert merged.content["notes"] == "ours"
    assert merged.content["meta"]["owner"] == "me"


def test_the_file_reads_back_as_it_was_written() -> None:
    content = signed_suite("größe", [entry('a "quoted"\n name', value_set=["ü", 1, None, 0.5])])
    assert json.loads(suite_text(content)) == content
    assert json.loads(suite_text({"name": "s", "expectations": []})) == {"name": "s", "expectations": []}
