"""Settings put into a YAML file, of which everything else stays as it is."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.changes import change
from pipeline.config.documents import Key
from pipeline.config.edit import edited

FILE = """\
# Watches people.
name: people        # as the file is called
drift:
  limit: 0.30       # retrain when a larger share drifted
  # alarms: {per_nights: 365}
  numerical: {threshold: 0.2}  # for all
  columns:
    age: {threshold: 0.1}

    "first, name":
      threshold: 0.3   # odd

retrain:            # when
  # cooldown_days: 7

notify: {email: [], when: always}
"""


def test_a_value_is_replaced_where_it_stands() -> None:
    found = edited(FILE, {("drift", "limit"): 0.4, ("drift", "columns", "first, name", "threshold"): 1.5})
    assert found == FILE.replace("limit: 0.30 ", "limit: 0.4 ").replace("threshold: 0.3 ", "threshold: 1.5 ")


def test_a_new_key_comes_behind_the_last_one_of_its_section() -> None:
    found = edited(FILE, {("drift", "columns", "a: b", "threshold"): 1e-05, ("notify", "channels"): ["x"]})
    wanted = FILE.replace("threshold: 0.3   # odd\n", 'threshold: 0.3   # odd\n    "a: b": {threshold: 1.0e-05}\n')
    assert found == wanted.replace("when: always}", "when: always, channels: [x]}")


def test_a_section_that_is_empty_or_not_there_is_made() -> None:
    changes: dict[Key, Any] = {
        ("retrain", "nights_over"): {"at_least": 2, "of": 3},
        ("performance", "floors", "roc_auc"): 0.7,
    }
    found = edited(FILE, changes)
    assert "retrain:            # when\n  nights_over: {at_least: 2, of: 3}\n  # cooldown_days: 7\n" in found
    assert found.endswith("when: always}\nperformance:\n  floors: {roc_auc: 0.7}\n")


def test_what_is_removed_goes_with_its_lines_and_no_other() -> None:
    found = edited(FILE, {}, [("drift", "numerical"), ("drift", "columns"), ("drift", "gone"), ("notify", "email")])
    start, end = FILE.index("  numerical"), FILE.index("\nretrain")
    assert found == (FILE[:start] + FILE[end:]).replace("email: [], ", "")
    assert "{when: always}" not in edited(FILE, {}, [("notify", "when")])
    assert "{email: []}" in edited(FILE, {}, [("notify", "when")])


@pytest.mark.parametrize("text", [FILE.replace("\n", "\r\n"), FILE.rstrip("\n"), "﻿" + FILE])
def test_line_ends_stay_what_they_are(text: str) -> None:
    found = edited(text, {("drift", "limit"): 0.4, ("schedule",): "0 3 * * *"})
    assert found.count("\r") == found.count("\r\n") == (text.count("\r\n") + 1 if "\r" in text else 0)
    assert yaml.safe_load(found)["schedule"] == "0 3 * * *"


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(lambda text: text != "<<")
VALUES = st.floats(0, 1e6) | st.integers(0, 9) | st.booleans() | st.none() | NAMES
COLUMNS = st.dictionaries(NAMES, VALUES, max_size=5)


@given(columns=COLUMNS, limit=VALUES, removed=st.booleans())
def test_whatever_is_set_reads_back_and_comments_stay(columns: dict[str, Any], limit: Any, removed: bool) -> None:
    changes: dict[Key, Any] = {("drift", "columns", name, "threshold"): value for name, value in columns.items()}
    changes[("drift", "limit")] = limit
    found = edited(FILE, changes, [("drift", "numerical")] if removed else [])
    wanted = yaml.safe_load(FILE)
    change(wanted, changes)
    if removed:
        del wanted["drift"]["numerical"]
    assert yaml.safe_load(found) == wanted
    assert all(comment in found for comment in ("# Watches people.", "# odd", "# cooldown_days: 7", "  # alarms"))


@pytest.mark.parametrize("text", ["[1, 2]", "a: &x {b: 1}\nc: *x\n"])
def test_what_cannot_be_changed_in_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no settings|cannot be changed in place"):
        edited(text, {("c", "d"): 1, ("c", "e"): 2, ("c", "f"): 3, ("c", "b"): {"x": 1}, ("a",): 1, ("c", "g"): 1})
