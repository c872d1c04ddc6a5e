"""`mute` and `unmute`, as people type them, on a real run store."""

from __future__ import annotations

import getpass
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pipeline.cli import main
from tests.project import Project
from tests.servers.s3 import S3

SAID = ["--from", "2026-02-01", "--until", "2026-02-14", "--why", "we repair the source"]


@pytest.fixture
def watched(project: Project) -> Project:
    project.write_suite()
    project.write_monitor()
    return project


def kept(project: Project) -> list[dict[str, Any]]:
    content = (project.store / "people/muted.json").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(content, parse_constant=pytest.fail)
    return found


def test_a_mute_is_noted_once_with_who_noted_it_and_listed(
    watched: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [main(["mute", "people", *SAID]) for _ in range(2)] == [0, 0]
    words = "2026-02-01 to 2026-02-14  we repair the source"
    assert capsys.readouterr().out == f"people: muted: {words}\npeople: muted already: {words}\n"
    who = getpass.getuser()
    assert kept(watched) == [{"from": "2026-02-01", "until": "2026-02-14", "why": "we repair the source", "by": who}]
    assert main(["mute", "people", "--list"]) == 0
    assert capsys.readouterr().out == f"{words} (by {who})\n"


def test_a_monitor_that_was_never_muted_says_so(watched: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mute", "people", "--list"]) == 0
    assert capsys.readouterr().out == "people: was never muted\n"


def test_without_a_first_day_it_begins_with_the_night_that_is_due(watched: Project) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    until = yesterday + timedelta(days=20)
    assert main(["mute", "people", "--until", str(until), "--why", "we know"]) == 0
    first = date.fromisoformat(kept(watched)[0]["from"])
    assert first in (yesterday, yesterday + timedelta(days=1))  # midnight may pass meanwhile


def test_unmuting_ends_what_goes_on_and_takes_back_what_is_to_come(
    watched: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["mute", "people", *SAID])
    main(["mute", "people", "--from", "2026-02-10", "--until", "2026-02-20", "--why", "longer"])
    main(["mute", "people", "--from", "2026-01-01", "--until", "2026-01-02", "--why", "long over"])
    capsys.readouterr()
    assert main(["unmute", "people", "--from", "2026-02-05"]) == 0
    assert capsys.readouterr().out == "people: told again from 2026-02-05 on\n"
    assert [(one["from"], one["until"]) for one in kept(watched)] == [
        ("2026-02-01", "2026-02-04"),
        ("2026-01-01", "2026-01-02"),
    ]
    assert main(["unmute", "people", "--from", "2026-02-05"]) == 0
    assert capsys.readouterr().out == "people: not muted, so told as before from 2026-02-05 on\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["mute", "peeple", *SAID], "found no monitor 'peeple'; allowed: people"),
        (["mute", "people"], "--until: missing; a mute always ends, after 31 days at most, so that nobody forgets it"),
        (["mute", "people"], "--why: missing"),
        (["mute", "people", *SAID, "--until", "2026-01-31"], "allowed: 'until' not before 'from', and 31 days in all"),
        (["mute", "people", *SAID, "--until", "2026-03-04"], "so that nobody forgets it; who is to be told less"),
        (["mute", "people", *SAID, "--why", " "], "--why: allowed: why, in 1 to 200 characters"),
        (["mute", "people", "--list", "--why", "x"], "--why: allowed: without --list"),
        (["unmute", "peeple"], "found no monitor 'peeple'; allowed: people"),
    ],
)
def test_nonsense_is_refused_with_what_is_allowed_and_nothing_is_noted(
    watched: Project, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert words in capsys.readouterr().err
    assert not (watched.store / "people/muted.json").exists()


def test_the_longest_mute_is_31_days(watched: Project) -> None:
    assert main(["mute", "people", *SAID, "--until", "2026-03-03"]) == 0


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'[{"from": "2026-02-01"}]', b"null"])
def test_notes_that_cannot_be_read_are_named_and_stay_as_they_are(
    watched: Project, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = watched.store / "people/muted.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    for arguments in (["mute", "people", *SAID], ["mute", "people", "--list"], ["unmute", "people"]):
        assert main(arguments) == 2
        assert f"error: {path}: cannot be read: " in capsys.readouterr().err
    assert path.read_bytes() == content


@pytest.mark.slow
def test_on_s3_it_is_noted_and_ended_as_on_a_disk(
    watched: Project, s3: S3, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIPELINE_STORE", s3.uri("store"))
    assert main(["mute", "people", *SAID]) == main(["unmute", "people", "--from", "2026-02-05"]) == 0
    capsys.readouterr()
    assert main(["mute", "people", "--list"]) == 0
    assert capsys.readouterr().out.startswith("2026-02-01 to 2026-02-04  we repair the source")
