"""The text of a new monitor file reads back as what was put in, whatever the names."""

from __future__ import annotations

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.authoring.monitor_text import ROLES, Draft, monitor_text

# Parquet names are UTF-8: no lone surrogates.
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def draft(**changes: object) -> Draft:
    made: dict[str, object] = {
        "name": "people", "owner": "team", "reference": "data/reference/", "production": "data/dt={date}/",
        "labels": None, "id": None, "label": None, "prediction": None, "score": None, "model_version": None,
        "numerical": [], "categorical": [], "ignore": {}, "label_delay_days": 0,
    }  # fmt: skip
    return Draft(**(made | changes))  # type: ignore[arg-type]


@example(roles=["name_of_a_column_as_long_as_some_are"] * 5, listed=[], owner="team")
@given(roles=st.lists(NAMES, min_size=5, max_size=5), listed=st.lists(NAMES, max_size=30), owner=NAMES)
def test_any_name_reads_back(roles: list[str], listed: list[str], owner: str) -> None:
    named = dict(zip(ROLES, roles, strict=True))
    ignored = dict.fromkeys(listed, f"because of {owner}")
    text = monitor_text(draft(owner=owner, numerical=listed, ignore=ignored, scores=ignored, **named))
    read = yaml.safe_load(text)
    assert read["owner"] == owner
    assert {role: read["columns"][role] for role in ROLES} == named
    assert (read["columns"].get("numerical", []), read["columns"].get("ignore", [])) == (listed, list(ignored))
    assert read["columns"].get("scores", {}) == ignored


def test_what_is_not_there_is_told_in_a_comment() -> None:
    text = monitor_text(draft())
    assert yaml.safe_load(text)["columns"] == {}
    for role in ROLES:
        assert f"# {role}: none found" in text
    assert "labels: data/labels/dt={date}/" in text
    assert "labels" not in yaml.safe_load(text)["snapshots"]
