"""Monitor files: every mistake is reported at once, where it is and what is allowed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline.config import CATEGORICAL_METHODS, NUMERICAL_METHODS, resolve_location
from pipeline.config import monitor_files as monitors
from pipeline.errors import ConfigError
from tests.project import Project

SOUND = """\
name: people
owner: team@example.com
snapshots:
  reference: data/reference/
  production: data/production/dt={date}/
columns:
  numerical: [age]
quality: {suite: people}
"""


def problems(project: Project, text: str, stem: str = "people") -> list[str]:
    project.write_suite()
    project.write_text(f"monitors/{stem}.yaml", text)
    with pytest.raises(ConfigError) as raised:
        monitors.load(stem, project.settings)
    return list(raised.value.problems)


def test_a_sound_file_gets_the_documented_defaults(project: Project) -> None:
    project.write_suite()
    project.write_text("monitors/people.yaml", SOUND)
    monitor = monitors.load("people", project.settings)
    assert (monitor.schedule, monitor.drift.limit, monitor.drift.numerical.method) == ("0 2 * * *", 0.30, "auto")
    assert monitor.columns.numerical == ("age",)
    assert monitor.columns.categorical is None


@pytest.mark.parametrize(
    ("wrong", "line", "words"),
    [
        ("lable: x", 9, "lable: unknown key; allowed: columns"),
        ("drift: {limit: 1.5}", 9, "drift.limit: found 1.5; allowed: a number from 0 to 1"),
        ("drift: {limit: -0.1}", 9, "drift.limit: found -0.1"),
        ("drift: {limit: .nan}", 9, "drift.limit"),
        ("drift: {limit: '0.3'}", 9, "drift.limit: found '0.3'"),
        ('schedule: "61 2 * * *"', 9, "schedule: found '61 2 * * *'; allowed: five cron fields"),
        ('schedule: "@daily"', 9, "schedule: found '@daily'"),
        ("drift:\n  columns:\n    age: {method: psy}", 11, "drift.columns.age.method: found 'psy'; allowed: auto"),
        ("drift:\n  columns:\n    age:\n      treshold: 1", 12, "did you mean 'threshold'?"),
        ("drift:\n  columns: {age: {method: chisquare}}", 10, "found 'chisquare' for a numerical column"),
        ('notify: {email: ["a@b\\nBcc: c@d"]}', 9, "notify.email.0"),
        ("owner: again", 9, "owner: found a second time (first on line 2)"),
        ("performance: {label_delay_days: -1}", 9, "performance.label_delay_days: found -1"),
        ("task: regression\nretrain: {task: classification}", 10, "retrain.task: found another one than 'task'"),
        ("retrain: {task: forest}", 9, "found 'forest'; allowed: auto, classification, regression"),
        ("drift: {critical: age}", 9, "drift.critical: found 'age'"),
        ("columns: {score: p, scores: {a: q, b: r}}", 9, "allowed: 'score', the probability of one class"),
        ("retrain: [1", 10, "broken YAML"),
        ("expected:\n  - {columns: [age], from: 2026-02-01, why: x}", 10, "expected.0.until: missing"),
        (
            "expected:\n  - columns: [age]\n    form: 2026-02-01\n    until: 2026-02-03\n    why: x",
            11,
            "expected.0.form: unknown key; allowed: columns, from, until, why (did you mean 'from'?)",
        ),
    ],
)
def test_a_mistake_is_named_with_line_key_and_what_is_allowed(
    project: Project, wrong: str, line: int, words: str
) -> None:
    found = problems(project, SOUND + wrong + "\n")
    assert len([item for item in found if words in item]) == 1, found
    assert f"people.yaml:{line}: " in next(item for item in found if words in item)


def test_all_mistakes_of_a_file_are_reported_together_in_order(project: Project) -> None:
    text = SOUND.replace("name: people", "name: ../people").replace("[age]", "[age, b, age]")
    text = text.replace("suite: people", "suite: nope") + "drift: {limit: 2}\ncolour: red\n"
    found = problems(project, text)
    assert [item.split(": ")[1] for item in found] == [
        "name",
        "name",
        "columns.numerical.2",
        "quality.suite",
        "drift.limit",
        "colour",
    ]


@pytest.mark.parametrize("name", ["../evil", "a/b", "", "A", "-a", "a" * 64, "a\\nb", "..", "a b"])
def test_a_name_that_could_leave_its_folder_is_refused(project: Project, name: str) -> None:
    found = problems(project, SOUND.replace("name: people", f'name: "{name}"'))
    assert any("name: found" in item and "allowed: 1 to 63 of" in item for item in found)


@pytest.mark.parametrize(
    "location",
    [
        '"data/{day}/"',
        '"data/{date.__class__}/"',
        '"data/{}/"',
        '"data/{date/"',
        "ftp://host/x",
        "s3://",
        '""',
        "s3:///x",
    ],
)
def test_a_location_that_cannot_work_is_refused(project: Project, location: str) -> None:
    found = problems(project, SOUND.replace("data/reference/", location))
    assert any("snapshots.reference: found" in item for item in found), found


def test_the_champion_as_reference_needs_one_to_begin_with(project: Project) -> None:
    champion = SOUND.replace("data/reference/", "champion")
    (found,) = problems(project, champion)
    assert "people.yaml:3: snapshots: " in found
    assert "'initial' together with 'reference: champion'" in found
    project.write_text("monitors/people.yaml", champion.replace("champion", "champion\n  initial: data/reference/"))
    assert monitors.load("people", project.settings).snapshots.base == "data/reference/"


def test_a_column_of_two_kinds_is_refused(project: Project) -> None:
    found = problems(project, SOUND.replace("numerical: [age]", "numerical: [age]\n  ignore: [age]"))
    assert found[0].endswith("columns.ignore.0: found 'age' a second time (also under numerical); "
                             "allowed: each column once")  # fmt: skip


def test_a_missing_suite_is_named_with_those_that_exist(project: Project) -> None:
    found = problems(project, SOUND.replace("suite: people", "suite: nope"))
    assert "found 'nope'" in found[0]
    assert found[0].endswith("allowed: people")


@pytest.mark.parametrize("content", [b"", b"- a\n- b\n", b"just text", b"\xff\xfe\x00", b"\x00"])
def test_a_file_that_is_no_mapping_is_one_clear_problem(project: Project, content: bytes) -> None:
    (project.root / "monitors" / "people.yaml").write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        monitors.load("people", project.settings)
    assert len(raised.value.problems) == 1
    assert "people.yaml:1: file: " in raised.value.problems[0]


def test_an_unknown_monitor_is_answered_with_the_known_ones(project: Project) -> None:
    project.write_suite()
    project.write_monitor()
    with pytest.raises(ConfigError, match="found no monitor 'peeple'; allowed: people"):
        monitors.load("peeple", project.settings)


def test_one_wrong_file_does_not_hide_the_others(project: Project) -> None:
    project.write_suite()
    project.write_monitor("a-sound-one")
    project.write_text("monitors/wrong.yaml", "name: wrong\n")
    project.write_text("monitors/other.yml", SOUND)
    found = monitors.load_all(project.settings)
    assert [monitor.name for monitor in found.monitors] == ["a-sound-one"]
    assert sorted(found.errors) == ["other.yml", "wrong.yaml"]
    assert any("found the ending .yml; allowed: .yaml" in item for item in found.errors["other.yml"].problems)


def test_two_wrong_files_that_differ_in_their_ending_are_both_told(project: Project) -> None:
    project.write_suite()
    project.write_text("monitors/wrong.yaml", "name: wrong\n")
    project.write_text("monitors/wrong.yml", SOUND)
    found = monitors.load_all(project.settings)
    assert sorted(found.errors) == ["wrong.yaml", "wrong.yml"]


def test_dates_are_filled_in_and_relative_paths_start_at_the_project() -> None:
    day = date(2026, 1, 4)
    root = Path("/srv")
    assert resolve_location("data/dt={date}/", day, root) == "/srv/data/dt=2026-01-04"
    assert resolve_location("s3://b/{date:%Y/%m/%d}/", day, root) == "s3://b/2026/01/04/"
    assert resolve_location("/abs/x.parquet", day, root) == "/abs/x.parquet"


def test_the_champion_is_never_taken_for_a_file_of_that_name() -> None:
    with pytest.raises(ValueError, match="'champion' is no location"):
        resolve_location("champion", date(2026, 1, 4), Path("/srv"))


def test_the_methods_a_monitor_may_name_are_those_of_the_table() -> None:
    from pipeline.checks.drift.statistics import METHODS

    for kind, names in (("numerical", NUMERICAL_METHODS), ("categorical", CATEGORICAL_METHODS)):
        assert sorted(names) == sorted(name for name, method in METHODS.items() if kind in method.kinds)


def test_a_folder_that_does_not_exist_is_a_mistake_not_a_fleet_of_none(tmp_path: Path, project: Project) -> None:
    settings = project.settings.model_copy(update={"monitors_dir": tmp_path / "nowhere"})
    with pytest.raises(ConfigError, match=r"PIPELINE_MONITORS_DIR: found .*nowhere"):
        monitors.load_all(settings)


@pytest.mark.parametrize("top", ["", "task: regression\n"])
@pytest.mark.parametrize("below", ["", "retrain: {task: regression}\n"])
def test_the_task_of_a_monitor_may_stand_where_earlier_versions_had_it(project: Project, top: str, below: str) -> None:
    project.write_suite()
    project.write_text("monitors/people.yaml", SOUND + top + below)
    assert monitors.load("people", project.settings).task == ("regression" if top or below else "auto")


def test_the_class_labels_of_a_monitor_are_what_yaml_says_they_are(project: Project) -> None:
    project.write_suite()
    columns = "{positive: 1, scores: {1: p_one, 'two': p_two}}"
    project.write_text("monitors/people.yaml", SOUND.replace("columns:\n  numerical: [age]", f"columns: {columns}"))
    roles = monitors.load("people", project.settings).columns
    assert (roles.positive, roles.scores) == (1, {"1": "p_one", "two": "p_two"})
    assert roles.answers == ("p_one", "p_two")


@pytest.mark.parametrize(
    ("columns", "critical", "words"),
    [
        ({"ignore": ["city"]}, ["city"], "drift.critical.0: found 'city', which is listed under columns.ignore"),
        ({"id": "id"}, ["age", "id"], "drift.critical.1: found 'id', which is the id"),
        (
            {"numerical": ["age"], "categorical": ["city"]},
            ["agee"],
            "found 'agee', which is not compared; allowed: age, city",
        ),
        ({"numerical": ["age"]}, ["city"], None),
        ({}, ["anything"], None),
    ],
)
def test_what_decides_alone_is_compared(
    project: Project, columns: dict[str, object], critical: list[str], words: str | None
) -> None:
    project.write_suite()
    project.write_monitor(columns=columns, drift={"critical": critical})
    if words is None:
        assert monitors.load("people", project.settings).drift.critical == tuple(critical)
        return
    with pytest.raises(ConfigError) as raised:
        monitors.load("people", project.settings)
    assert words in str(raised.value)


def test_a_file_that_is_put_aside_while_all_are_read_is_no_monitor_any_more(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write_suite()
    path = project.write_text("monitors/people.yaml", SOUND)
    link = path.with_name("linked.yaml")
    link.symlink_to("nowhere.yaml")
    listed = monitors._listed

    def and_then_gone(folder: Path) -> list[Path]:
        found = listed(folder)
        path.unlink()
        return found

    monkeypatch.setattr(monitors, "_listed", and_then_gone)
    found = monitors.load_all(project.settings)
    assert (found.monitors, list(found.errors)) == ((), ["linked.yaml"])
