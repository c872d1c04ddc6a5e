"""`init`: a monitor file and a suite from the data, so that a night runs at once."""

from __future__ import annotations

import os
import pty
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from pipeline.authoring.new_monitor import Begun, Wishes, init
from pipeline.authoring.places import Said
from pipeline.authoring.questions import Choices
from pipeline.authoring.roles import Known
from pipeline.cli import main
from pipeline.config import monitor_files as monitors
from pipeline.errors import ConfigError
from tests.project import Project, people
from tests.servers.s3 import S3

DAY = "2026-01-14"


class Somebody:
    """Answers a question by its first word, each answer once, else with the proposal; remembers everything."""

    def __init__(self, present: bool = True, **answers: str | list[str]) -> None:
        self.present = present
        self.answers = {key: [text] if isinstance(text, str) else list(text) for key, text in answers.items()}
        self.asked: dict[str, str] = {}
        self.told: list[str] = []

    def ask(self, question: str, proposal: str) -> str:
        key = question.split(maxsplit=1)[0].rstrip(",")
        self.asked[key] = proposal
        given = self.answers.get(key)
        return given.pop(0) if given and self.present else proposal

    def tell(self, words: str) -> None:
        self.told.append(words)


@pytest.fixture
def scored(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with data and nothing else, as the working directory; labels come later."""
    monkeypatch.chdir(project.root)
    project.write_parquet("reference/part-0.parquet", people(2_000, seed=0))
    for day, seed in (("2026-01-13", 2), (DAY, 1)):
        project.write_parquet(f"production/dt={day}/part-0.parquet", people(1_500, seed).drop(columns="label"))
    project.write_parquet("labels/dt=2026-01-07/part-0.parquet", people(1_500, 5)[["id", "label"]])
    return project


def begin(name: str = "people", person: Somebody | None = None, **said: Any) -> Begun:
    def of(kind: type[Any]) -> Any:
        return kind(**{item.name: said.pop(item.name) for item in fields(kind) if item.name in said})

    wishes = Wishes(of(Known), of(Said), of(Choices), **said)
    return init(name, wishes, date(2026, 1, 20), person or Somebody(present=False))


def written(project: Project, name: str = "people") -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((project.root / f"monitors/{name}.yaml").read_text())
    return read


ADDRESSES: dict[str, Any] = {"reference": "data/reference/", "production": "data/production/dt={date}/"}


def test_roles_addresses_and_the_delay_of_labels_come_from_the_data(scored: Project) -> None:
    begun = begin(**ADDRESSES)
    monitor = monitors.load("people", scored.settings)
    assert monitor.snapshots.labels == "data/labels/dt={date}/"
    roles = monitor.columns
    assert (roles.id, roles.label, roles.prediction, roles.score) == ("id", "label", "prediction", "score")
    assert roles.numerical == ("age", "income", "score")
    assert roles.categorical == ("city", "prediction")
    assert monitor.performance.label_delay_days == 7
    assert (str(begun.night), begun.suite.written) == (DAY, True)
    assert begun.notes == ("labels taken as data/labels/dt={date}/, with a folder or file for each date",)


def test_columns_of_lists_of_numbers_are_neither_compared_nor_ignored_and_it_says_what_looks_at_them(
    scored: Project,
) -> None:
    frame, tonight = people(500, seed=0), people(300, seed=1).drop(columns="label")
    for rows, place in ((frame, "reference/part-0.parquet"), (tonight, f"production/dt={DAY}/part-0.parquet")):
        scored.write_parquet(place, rows.assign(embedding=pd.Series([[1.0, 2.0]] * len(rows))))
    begun = begin(**ADDRESSES)
    roles = written(scored)["columns"]
    assert not any("embedding" in roles.get(key, ()) for key in ("numerical", "categorical", "ignore"))
    text = (scored.root / "monitors/people.yaml").read_text()
    assert "# Without it nothing looks at lists of numbers: embedding." in text
    assert any(
        "nothing looks at lists of numbers (embedding) without together under drift" in note for note in begun.notes
    )


@pytest.mark.slow
def test_the_night_runs_at_once(scored: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "people", "--reference", "data/reference", "--production", "data/production"]) == 0
    said = capsys.readouterr().out
    assert "production taken as data/production/dt={date}/" in said
    command = said.splitlines()[-1].removeprefix("next: python -m pipeline ").split()
    assert command == ["run", "people", "--date", DAY]
    assert main(["check"]) == 0
    assert main(command) == 0
    assert f"people  {DAY}  healthy" in capsys.readouterr().out
    assert (scored.store / "people" / DAY / "index.html").is_file()


def test_what_was_said_is_neither_asked_nor_guessed(scored: Project) -> None:
    person = Somebody()
    said = {**ADDRESSES, "labels": "-", "owner": "me", "id": "id", "label": "", "prediction": "city", "score": "income"}
    begin(person=person, email="-", alarms="30", **said)
    assert set(person.asked) == {"model"}
    assert written(scored)["drift"]["alarms"] == {"per_nights": 30}
    assert written(scored)["owner"] == "me"
    roles = written(scored)["columns"]
    assert (roles["prediction"], roles["score"], "label" in roles["ignore"]) == ("city", "income", True)
    assert "labels" not in written(scored)["snapshots"]


def test_everything_else_is_asked_with_a_proposal(scored: Project) -> None:
    person = Somebody(reference="data/reference", production=["data/production", "data/production/dt={date}/"])
    begin(person=person)
    assert person.asked == {
        "reference": "", "production": "data/production/dt={date}/", "labels": "data/labels/dt={date}/",
        "id": "id", "label": "label", "prediction": "prediction", "score": "score", "model": "-",
        "task": "classification", "positive": "1", "champion": "yes", "owner": "unknown", "email": "-",
        "alarms": "365",
    }  # fmt: skip
    assert any("The reference has the columns id, age," in words for words in person.told)


def test_a_budget_of_alarms_is_proposed_and_fixed_thresholds_are_one_answer_away(scored: Project) -> None:
    begin(**ADDRESSES)
    assert written(scored)["drift"] == {"limit": 0.3, "alarms": {"per_nights": 365}}
    assert written(scored)["retrain"]["min_rows"] == 0
    person = Somebody(alarms=["often", "1", "-"])
    begin("others", person, **ADDRESSES)
    assert written(scored, "others")["drift"] == {"limit": 0.3}
    assert written(scored, "others")["retrain"]["min_rows"] > 0
    assert any(words.startswith("found '1'; allowed: a whole number from 2 to 100000") for words in person.told)
    with pytest.raises(ConfigError, match="--alarms: found 'no'"):
        begin("more", alarms="no", **ADDRESSES)


def test_a_wrong_answer_is_asked_for_again(scored: Project) -> None:
    person = Somebody(
        reference=["", "gs://bucket/x", "data/nowhere", "data/reference"],
        production="data/production/dt={date}/",
        id=["idd", "id"],
        label=["nothing like it", "-"],
    )
    begin(person=person)
    said = "\n".join(person.told)
    for words in ("missing; allowed", "no other scheme", "data/nowhere: no parquet file there", "did you mean 'id'?"):
        assert words in said
    assert written(scored)["columns"]["id"] == "id"
    assert "label" not in written(scored)["columns"]


def test_data_of_another_project_keeps_its_absolute_address(scored: Project, tmp_path: Path) -> None:
    away = tmp_path / "away" / "reference.parquet"
    away.parent.mkdir()
    people(200, 0).to_parquet(away)
    begin(reference="../away/reference.parquet", production="data/production/dt={date}/")
    sources = written(scored)["snapshots"]
    assert (sources["reference"], sources["initial"]) == ("champion", str(away))
    assert written(scored)["snapshots"]["production"] == "data/production/dt={date}/"


def test_a_folder_called_champion_is_not_taken_for_the_champion(scored: Project) -> None:
    scored.write_parquet("../champion/part-0.parquet", people(2_000, 0))
    begin(reference="./champion", production="data/production/dt={date}/", champion="no")
    assert written(scored)["snapshots"]["reference"] == "./champion"
    assert not monitors.load("people", scored.settings).snapshots.follows_champion


def test_columns_that_production_lacks_are_ignored_and_told(scored: Project) -> None:
    scored.write_parquet("reference/part-0.parquet", people(500, 0).assign(split="train", salary=1.5))
    begun = begin(**ADDRESSES, label="label")
    assert written(scored)["columns"]["ignore"] == ["split", "salary"]
    assert any(note.startswith("production does not have split, salary") for note in begun.notes)
    assert "salary" not in begun.suite.path.read_text()


def test_identifiers_are_no_numbers_to_compare(scored: Project) -> None:
    numbered = people(1_500, 0).assign(account_id=range(10**6, 10**6 + 1_500), void=range(1_500))
    scored.write_parquet("reference/part-0.parquet", numbered)
    scored.write_parquet(f"production/dt={DAY}/part-0.parquet", numbered.drop(columns="label"))
    begun = begin(**ADDRESSES)
    assert begun.columns.ignore == {
        "account_id": "counts rows: 1000000 to 1001499, each once", "void": "counts rows: 0 to 1499, each once",
    }  # fmt: skip
    assert (begun.columns.id, begun.columns.label) == ("id", "label")


def test_a_production_that_is_not_there_yet_is_told(scored: Project) -> None:
    begun = begin(reference="data/reference", production="data/later/dt={date}/")
    assert begun.night is None
    assert begun.notes[0].startswith("nothing lies at data/later/dt={date}/ yet")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["My Model"], "NAME: found 'My Model'; allowed: 1 to 63 of a-z"),
        (["a/b"], "NAME: found 'a/b'"),
        (["x", "--production", "data/production/dt={dat}/"], "--production: found 'data/production/dt={dat}/'"),
        (["x", "--reference", "gs://a/b"], "--reference: found 'gs://...'; allowed: a local path or an s3://"),
        (["x", "--labels", ""], "--labels: missing"),
        (["x", "--id", "customer", "--score", "scores"], "--id: found 'customer', which is no column of the reference"),
        (["x", "--id", "customer", "--score", "scores"], "--score: found 'scores'"),
    ],
)
def test_what_is_wrong_is_said_and_leaves_nothing_behind(
    scored: Project, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    usual = ["--reference", "data/reference", "--production", "data/production/dt={date}/"]
    assert main(["init", *usual, *arguments]) == 2
    assert words in capsys.readouterr().err
    assert list((scored.root / "monitors").iterdir()) == []
    assert list((scored.root / "expectations").iterdir()) == []


def test_without_a_terminal_an_address_has_to_be_said(scored: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "people", "--reference", "data/reference"]) == 2
    assert "--production: missing" in capsys.readouterr().err
    assert main(["init", "people", "--reference", "data/nowhere", "--production", "data/production"]) == 3
    assert "data/nowhere: no parquet file there" in capsys.readouterr().err


def test_an_existing_monitor_is_not_overwritten(scored: Project, capsys: pytest.CaptureFixture[str]) -> None:
    mine = scored.write_text("monitors/people.yaml", "name: people  # mine\n")
    suite = scored.write_suite()
    before = mine.read_bytes(), suite.read_bytes()
    arguments = ["init", "people", "--reference", "data/reference", "--production", "data/production/dt={date}/"]
    assert main(arguments) == 2
    assert "people.yaml: exists; allowed: another name, or --force" in capsys.readouterr().err
    assert (mine.read_bytes(), suite.read_bytes()) == before
    assert main([*arguments, "--force"]) == 0
    assert "mine" not in mine.read_text()
    assert b"120" not in suite.read_bytes()


def test_a_suite_that_is_there_already_keeps_what_a_person_wrote(scored: Project) -> None:
    mine = {"type": "expect_column_values_to_be_between", "kwargs": {"column": "age", "max_value": 77}}
    suite = scored.write_suite("people", [mine])
    begun = begin(**ADDRESSES)
    assert begun.suite.written
    assert '"max_value": 77' in suite.read_text()
    assert begun.suite.difference.count("\n+") > 20


def test_a_failure_on_the_way_takes_the_monitor_file_back(scored: Project) -> None:
    """The broken suite is only met once the monitor file is there."""
    suite = scored.write_text("expectations/people.json", '{"expectations": [\n}')
    for before in (None, b"name: people  # mine\n"):
        path = scored.root / "monitors/people.yaml"
        if before is not None:
            path.write_bytes(before)
        with pytest.raises(ConfigError, match=r"people\.json:2: broken JSON"):
            begin(**ADDRESSES, force=before is not None)
        assert (path.read_bytes() if path.exists() else None) == before
    assert suite.read_text() == '{"expectations": [\n}'


def test_no_connection_is_opened(scored: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []

    def refuse(_: socket.socket, address: object) -> None:
        opened.append(address)
        raise OSError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    with pytest.raises(OSError, match="no network"):
        socket.create_connection(("127.0.0.1", 9))
    opened.clear()
    begin(**ADDRESSES)
    assert main(["suggest", "people", "--write"]) == 0
    assert opened == []


@pytest.mark.slow
def test_a_person_at_a_terminal_answers_questions(scored: Project) -> None:
    answers = ["data/reference", "data/production", "", "", "idd", "id", "", "", "", "", "", "", "", "me"]
    code, screen = at_terminal(["-m", "pipeline", "init", "people"], answers, scored)
    assert code == 0, screen
    assert "did you mean 'id'?" in screen
    assert "next: python -m pipeline run people --date 2026-01-14" in screen
    assert written(scored)["owner"] == "me"
    assert written(scored)["snapshots"]["production"] == "data/production/dt={date}/"


@pytest.mark.slow
@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_a_person_who_stops_leaves_nothing_behind(scored: Project, key: str) -> None:
    code, screen = at_terminal(["-m", "pipeline", "init", "people"], ["data/reference", key], scored)
    assert (code, "Traceback" in screen) == (130, False)
    assert screen.rstrip().endswith("stopped")
    assert list((scored.root / "monitors").iterdir()) == []


OWN_TERMINAL = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C reaches this process
signal.signal(signal.SIGINT, signal.SIG_DFL)  # which tests in the background inherit as ignored
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def at_terminal(arguments: Sequence[str], answers: Iterable[str], project: Project) -> tuple[int, str]:
    """Run python at a pseudo-terminal and answer one prompt after the other; exit code and what was on screen."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", OWN_TERMINAL, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=project.root,
        env={**os.environ, **project.environment(), "PYTHONPATH": str(Path(__file__).parents[2])},
        start_new_session=True,
    ) as child:
        os.close(theirs)
        screen, waiting, left = "", "", iter(answers)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    text = os.read(ours, 65536).decode(errors="replace")
                except OSError:  # the other end is closed
                    break
                screen, waiting = screen + text, waiting + text
            elif waiting.endswith(": "):
                answer, waiting = next(left, ""), ""
                os.write(ours, (answer if answer in ("\x03", "\x04") else answer + "\n").encode())
        else:
            child.kill()
        os.close(ours)
    return child.returncode, screen


@pytest.mark.slow
def test_data_on_s3_works_too(scored: Project, s3: S3) -> None:
    for folder in ("reference", f"production/dt={DAY}", "labels/dt=2026-01-07"):
        s3.put(f"{folder}/part-0.parquet", (scored.root / "data" / folder / "part-0.parquet").read_bytes())
    begun = begin(reference=s3.uri("reference/"), production=s3.uri("production"))
    sources = written(scored)["snapshots"]
    assert (sources["production"], sources["labels"]) == (s3.uri("production/dt={date}/"), s3.uri("labels/dt={date}/"))
    assert (str(begun.night), begun.columns.label) == (DAY, "label")


def test_the_hint_for_a_column_looks_like_its_own_name(scored: Project) -> None:
    scored.write_parquet("reference/part-0.parquet", pd.DataFrame({"new\nline": [1.5, 2.5], "other": [1, 2]}))
    with pytest.raises(ConfigError) as raised:
        begin(**ADDRESSES, id="x")
    assert '"new\\nline", other' in str(raised.value)
