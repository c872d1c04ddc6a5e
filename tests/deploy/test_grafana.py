"""The dashboards without a Grafana: that they are what the code writes, and what Grafana can show."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import write
from deploy.grafana.panels import RUNBOOKS
from pipeline.publish.gauges.catalogue import FAMILIES
from tests.deploy.boards import BOARDS, FOLDER, panels, queries
from tests.deploy.test_prometheus import GAUGES, read_by

DOCS = Path(__file__).parents[2] / "docs"
each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)


def texts(value: Any) -> Iterator[str]:
    """Every text in a dashboard, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        yield from itertools.chain.from_iterable(map(texts, value.values() if isinstance(value, dict) else value))


def lost(said: Any, read: Any, place: str = "$") -> Iterator[str]:
    """What is said and was not read as it is; what was not said has its usual value."""
    if isinstance(said, dict) and isinstance(read, dict):
        yield from (f"{place}.{key}" for key in said.keys() - read.keys())
        for key in said.keys() & read.keys():
            yield from lost(said[key], read[key], f"{place}.{key}")
    elif isinstance(said, list) and isinstance(read, list) and len(said) == len(read):
        for number, (one, other) in enumerate(zip(said, read, strict=True)):
            yield from lost(one, other, f"{place}[{number}]")
    elif said != read:
        yield place


def variables(board: dict[str, Any]) -> list[str]:
    """In the order in which they are asked for."""
    return [found["name"] for found in board["templating"]["list"]]


def test_the_committed_dashboards_are_what_the_code_writes() -> None:
    found = {path.name: path.read_text(encoding="utf-8") for path in (FOLDER / "dashboards").iterdir()}
    assert found == write.files(), "run python -m deploy.grafana.write"


@each_board
def test_grafanas_own_types_know_all_that_a_dashboard_says(board: dict[str, Any]) -> None:
    """What its types do not know they leave out, and what is of another type they refuse."""
    register_default_plugins()
    read = Dashboard.from_json(board)
    assert list(lost(board, json.loads(json.dumps(read, cls=JSONEncoder)))) == []


def test_dashboards_have_names_and_addresses_of_their_own() -> None:
    for key in ("uid", "title"):
        assert len({board[key] for board in BOARDS.values()}) == len(BOARDS) == 3
    assert all(re.fullmatch(r"[a-z-]{8,40}", board["uid"]) for board in BOARDS.values())


@each_board
def test_panels_lie_beside_each_other_within_the_grid(board: dict[str, Any]) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in board["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for place in itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])):
            assert taken.setdefault(place, panel["title"]) == panel["title"], f"{panel['title']} on {taken[place]}"
    assert len(taken) == sum(panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in board["panels"])
    rows = {down for _, down in taken}
    assert rows == set(range(max(rows) + 1)), "a gap between panels"


@each_board
def test_every_panel_has_a_number_a_text_a_unit_and_queries_of_the_chosen_source(board: dict[str, Any]) -> None:
    numbers = [panel["id"] for panel in board["panels"]]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    titles = [panel["title"] for panel in panels(board)]
    assert len(titles) == len(set(titles))
    source = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels(board):
        assert len(panel["description"]) > 10, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"] == source, panel["title"]
        letters = [target["refId"] for target in panel["targets"]]
        assert letters == sorted(set(letters)), panel["title"]
        assert all(target["datasource"] == source and target["expr"] for target in panel["targets"]), panel["title"]


@each_board
def test_thresholds_begin_without_a_value_and_go_up(board: dict[str, Any]) -> None:
    for panel in panels(board):
        found = [panel["fieldConfig"]["defaults"], *({p["id"]: p["value"] for p in item["properties"]} for item in
                 panel["fieldConfig"]["overrides"])]  # fmt: skip
        for steps in (said["thresholds"]["steps"] for said in found if "thresholds" in said):
            values = [step["value"] for step in steps]
            assert values[0] is None, panel["title"]
            assert values[1:] == sorted(set(values[1:])), panel["title"]


@each_board
def test_every_variable_that_is_used_is_declared_before_and_every_declared_one_is_used(board: dict[str, Any]) -> None:
    declared = variables(board)
    used = {name for text in texts(board) for name in re.findall(r"\$\{?([A-Za-z]\w*)", text)}
    assert used == set(declared)
    for place, variable in enumerate(board["templating"]["list"]):
        asked = {name for text in texts(variable) for name in re.findall(r"\$\{?([A-Za-z]\w*)", text)}
        assert asked <= set(declared[:place]), variable["name"]
    assert declared[:4] == ["datasource", "environment", "owner", "monitor"]


def test_queries_read_gauges_that_are_pushed_by_labels_that_they_have() -> None:
    for board, panel, expr in queries():
        for name, labels in read_by(expr):
            assert labels <= GAUGES[name], f"{board}, {panel}: {name} has no {labels - GAUGES[name]}"


def test_every_gauge_is_on_a_dashboard() -> None:
    shown = {name for _, _, expr in queries() for name, _ in read_by(expr)}
    assert {family.full_name for family in FAMILIES.values()} <= shown


def test_links_lead_to_runbooks_and_dashboards_that_are_there() -> None:
    known = {board["uid"] for board in BOARDS.values()}
    runbooks = {name for board in BOARDS.values() for text in texts(board)
                for name in re.findall(rf"^{RUNBOOKS}/(.*)$", text)}  # fmt: skip
    assert {(DOCS / "runbooks" / name).is_file() for name in runbooks} == {True}
    led_to = {uid for board in BOARDS.values() for text in texts(board) for uid in re.findall(r"^/d/([\w-]+)", text)}
    assert led_to <= known
    assert "${__data.fields.page}" in set(texts(BOARDS["fleet"]))
    assert "${page}" in [link.get("url") for link in BOARDS["monitor"]["links"]]
