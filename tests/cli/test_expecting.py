"""`expect` and `ack`, as people type them, on a real run store."""

from __future__ import annotations

import getpass
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.results import DriftResult
from pipeline.steps.expecting import change_of, expect, noted
from pipeline.steps.night import open_workspace
from tests.project import Project
from tests.publish import samples
from tests.servers.s3 import S3

SAID = ["--from", "2026-02-01", "--until", "2026-02-14", "--columns", "age,income", "--why", "price change"]
NIGHT = "2026-01-14"


@pytest.fixture
def watched(project: Project) -> Project:
    project.write_suite()
    project.write_monitor()
    return project


def kept(project: Project) -> list[dict[str, Any]]:
    content = (project.store / "people/expected.json").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(content, parse_constant=pytest.fail)
    return found


def publish(project: Project, drift: DriftResult) -> None:
    """A published night with this drift."""
    project.night(NIGHT).publish({"drift.json": drift.to_json()})


def test_what_is_expected_is_noted_with_who_noted_it(watched: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["expect", "people", *SAID]) == 0
    assert capsys.readouterr().out == "people: expected: 2026-02-01 to 2026-02-14  age, income: price change\n"
    assert kept(watched) == [
        {
            "columns": ["age", "income"],
            "from": "2026-02-01",
            "until": "2026-02-14",
            "why": "price change",
            "by": getpass.getuser(),
        }
    ]


