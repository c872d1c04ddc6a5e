"""Stored nights decided again: what unchanged settings give back, and what other settings would have decided."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.cli import main
from pipeline.config import Monitor
from pipeline.config.changes import read_changes
from pipeline.config.monitor_files import load_changed, load_version
from pipeline.errors import ConfigError, ResultMissing
from pipeline.publish.facts.night import Runs
from pipeline.results import BacktestResult, Decision, NightProfile, RetrainResult, SnapshotPair
from pipeline.steps import nightly as steps
from pipeline.steps.backtest import Asked, backtest
from pipeline.steps.night import Night, open_workspace
from tests.project import Project, people

FIRST = date(2026, 1, 1)
NIGHTS = 14
LAST = FIRST + timedelta(days=NIGHTS - 1)
# Quiet nights, some on which two columns moved a little or far, one with an age that no person has.
OLDER = (0, 0, 2, 0, 0, 30, 30, 0, 3, 0, 0, 15, 0, 0)
BROKEN = 8
COLUMNS = {"id": "id", "prediction": "prediction", "score": "score", "private": ["city"]}


def with_data(project: Project, nights: int = NIGHTS) -> None:
    project.write_suite()
    project.write_parquet("reference/part-0.parquet", people(1_200, seed=0))
    for place in range(nights):
        found = people(250, seed=place + 1, older=OLDER[place])
        if place == BROKEN:
            found.loc[0, "age"] = 200
        project.write_parquet(f"production/dt={FIRST + timedelta(days=place)}/part-0.parquet", found)


def run(night: Night, *, measured: bool = True, backfill: bool = False) -> Decision:
    """The steps of a night up to its decision, published; unless `measured`, its quality and performance are kept."""
    if measured:
        steps.pull_snapshots(night)
        steps.validate_quality(night)
        steps.measure_performance(night)
    steps.measure_drift(night)
    decision = steps.decide(night, backfill)
    kept = [night.load(kind) for kind in steps_of()]
    night.publish(
        {f"{result.file}.json": result.to_json() for result in kept} | {"runs.json": Runs(retrains=True).to_json()}
    )
    return decision


def steps_of() -> list[Any]:
    from pipeline.results import DriftResult, PerformanceResult, QualityResult

    return [SnapshotPair, QualityResult, DriftResult, NightProfile, PerformanceResult, Decision]


def dates(nights: int = NIGHTS) -> list[str]:
    return [str(FIRST + timedelta(days=place)) for place in range(nights)]


def asked(project: Project, *given: tuple[str, str], **more: Any) -> Asked:
    changes = read_changes(given, ("drift", "retrain"))
    monitor = load_changed("people", project.settings, changes)
    return Asked(FIRST, more.pop("last", LAST), monitor, settings=given, **more)


def ask(project: Project, *given: tuple[str, str], **more: Any) -> BacktestResult:
    return backtest(open_workspace("people"), asked(project, *given, **more))


def statuses(result: BacktestResult) -> list[str]:
    return [night.after.decision.status if night.after else "-" for night in result.nights]


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose nights ran by fixed thresholds."""
    project = Project(tmp_path_factory.mktemp("nights") / "project")
    with_data(project)
    project.write_monitor(columns=COLUMNS, retrain={"min_labelled_rows": 0, "cooldown_days": 3})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIPELINE_HOME", str(project.root))
        for day in dates():
            run(project.night(day))
    return project.root


@pytest.fixture
def stored(nights: Path, project: Project) -> Project:
    """The same nights, to do with as a test likes; their snapshots are gone."""
    shutil.copytree(nights, project.root, dirs_exist_ok=True, symlinks=True)
    shutil.rmtree(project.root / "data")
    shutil.rmtree(project.root / "var" / "cache")
    return project


def rerun(project: Project, **changes: Any) -> list[Decision]:
    """All nights really run again, oldest first, under a monitor file with other sections, as if none had been told."""
    project.write_monitor(**{"columns": COLUMNS, **changes})
    for day in dates():
        (project.store / "people" / day).unlink()
    return [run(project.night(day), measured=False) for day in dates()]


# -- unchanged settings -----------------------------------------------------------------------------------------------


def require_the_same(project: Project, result: BacktestResult) -> None:
    assert result.changed == ()
    for night in result.nights:
        assert night.after is not None
        path = project.store / "people" / str(night.run_date) / "decision.json"
        assert night.after.decision.to_json() == path.read_bytes()


