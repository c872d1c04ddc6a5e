"""Columns together on a night's page, in its lines and gauges."""

from __future__ import annotations

import dataclasses

import pytest

from pipeline.publish.facts.together import together_line
from pipeline.publish.gauges.night import exposition
from pipeline.publish.pages import night_page
from pipeline.results import Failure, TogetherResult, VectorDrift
from tests.publish import samples
from tests.publish.together import together, unseen, vector


def page(found: TogetherResult | None, drifted: int = 0) -> str:
    view = dataclasses.replace(samples.view(), together=found)
    if not drifted:
        view = dataclasses.replace(view, drift=samples.drift(drifted=0))
    return night_page(view).decode()


def test_changed_pairs_are_named_with_what_they_were_and_are_and_how_rare_that_is() -> None:
    text = page(together(changed=2))
    assert "2 pairs changed, feature_0 with age, feature_1 with age" in text
    assert "correlation 0.523 to -0.487, Cramér&#39;s V 0.412 to 0.398" in text
    assert "once in 41,000 nights" in text
    assert "No column that has a part in it drifted by itself" in text


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (together(changed=0), "Columns go together as they did (on unchanged data on 2 of 5 nights)"),
        (together(changed=0, sides=True), "feature_0, income give tonight's rows away"),
        (together(changed=0, plane=True), "tonight's rows lie farther from the plane of the reference"),
        (together(changed=0).model_copy(update={"chance": None}), ""),
        (None, ""),
    ],
)
def test_the_line_says_what_gave_the_warning(found: TogetherResult | None, words: str) -> None:
    line = together_line(found)
    assert words in line
    assert bool(line) == bool(words)
    assert line.startswith("Warning: ") == (found is not None and found.changed)


def test_columns_that_drifted_by_themselves_as_well_are_named() -> None:
    drift = samples.drift(drifted=3)
    name = drift.drifted_columns[0].name
    found = together(changed=0, plane=True).model_copy(update={"columns": (name, "other")})
    view = dataclasses.replace(samples.view(), together=found, drift=drift)
    assert f"Drifted by themselves as well: {name}" in night_page(view).decode()


def test_more_changed_pairs_than_are_listed_are_counted() -> None:
    found = together(changed=20).model_copy(update={"pairs_changed": 31, "left_out": 7})
    text = page(found)
    assert "31 pairs changed" in text
    assert "11 more changed pairs are not listed" in text
    assert "7 columns beyond the first 10" in text


def test_what_could_not_be_measured_says_so_and_has_no_gauge() -> None:
    broken = TogetherResult(
        snapshots="0" * 64, per_nights=365, failure=Failure(part="together", error="ZeroDivisionError", exit_code=1)
    )
    text = page(broken)
    assert "Columns could not be looked at together" in text
    assert "ZeroDivisionError" in text
    assert "together" not in exposition(dataclasses.replace(samples.view(), together=broken)).decode()


def test_a_name_from_the_data_is_no_markup() -> None:
    found = together(changed=1)
    evil = found.pairs[0].model_copy(update={"first": "<script>alert(1)</script>"})
    text = page(found.model_copy(update={"pairs": (evil, *found.pairs[1:])}))
    assert "<script>alert" not in text


def test_the_gauges_have_what_was_found() -> None:
    text = exposition(dataclasses.replace(samples.view(), together=together(changed=2))).decode()
    for line in (
        "model_monitor_together_changed 1.0",
        "model_monitor_pairs_changed 2.0",
        "model_monitor_reconstruction_error_ratio 0.282",
        "model_monitor_sides_roc_auc 0.502",
    ):
        assert line in text
    assert "model_monitor_together" not in exposition(samples.view()).decode()


def with_lists(found: TogetherResult, *lists: VectorDrift) -> TogetherResult:
    changed = found.changed or any(one.changed for one in lists)
    return found.model_copy(update={"vectors": lists, "changed": changed})


def test_lists_that_changed_are_a_warning_of_their_own_and_say_what_did() -> None:
    found = with_lists(together(changed=0), vector(changed=True))
    text = page(found)
    assert "Lists in embedding</bdi>, changed" in text
    assert "the mean moved by 0.31 deviations beyond chance" in text
    assert "34.1% of the variance lay outside of 9 principal components of 64 numbers, tonight 33.9% does" in text
    assert "missing in 1.2% of tonight&#39;s rows, in 1% of the reference" in text
    assert "left out: 12 lists of tonight, of another length, or with numbers missing or infinite" in text
    assert "columns no longer go together" not in text
    assert "embedding is no longer as it was" in text
    assert "No column that has a part in it" not in text


def test_a_line_tells_columns_and_lists_apart_and_names_lists_that_could_not_be_looked_at() -> None:
    line = together_line(with_lists(together(changed=1), vector(changed=True), unseen()))
    assert line.startswith("Warning: columns no longer go together as they did: 1 pair changed, feature_0 with age; ")
    assert (
        "; embedding is no longer as it was: its mean moved, tonight's lists can be told from the reference's" in line
    )
    assert line.endswith("; not looked at: wide")
    calm = together_line(with_lists(together(changed=0), vector()))
    assert calm.startswith("Columns go together as they did (")
    alone = with_lists(together(changed=0), vector()).model_copy(update={"columns": ()})
    assert together_line(alone).startswith("Lists are as they were (")
    assert together_line(alone.model_copy(update={"chance": None, "vectors": (unseen(),)})) == "Not looked at: wide"


@pytest.mark.parametrize(("now", "words"), [(0.41, "farther from"), (0.2, "nearer to")])
def test_lists_that_left_the_plane_say_which_way(now: float, words: str) -> None:
    one = vector(changed=True)
    assert one.plane is not None
    plane = one.plane.model_copy(update={"error_now": now, "changed": True})
    line = together_line(with_lists(together(changed=0), one.model_copy(update={"plane": plane})))
    assert f"its lists lie {words} the reference's principal components" in line


def test_lists_that_could_not_be_looked_at_say_why_and_have_no_gauge() -> None:
    found = with_lists(together(changed=0), unseen()).model_copy(update={"vectors_left_out": 2})
    text = page(found)
    assert "not looked at: 0 of 3,000 lists in production can be used: 3,000 have 128 numbers instead of 64" in text
    assert "Not looked at: 2 columns of lists beyond the first 1" in text
    assert "model_monitor_lists" not in exposition(dataclasses.replace(samples.view(), together=found)).decode()


def test_gauges_tell_lists_by_column() -> None:
    found = with_lists(together(changed=0), vector(changed=True), unseen())
    text = exposition(dataclasses.replace(samples.view(), together=found)).decode()
    for line in (
        'model_monitor_lists_changed{column="embedding"} 1.0',
        'model_monitor_lists_mean_moved{column="embedding"} 0.312',
        'model_monitor_lists_reconstruction_error_ratio{column="embedding"} 0.339',
        'model_monitor_lists_roc_auc{column="embedding"} 0.613',
    ):
        assert line in text
    assert 'column="wide"' not in "".join(line for line in text.splitlines() if "lists" in line)