@pytest.mark.slow
def test_on_s3_it_is_noted_and_acknowledged_as_on_a_disk(
    watched: Project, s3: S3, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIPELINE_STORE", s3.uri("store"))
    publish(watched, samples.drift(drifted=1))
    assert main(["expect", "people", *SAID]) == main(["ack", "people", NIGHT]) == 0
    capsys.readouterr()
    name = names(capsys)[0]
    assert main(["expect", "people", "--withdraw", name]) == main(["expect", "people", "--list"]) == 0
    withdrawn, left = capsys.readouterr().out.splitlines()
    assert withdrawn == "people: withdrawn: 2026-02-01 to 2026-02-14  age, income: price change"
    assert re.match("[0-9a-f]{8}  2026-01-14 to 2026-01-28  ", left)


def test_the_same_change_is_noted_once(watched: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert [main(["expect", "people", *SAID]) for _ in range(2)] == [0, 0]
    assert "people: expected already: " in capsys.readouterr().out
    assert len(kept(watched)) == 1


def test_names_with_commas_quotes_and_of_every_script_are_kept_as_typed(watched: Project) -> None:
    typed = '"a,b", "say ""so""",größe'
    assert main(["expect", "people", *SAID, "--columns", typed]) == 0
    assert kept(watched)[0]["columns"] == ["a,b", 'say "so"', "größe"]
    assert "größe" in (watched.store / "people/expected.json").read_text(encoding="utf-8")


def names(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What `--list` calls what was noted, the oldest first."""
    capsys.readouterr()
    assert main(["expect", "people", "--list"]) == 0
    return re.findall("^([0-9a-f]{8})  ", capsys.readouterr().out, re.MULTILINE)


def test_what_is_expected_is_listed_and_withdrawn_by_its_name(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write_suite()
    change = {"columns": ["city"], "from": "2026-01-01", "until": "2026-01-31", "why": "new\nmarket"}
    project.write_monitor(expected=[change])
    main(["expect", "people", *SAID])
    main(["expect", "people", *SAID, "--why", "again"])
    first, second = names(capsys)
    assert main(["expect", "people", "--list"]) == 0
    by = f" (by {getpass.getuser()})"
    assert capsys.readouterr().out.splitlines() == [
        "in people.yaml  2026-01-01 to 2026-01-31  city: new\\nmarket",
        f"{first}  2026-02-01 to 2026-02-14  age, income: price change{by}",
        f"{second}  2026-02-01 to 2026-02-14  age, income: again{by}",
    ]
    assert main(["expect", "people", "--withdraw", first]) == 0
    assert capsys.readouterr().out == "people: withdrawn: 2026-02-01 to 2026-02-14  age, income: price change\n"
    assert [item["why"] for item in kept(project)] == ["again"]


def test_withdrawing_again_takes_back_nothing_else(watched: Project, capsys: pytest.CaptureFixture[str]) -> None:
    for why in ("one", "two", "three"):
        main(["expect", "people", *SAID, "--why", why])
    first = names(capsys)[0]
    assert [main(["expect", "people", "--withdraw", first]) for _ in range(3)] == [0, 0, 0]
    assert [item["why"] for item in kept(watched)] == ["two", "three"]
    said = f"people: nothing is noted as {first}; it was taken back, or was never there"
    assert capsys.readouterr().out.splitlines()[1:] == [said, said]
    with pytest.raises(SystemExit, match="2"):
        main(["expect", "people", "--withdraw", "1"])  # a place, as earlier versions took it
    assert "found '1'; allowed: what --list prints before a note" in capsys.readouterr().err
    assert len(kept(watched)) == 2


def test_where_nothing_is_expected_the_list_says_so(watched: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["expect", "people", "--list"]) == 0
    assert capsys.readouterr().out == "people: nothing is expected\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["expect", "peeple", *SAID], "found no monitor 'peeple'; allowed: people"),
        (["expect", "people"], "--from: missing\n--until: missing\n--columns: missing\n--why: missing"),
        (["expect", "people", *SAID, "--until", "2026-01-31"], "allowed: 'until' not before 'from', and 366 days"),
        (["expect", "people", *SAID, "--until", "2027-02-02"], "allowed: 'until' not before 'from', and 366 days"),
        (["expect", "people", *SAID, "--columns", ""], "--columns: allowed: at least one column"),
        (["expect", "people", *SAID, "--columns", "a,,b"], "--columns: "),
        (["expect", "people", *SAID, "--columns", '"a,b'], "--columns: "),
        (["expect", "people", *SAID, "--why", ""], "--why: allowed: why, in 1 to 200 characters"),
        (["expect", "people", "--list", "--why", "x"], "--why: allowed: without --list and --withdraw"),
        (["ack", "peeple", NIGHT], "found no monitor 'peeple'; allowed: people"),
        (["ack", "people", "2026-01-13"], "people/2026-01-13/drift.json: no such night is published"),
        (["ack", "people", NIGHT, "--until", "2026-01-13"], "allowed: 'until' not before 'from'"),
        (["ack", "people", NIGHT, "--why", " "], "--why: allowed: why, in 1"),
    ],
)
def test_nonsense_is_refused_with_what_is_allowed_and_nothing_is_noted(
    watched: Project, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(watched, samples.drift(drifted=2))
    assert main(arguments) == 2
    assert words in capsys.readouterr().err
    assert not (watched.store / "people/expected.json").exists()


def test_a_date_that_is_none_is_bad_usage(watched: Project, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["ack", "people", "yesterday"])
    assert stopped.value.code == 2
    assert "found 'yesterday'; allowed: a date such as 2026-01-14" in capsys.readouterr().err


def test_the_columns_that_drifted_on_an_acknowledged_night_are_expected_for_two_weeks(watched: Project) -> None:
    drift = samples.drift(drifted=2)
    publish(watched, drift)
    assert main(["ack", "people", NIGHT]) == 0
    (found,) = kept(watched)
    assert found["columns"] == [item.name for item in drift.drifted_columns]
    assert (found["from"], found["until"], found["why"]) == (NIGHT, "2026-01-28", "acknowledged")


def test_a_night_without_drift_cannot_be_acknowledged(watched: Project, capsys: pytest.CaptureFixture[str]) -> None:
    publish(watched, samples.drift(drifted=0))
    assert main(["ack", "people", NIGHT]) == 2
    assert capsys.readouterr().err.startswith("error: people: no column drifted on 2026-01-14;")


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"[1]", b"\xff", b'[{"columns": ["age"]}]', b"null"])
def test_notes_that_cannot_be_read_are_named_and_stay_as_they_are(
    watched: Project, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = watched.store / "people/expected.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    for arguments in (
        ["expect", "people", *SAID],
        ["expect", "people", "--list"],
        ["expect", "people", "--withdraw", "3f9a1c22"],
    ):
        assert main(arguments) == 2
        assert f"error: {path}: cannot be read: " in capsys.readouterr().err
    assert path.read_bytes() == content


def test_of_several_people_who_note_something_at_once_nobody_is_lost(watched: Project) -> None:
    day = date(2026, 2, 1)
    changes = [change_of(["age"], day, day, f"reason {number}", None) for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda change: expect(open_workspace("people"), change), changes))
    assert sorted(change.why for change in noted(open_workspace("people"))) == sorted(item.why for item in changes)


def test_check_says_nothing_of_expected_columns_that_the_data_does_not_have(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    change = {"columns": ["to_come"], "from": "2026-02-01", "until": "2026-02-14", "why": "new source"}
    project.complete(expected=[change])
    assert main(["check"]) == 0
    assert "to_come" not in "".join(capsys.readouterr())