def test_unchanged_settings_give_back_every_decision_that_thresholds_made(stored: Project) -> None:
    result = ask(stored)

    require_the_same(stored, result)
    assert len(set(statuses(result))) == 3  # healthy, drifted, broken: it is no table of one word
    assert {night.after.decision.hold for night in result.nights if night.after} >= {None, "cooldown", "quality_failed"}
    assert result.before == result.after


@pytest.mark.parametrize(
    "alarms",
    [
        {"per_nights": 30},
        {"per_nights": 5, "window": 3},
        {"per_nights": 4, "against": [{"trailing": 6}, "reference"]},
        {"per_nights": 4, "against": ["reference", {"previous": 3}, {"same_weekday": 2}]},
    ],
)
def test_unchanged_settings_give_back_every_decision_that_a_budget_made(
    nights: Path, project: Project, alarms: dict[str, Any]
) -> None:
    shutil.copytree(nights, project.root, dirs_exist_ok=True, symlinks=True)
    made = rerun(project, drift={"alarms": alarms}, retrain={"min_labelled_rows": 0})

    result = ask(project)

    require_the_same(project, result)
    assert "drifted" in {decision.status for decision in made}


def test_it_reads_no_snapshot_and_writes_nothing(stored: Project) -> None:
    before = {path: path.stat().st_mtime_ns for path in stored.root.rglob("*")}

    ask(stored, ("drift.alarms.per_nights", "30"))

    assert {path: path.stat().st_mtime_ns for path in stored.root.rglob("*")} == before


def with_labels(project: Project) -> None:
    """Four nights that drift, whose labels are there a day later, and never enough."""
    with_data(project, 4)
    project.write_monitor(
        snapshots={"reference": "data/reference/", "production": "data/production/dt={date}/"},
        columns={"id": "id", "label": "label", "prediction": "prediction"},
        performance={"label_delay_days": 1},
        retrain={"min_labelled_rows": 400, "min_rows": 300, "cooldown_days": 0},
        drift={"limit": 0.0, "numerical": {"threshold": 0.0}},
    )


def without_keys(data: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in keys}


def test_holds_are_given_back_with_what_was_known_that_night(project: Project) -> None:
    with_labels(project)
    made = [run(project.night(day), backfill=day == "2026-01-03") for day in dates(4)]

    result = ask(project, last=date(2026, 1, 4))

    require_the_same(project, result)
    held = [decision.reason for decision in made if decision.hold]
    assert any("labelled production rows in the last" in reason for reason in held)
    assert any("an old night was run again" in reason for reason in held)
    assert made[1].labelled_rows == 250
    for night in result.nights:  # as an older version kept it
        stored = project.night(str(night.run_date))
        kept = json.loads(stored.published()["decision.json"])
        stored.replace({"decision.json": json.dumps(without_keys(kept, "backfill", "labelled_rows")).encode()})
    older = ask(project, last=date(2026, 1, 4))
    assert older.changed == ()
    assert [night.after.decision.reason for night in older.nights if night.after] == [one.reason for one in made]


def test_other_limits_are_held_against_what_was_known_that_night(project: Project) -> None:
    with_labels(project)
    for day in dates(4):
        run(project.night(day), backfill=day == "2026-01-03")

    fewer = ask(project, ("retrain.min_labelled_rows", "200"), ("retrain.min_rows", "0"), last=date(2026, 1, 4))
    holds = [night.after.decision.hold for night in fewer.nights if night.after]
    assert holds == ["too_few_labels", None, "backfill", None]


def test_a_late_night_is_given_back_as_it_came(project: Project) -> None:
    with_data(project, 7)
    project.write_monitor(columns=COLUMNS, retrain={"min_labelled_rows": 0})
    for day in ("2026-01-05", "2026-01-07", "2026-01-06"):
        run(project.night(day))

    result = ask(project, last=date(2026, 1, 7))

    require_the_same(project, result)
    assert [night.after.decision.later for night in result.nights if night.after] == [None, date(2026, 1, 7), None]


# -- other settings ---------------------------------------------------------------------------------------------------

