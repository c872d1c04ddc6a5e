"""Every query of the dashboards and the rules, on a real Prometheus that scraped a real Pushgateway full of nights."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.deploy.boards import queries
from tests.deploy.filled import Filled, fill, run_demo

pytestmark = pytest.mark.slow
RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules.yml"
TABLE = os.environ.get("NIGHTJAR_QUERIES")
"""Where to write how many series each query returned, as a table in Markdown."""
ABSENT = {
    "weighted_drift_share_ratio": "only where the champion tells what it relies on",
    "column_importance_ratio": "only where the champion tells what it relies on",
    "night_chance_ratio": "only on a budget of alarms",
    "column_chance_ratio": "only on a budget of alarms",
    "together_changed": "only where the monitor asks for columns together",
    "together_chance_ratio": "only where the monitor asks for columns together",
    "pairs_changed": "only where the monitor asks for columns together",
    "reconstruction_error_ratio": "only where the monitor asks for columns together",
    "sides_roc_auc": "only where the monitor asks for columns together",
    "lists_changed": "only with columns of lists of numbers",
    "lists_mean_moved": "only with columns of lists of numbers",
    "lists_reconstruction_error_ratio": "only with columns of lists of numbers",
    "lists_roc_auc": "only with columns of lists of numbers",
    "own_label_coverage_ratio": "only where labels of the judged day have come",
    "probation_loss_difference": "only of a champion on probation, once labels are there",
    "probation_loss_difference_low": "only of a champion on probation, once labels are there",
    "probation_loss_difference_high": "only of a champion on probation, once labels are there",
    "last_failure_timestamp_seconds": "only after a night that broke",
    "column_mean": "only where `drift.profile_gauges` asks for it",
    "column_deviation": "only where `drift.profile_gauges` asks for it",
    "column_missing_ratio": "only where `drift.profile_gauges` asks for it",
    "column_distinct_ratio": "only where `drift.profile_gauges` asks for it",
    "column_quantile": "only where `drift.profile_gauges` asks for it",
}
"""Gauges that the demo's night does not push, each with why: no panel that reads one shows anything."""
NONE_OF_IT = {
    "model_monitor_retraining_held{": "only while a reason holds a retraining",
    "max by (environment, monitor, owner) (model_monitor_configured": "only with a monitor that never ran",
}
"""How queries begin that count what the demo does not have, each with why."""
SILENT = {
    "NightjarModelDegraded": "only once labels show it; the demo's night knows it by its estimate",
    "NightjarEstimatorWithdrawn": "only after nights whose labels show that the estimate was wrong",
    "NightjarObjectiveUnknown": "only after two weeks without a verdict on the model",
    "NightjarCriticalColumnDrifted": "only with `drift.critical`",
    "NightjarDriftNearLimit": "only between 80% of the limit and the limit",
    "NightjarTogetherChanged": "only where the monitor asks for columns together",
    "NightjarRetrainingHeld": "only while a reason holds a retraining",
    "NightjarRetrainingFailed": "only after a retraining that broke",
    "NightjarChallengersRejected": "only after three retrainings in three weeks",
    "NightjarRollbackProposed": "only of a champion on probation",
    "NightjarChampionRolledBack": "only of a champion on probation",
    "NightjarQualityFailed": "only on broken data",
    "NightjarNothingComparable": "only where no column can be compared",
    "NightjarStale": "only on old data",
    "NightjarTooFewRows": "only on very few rows",
    "NightjarLabelsOverdue": "only with labels that are three days late",
    "NightjarRetrainingWithoutData": "only after a retraining that found no labels",
    "NightjarNightLate": "only when the next night is due",
    "NightjarNightMissing": "only when two nights in a row are due",
    "NightjarNeverRan": "only with a monitor that never ran",
    "NightjarNightFailed": "only after a night that broke",
    "NightjarNightGivenUp": "only after a night that was given up",
    "NightjarNightIncomplete": "only after a night of which a part broke",
    "NightjarNoGauges": "only without any gauge",
    "NightjarPushRefused": "only after a push that was refused",
    "NightjarPushgatewayDown": "only without a gateway",
}
"""Alerts that do not ring after the demo's night, each with why."""
NEVER_HERE = {
    "NightjarChallengersRejected",
    "NightjarNeverRan",
    "NightjarNoGauges",
    "NightjarPushgatewayDown",
}
"""Of those, the ones that look back in steps of half an hour or six, or at no gauges: promtool alone tests them."""


@dataclass(frozen=True)
class Asked:
    """A query and the series that it returned: after the demo's night, and after all that is ever pushed."""

    place: str
    name: str
    expr: str
    demo: int
    everything: int

    @property
    def reason(self) -> str | None:
        """Why it returns nothing after the demo's night."""
        if self.place == "rules":
            return SILENT.get(self.name)
        told = [why for gauge, why in ABSENT.items() if re.search(rf"\bmodel_monitor_{gauge}\b", self.expr)]
        beginning = re.sub(r"^(sum|max) by \(reason\) \(", "", self.expr)
        return next(iter([*told, *(why for start, why in NONE_OF_IT.items() if beginning.startswith(start))]), None)


def all_queries() -> Iterator[tuple[str, str, str]]:
    yield from dict.fromkeys(queries())
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        yield from (("rules", rule.get("alert") or rule["record"], rule["expr"]) for rule in group["rules"])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with run_demo(tmp_path_factory.mktemp("filled")) as running:
        yield running


@pytest.fixture(scope="module")
def asked(world: Filled) -> list[Asked]:
    known = list(all_queries())
    demo = [world.series(expr) for _, _, expr in known]
    fill(world)
    everything = [world.series(expr) for _, _, expr in known]
    found = [Asked(*one, *counted) for one, *counted in zip(known, demo, everything, strict=True)]
    if TABLE:
        Path(TABLE).write_text("\n".join(_table(found)) + "\n", encoding="utf-8")
    return found


def _table(found: list[Asked]) -> Iterator[str]:
    yield "| where | panel or rule | query | series: the demo's night | everything | why none |"
    yield "|---|---|---|---|---|---|"
    for one in found:
        query = " ".join(one.expr.split()).replace("|", "\\|")
        why = one.reason or ""
        yield f"| {one.place} | {one.name} | `{query}` | {one.demo} | {one.everything} | {why} |"


def test_every_query_returns_something_after_the_demos_night_or_is_said_not_to(asked: list[Asked]) -> None:
    wrong = [one for one in asked if (one.demo == 0) != (one.reason is not None)]
    assert [(one.place, one.name, one.expr, one.demo) for one in wrong] == []


def test_every_query_returns_something_after_all_that_is_ever_pushed(asked: list[Asked]) -> None:
    none = {one.name for one in asked if not one.everything}
    assert none == NEVER_HERE


def test_every_reason_is_one_of_a_query(asked: list[Asked]) -> None:
    given = {one.reason for one in asked}
    assert {*ABSENT.values(), *NONE_OF_IT.values(), *SILENT.values()} <= given
    assert set(SILENT) <= {one.name for one in asked}


def test_no_rule_fails_on_anything_that_is_ever_pushed(asked: list[Asked], world: Filled) -> None:
    assert asked
    assert world.prometheus.query("prometheus_rule_evaluation_failures_total > 0") == []
    assert world.prometheus.query("prometheus_rule_group_rules")
