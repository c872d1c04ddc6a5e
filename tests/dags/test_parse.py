"""Reading the DAG files: quickly, the same each time, and one wrong monitor file never hides the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.dags.conftest import DAGS, Parse, Parsed, run_python
from tests.project import Project

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def broken(parse: Parse, tmp_path_factory: pytest.TempPathFactory) -> Parsed:
    project = Project(tmp_path_factory.mktemp("broken") / "project")
    project.write_suite()
    project.write_monitor("sound")
    project.write_monitor("greedy", drift={"limit": 1.5}, schedule="{{ never }}")
    project.write_text("monitors/not a name.yaml", "name: not a name\n")
    project.write_text("monitors/not_a_name.yaml", ": : :\n")
    project.write_text("monitors/sound.yml", "name: sound\n")
    return parse(project)


def test_the_monitors_of_this_repository_parse(parse: Parse, tmp_path: Path) -> None:
    variables = {
        "PIPELINE_MONITORS_DIR": str(ROOT / "monitors"),
        "PIPELINE_EXPECTATIONS_DIR": str(ROOT / "expectations"),
    }

    found = parse(Project(tmp_path / "project"), **variables)

    assert found.errors == {}
    assert {"nightly_churn", "retrain_churn"} <= set(found.dags)
    assert not any("broken-configuration" in dag["tags"] for dag in found.dags.values())


def test_every_monitor_has_a_nightly_and_a_retraining_dag(parsed: Parsed) -> None:
    names = ("daily", "hourly", "midnight", "weekly")

    assert parsed.errors == {}
    expected = [f"{kind}_{name}" for kind in ("nightly", "retrain") for name in names]
    assert sorted(parsed.dags) == sorted([*expected, "nightjar_digest"])


def test_reading_the_dag_files_imports_nothing_heavy(parsed: Parsed) -> None:
    assert parsed.heavy == []


def test_two_hundred_monitors_parse(parse: Parse, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.write_suite()
    for number in range(200):
        project.write_monitor(f"model-{number:03}")

    found = parse(project)

    assert found.errors == {}
    assert len([name for name in found.dags if name != "nightjar_digest"]) == 400


def test_reading_the_files_twice_gives_the_same_dags(parse: Parse, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.write_suite()
    project.write_monitor(description="Scores people")
    project.write_monitor("wrong", drift={"limit": 2})

    first, second = (parse(project, PYTHONHASHSEED=seed) for seed in ("1", "2"))

    assert {name: dag["serialized"] for name, dag in first.dags.items()} == {
        name: dag["serialized"] for name, dag in second.dags.items()
    }


def test_a_wrong_monitor_file_leaves_the_others_alone(broken: Parsed) -> None:
    assert broken.errors == {}
    assert "pull_snapshots" in broken.dags["nightly_sound"]["tasks"]
    assert [name for name in broken.dags if name.startswith("retrain_")] == ["retrain_sound"]


def test_a_wrong_monitor_file_is_a_dag_that_fails_and_says_why(broken: Parsed) -> None:
    dag = broken.dags["nightly_greedy"]

    assert "broken-configuration" in dag["tags"]
    assert list(dag["tasks"]) == ["configuration"]
    assert dag["tasks"]["configuration"]["retries"] == 0
    assert dag["timetable"]["__var"]["expression"] == "0 2 * * *"
    assert "greedy.yaml:" in dag["doc"]
    assert "drift.limit: found 1.5" in dag["doc"]
    assert "schedule: found '{{ never }}'" in dag["doc"]


def test_file_names_that_are_no_dag_ids_get_one_each(broken: Parsed) -> None:
    assert "not a name" in broken.dags["nightly_not_a_name"]["display_name"]
    assert "not_a_name" in broken.dags["nightly_not_a_name_broken"]["display_name"]


def test_a_wrong_file_with_the_name_of_a_sound_monitor_is_told_apart(broken: Parsed) -> None:
    assert "broken-configuration" in broken.dags["nightly_sound_broken"]["tags"]
    assert "allowed: .yaml" in broken.dags["nightly_sound_broken"]["doc"]


def test_wrong_settings_are_an_import_error_of_the_file(parse: Parse, tmp_path: Path) -> None:
    found = parse(Project(tmp_path / "project"), PIPELINE_SMTP_URL="mail.example.com", PIPELINE_STROE="/tmp/store")

    assert found.dags == {}
    assert list(found.errors) == ["nightjar.py"]
    assert "PIPELINE_SMTP_URL: allowed: smtp://... or smtps://..." in found.errors["nightjar.py"]
    assert "PIPELINE_STROE: unknown variable" in found.errors["nightjar.py"]


def test_every_dag_belongs_to_the_file_that_people_see_and_no_other_file_is_read(parsed: Parsed) -> None:
    assert {dag["file"] for dag in parsed.dags.values()} == {str(DAGS / "nightjar.py")}
    assert [Path(file).name for file in parsed.files] == ["nightjar.py"]


def test_two_lines_in_a_folder_of_ones_own_build_the_same_dags(parse: Parse, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.write_suite()
    project.write_monitor()
    own = project.write_text("own/models.py", "from nightjar_airflow import build_dags\nbuild_dags()\n")

    found = parse(project, own.parent)

    assert found.errors == {}
    assert sorted(found.dags) == ["nightjar_digest", "nightly_people", "retrain_people"]
    assert {dag["file"] for dag in found.dags.values()} == {str(own)}


def test_without_airflow_the_error_names_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['airflow'] = None; import nightjar_airflow; nightjar_airflow.build_dags()"

    done = run_python(tmp_path, {}, "-c", code)

    assert (
        "ImportError: Nightjar's DAGs need Airflow 3.3 with its standard provider, the extra 'airflow'" in done.stderr
    )


@pytest.mark.parametrize("dag_id", ["nightly_one", "retrain_one", "nightly_wrong", "nightjar_digest"])
def test_a_starting_task_reads_its_own_dag_only(parse: Parse, tmp_path: Path, dag_id: str) -> None:
    project = Project(tmp_path / "project")
    project.write_suite()
    project.write_monitor("one")
    project.write_monitor("two")
    project.write_text("monitors/wrong.yaml", "name: wrong\n")

    found = parse(project, _AIRFLOW_PARSING_CONTEXT_DAG_ID=dag_id)

    assert list(found.dags) == [dag_id]


def test_a_starting_task_reads_no_monitor_file_but_its_own(parse: Parse, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.write_suite()
    project.write_monitor("one")
    os.mkfifo(project.root / "monitors" / "other.yaml")  # reading it would never end

    for dag_id in ("nightly_one", "retrain_one", "nightjar_digest"):
        assert list(parse(project, _AIRFLOW_PARSING_CONTEXT_DAG_ID=dag_id).dags) == [dag_id]


def test_only_teams_that_have_a_role_are_named_and_others_get_nothing(parse: Parse, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.write_suite()
    for name, team in (("known", "alpha"), ("unknown", "gamma"), ("nobodys", None)):
        project.write_monitor(name, **({"team": team} if team else {}))
    found = parse(project, PIPELINE_AIRFLOW_TEAMS="alpha, beta")
    rights = {"DAGs": ["can_edit", "can_read"], "DAG Runs": ["can_create", "can_read"]}
    for kind in ("nightly", "retrain"):
        assert found.dags[f"{kind}_known"]["access_control"] == {"alpha": rights}
        assert found.dags[f"{kind}_unknown"]["access_control"] == {}
        assert found.dags[f"{kind}_nobodys"]["access_control"] == {}
    assert found.dags["nightjar_digest"]["access_control"] is None
    assert found.errors == {}


def test_without_a_list_of_teams_dags_say_nothing_of_them(parsed: Parsed) -> None:
    assert {name: dag["access_control"] for name, dag in parsed.dags.items()} == dict.fromkeys(parsed.dags)