LIMITS = st.sampled_from([0.0, 0.15, 0.2, 0.34, 0.5, 1.0])
RETRAIN = st.fixed_dictionaries(
    {
        "cooldown_days": st.integers(0, 6),
        "min_rows": st.sampled_from([0, 251]),
        "nights_over": st.sampled_from([{"at_least": 1, "of": 1}, {"at_least": 2, "of": 3}, {"at_least": 3, "of": 4}]),
        "on": st.sampled_from([["drift"], ["degraded"], ["drift", "degraded"]]),
    }
)
THRESHOLDS = st.fixed_dictionaries(
    {"limit": LIMITS},
    optional={
        "critical": st.sampled_from([["age"], ["city", "income"]]),
        "numerical": st.fixed_dictionaries({"threshold": st.sampled_from([0.02, 0.1, 0.3])}),
        "categorical": st.fixed_dictionaries({"threshold": st.sampled_from([0.01, 0.1])}),
        "columns": st.dictionaries(
            st.sampled_from(["age", "city", "score"]),
            st.fixed_dictionaries({"threshold": st.sampled_from([0.0, 0.05, 1.0])}),
        ),
    },
)
AGAINST: list[Any] = [["reference"], [{"previous": 2}], [{"trailing": 5}, "reference"], ["reference", {"trailing": 5}]]
BUDGETS = st.fixed_dictionaries(
    {
        "limit": LIMITS,
        "alarms": st.fixed_dictionaries(
            {
                "per_nights": st.sampled_from([2, 7, 30, 365]),
                "window": st.sampled_from([1, 1, 4]),
                "against": st.sampled_from(AGAINST),
            }
        ),
    },
    optional={"critical": st.sampled_from([["age"], ["city", "income"]])},
)


def given_as(section: str, found: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (f"{section}.{key}", yaml.safe_dump(value, default_flow_style=True).strip(" .\n"))
        for key, value in found.items()
    ]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drift=THRESHOLDS | BUDGETS, retrain=RETRAIN)
def test_decisions_are_those_of_nights_really_run_again_with_these_settings(
    nights: Path, tmp_path_factory: pytest.TempPathFactory, drift: dict[str, Any], retrain: dict[str, Any]
) -> None:
    project = Project(tmp_path_factory.mktemp("again") / "project")
    shutil.copytree(nights, project.root, dirs_exist_ok=True, symlinks=True)
    retrain = {**retrain, "min_labelled_rows": 0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIPELINE_HOME", str(project.root))
        result = ask(project, *given_as("drift", drift), *given_as("retrain", retrain))
        wanted = rerun(project, drift=drift, retrain=retrain)
    assert [night.after.decision for night in result.nights if night.after] == wanted


@pytest.mark.parametrize("drift", [{}, {"alarms": {"per_nights": 30}}, {"alarms": {"per_nights": 4, "window": 3}}])
def test_what_people_expected_is_taken_as_it_was_told_on_each_night(
    nights: Path, project: Project, drift: dict[str, Any]
) -> None:
    shutil.copytree(nights, project.root, dirs_exist_ok=True, symlinks=True)
    moved = ["age", "score", "prediction", "label", "city"]  # the last one did not
    change = {"columns": moved, "from": dates()[5], "until": dates()[6], "why": "a campaign"}
    retrain = {"min_labelled_rows": 0, "cooldown_days": 3}
    told_nothing = rerun(project, drift=drift, retrain=retrain)
    made = rerun(project, drift=drift, retrain=retrain, expected=[change])
    assert [told_nothing[5].status, made[5].status] == ["drifted", "healthy"]
    assert "of 2 other columns drifted" in made[6].reason, "what is expected makes nobody else's part smaller"
    project.write_monitor(columns=COLUMNS, drift=drift, retrain=retrain)
    require_the_same(project, ask(project))
    other = {"limit": 0.05, "critical": ["age"]}
    found = [night.after.decision for night in ask(project, *given_as("drift", other)).nights if night.after]
    assert found == rerun(project, drift=drift | other, retrain=retrain, expected=[change])


def test_a_night_that_was_acknowledged_since_is_given_back_as_it_was_decided(stored: Project) -> None:
    assert main(["ack", "people", dates()[5]]) == 0
    require_the_same(stored, ask(stored))


def test_a_limit_alone_changes_the_nights_between_and_nothing_else(stored: Project) -> None:
    result = ask(stored, ("drift.limit", "0.99"))

    assert result.after.alarms < result.before.alarms
    assert all(not night.after.alarm for night in result.nights if night.after)
    assert [night.after.columns for night in result.nights if night.after] == [
        night.before.columns for night in result.nights if night.before
    ]


def test_broken_nights_stay_broken(stored: Project) -> None:
    for other in ((), (("drift.limit", "1.0"),), (("drift.alarms.per_nights", "2"),)):
        assert statuses(ask(stored, *other))[BROKEN] == "data_broken"


def test_what_a_cooldown_holds_follows_from_the_new_requests(stored: Project) -> None:
    asked_for = [night.run_date for night in ask(stored).nights if night.before and night.before.decision.retrain]
    none, long = ask(stored, ("retrain.cooldown_days", "0")), ask(stored, ("retrain.cooldown_days", "3650"))

    assert len(asked_for) == long.before.retrainings
    assert long.after.retrainings == 1
    assert none.after.retrainings == none.after.alarms > none.before.retrainings


def test_a_retraining_that_new_settings_do_not_ask_for_has_not_happened(stored: Project) -> None:
    first = next(night.run_date for night in ask(stored).nights if night.before and night.before.decision.retrain)
    done = RetrainResult(monitor="people", run_date=first, status="rejected", reason="r", verdict="v")
    by_hand = done.model_copy(update={"run_date": date(2026, 1, 9)})
    store = stored.night().store
    for result in (done, by_hand):
        store.publish_night("people/retraining", result.run_date, {"retrain.json": result.to_json()})

    found = ask(stored, ("drift.limit", "0.6"), ("retrain.cooldown_days", "30"))

    asking = [night for night in found.nights if night.after and night.after.alarm]
    assert asking[0].run_date != first
    assert asking[0].after
    assert asking[0].after.decision.retrain
    late = next(night for night in asking if night.run_date > by_hand.run_date)
    assert late.after
    assert "the last request was on 2026-01-09" in late.after.decision.reason


def test_nights_before_the_first_one_count_as_they_are_stored(stored: Project) -> None:
    given = asked(stored, ("drift.limit", "0"), ("retrain.cooldown_days", "10"))
    late = replace(given, first=date(2026, 1, 7), last=date(2026, 1, 7))

    found = backtest(open_workspace("people"), late).nights[0]

    assert found.before is not None
    assert found.after is not None
    assert found.after.decision.hold == "cooldown"


# -- what was not kept ------------------------------------------------------------------------------------------------


def without(project: Project, day: str, name: str) -> None:
    night = project.night(day)
    files = night.published()
    del files[name]
    night.publish(files)


def test_nights_without_a_profile_are_named_and_left_out_where_alarms_need_one(stored: Project) -> None:
    without(stored, "2026-01-02", "profile.json")

    found = ask(stored, ("drift.alarms.per_nights", "30"))

    assert [(str(night.run_date), night.after) for night in found.left_out] == [("2026-01-02", None)]
    assert "needs its profile" in str(found.left_out[0].left_out)
    assert found.compared == NIGHTS - 1
    assert ask(stored, ("drift.limit", "0.4")).left_out == ()


def test_from_alarms_no_way_leads_back_to_thresholds(nights: Path, project: Project) -> None:
    shutil.copytree(nights, project.root, dirs_exist_ok=True, symlinks=True)
    project.write_monitor(columns=COLUMNS, drift={"alarms": {"per_nights": 30}})
    for day in dates()[6:]:
        run(project.night(day), measured=False)

    found = ask(project, ("drift.alarms", "null"))

    assert [night.left_out is None for night in found.nights] == [True] * 6 + [False] * (NIGHTS - 6)
    assert "no score of a method" in str(found.nights[-1].left_out)


def test_a_night_that_another_method_compared_is_left_out(stored: Project) -> None:
    stored.write_monitor(columns=COLUMNS, drift={"columns": {"age": {"method": "psi"}}})

    found = ask(stored)

    assert found.compared == 0
    assert str(found.nights[0].left_out).startswith("age was compared by wasserstein, and psi would need its rows")


def test_dates_without_a_night_are_named(stored: Project) -> None:
    found = ask(stored, last=date(2026, 1, 16))

    assert found.missing == (date(2026, 1, 15), date(2026, 1, 16))
    with pytest.raises(
        ResultMissing, match=r"no night from 2025-12-01 to 2025-12-02 is published; .* 2026-01-01 to 2026"
    ):
        backtest(open_workspace("people"), replace(asked(stored), first=date(2025, 12, 1), last=date(2025, 12, 2)))


def test_a_night_of_which_nothing_was_measured_stays_so(stored: Project) -> None:
    night = stored.night("2026-01-03")
    failed = {"part": "drift", "error": "KeyError in x.py:1", "exit_code": 1}
    from pipeline.results import DriftResult, QualityResult

    pair = night.read(SnapshotPair)
    assert pair is not None
    drift = DriftResult.model_validate(
        {"snapshots": pair.digest, "drift_share": 0, "limit": 0.3, "drifted": False, "columns": [], "failure": failed}
    )
    quality = night.read(QualityResult)
    assert quality is not None
    night.replace({"drift.json": drift.to_json()})

    for other in ((("drift.limit", "0.9"),), (("drift.alarms.per_nights", "30"),)):
        decided = ask(stored, *other).nights[2].after
        assert decided is not None
        assert decided.decision.status == "data_broken"
        assert "no column could be compared with the reference (KeyError in x.py:1)" in decided.decision.reason


# -- bad questions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("drift.numerical.method", "psi", "--drift.numerical.method: found 'psi'; allowed: 'auto'"),
        ("drift.numerical", "{method: ks}", "--drift.numerical.method: found 'ks'; allowed: 'auto'"),
        ("drift.columns.age.method", "ks", "--drift.columns.age.method: found 'ks'; allowed: 'auto'"),
        ("drift.columns.agee.threshold", "0.1", "compared a column 'agee'; did you mean 'age'?"),
        ("drift.critical", "[incme]", "compared a column 'incme'; did you mean 'income'?"),
    ],
)
def test_what_no_night_can_answer_names_the_key(stored: Project, key: str, value: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ask(stored, (key, value))
    assert words in str(refused.value)


# -- two versions of a monitor file -----------------------------------------------------------------------------------


def version(project: Project, tmp_path: Path, **changes: Any) -> Monitor:
    path = project.write_monitor(**{"columns": COLUMNS, "retrain": {"min_labelled_rows": 0}, **changes})
    other = tmp_path / "base.yaml"
    shutil.copy(path, other)
    return load_version(other, "people")


def test_two_versions_of_a_file_are_held_against_each_other(stored: Project, tmp_path: Path) -> None:
    base = version(stored, tmp_path, drift={"limit": 0.9}, schedule="30 4 * * *", notify={"when": "change"})
    stored.write_monitor(columns=COLUMNS, retrain={"min_labelled_rows": 0}, drift={"alarms": {"per_nights": 30}})

    found = ask(stored, before=base, against="base.yaml")

    alone = ask(stored, ("drift.alarms", "null"), ("drift.limit", "0.9"))
    assert [night.before for night in found.nights] == [night.after for night in alone.nights]
    assert found.not_asked == ("schedule", "notify.when")
    assert found.after.alarms > found.before.alarms == 0


def test_two_versions_with_other_methods_are_refused(stored: Project, tmp_path: Path) -> None:
    base = version(stored, tmp_path)
    stored.write_monitor(columns=COLUMNS, drift={"categorical": {"method": "psi"}})

    with pytest.raises(
        ConfigError, match=r"^drift\.categorical\.method: found 'psi'; allowed: 'auto', as in base.yaml"
    ):
        ask(stored, before=base, against="base.yaml")


def test_incidents_tell_detections_from_false_alarms(stored: Project) -> None:
    spans: Sequence[tuple[date, date]] = ((date(2026, 1, 5), date(2026, 1, 7)), (date(2026, 1, 13), date(2026, 1, 14)))

    found = ask(stored, ("drift.alarms.per_nights", "30"), incidents=tuple(spans))

    assert [(item.nights, item.after) for item in found.incidents] == [(3, 1), (2, None)]
    assert found.after.false_alarms == found.after.alarms - sum(
        night.after.alarm
        for night in found.nights
        if night.after and date(2026, 1, 5) <= night.run_date <= date(2026, 1, 7)
    )
    assert found.before.quiet_nights == NIGHTS - 5


def test_values_of_private_columns_are_in_nothing_that_is_told(stored: Project) -> None:
    told = ask(stored, ("drift.alarms.per_nights", "2")).to_json().decode()

    assert '"city"' in told or "income" in told  # names of columns are told
    assert not any(value in told for value in pd.unique(people(50, 1)["city"]))
