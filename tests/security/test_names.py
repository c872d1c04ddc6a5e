"""Names from data are shown as text wherever they could do more: in a terminal, a log, a chat."""

from __future__ import annotations

import logging
import unicodedata
from typing import Any

import pandas as pd
import pytest

from pipeline.cli import main
from pipeline.errors import ConfigError, NightjarError, OutletRefused, SnapshotUnreadable
from pipeline.plain_text import visible
from pipeline.publish.messages.chat import harmless
from tests.project import Project, people

HOSTILE = "\x1b]0;PWNED\x07\x9b31m\u202egnp.exe\nINFO forged\r\x00"


def hidden(text: str) -> list[str]:
    """Characters that a terminal obeys or that turn the direction of text; a new line ends one of ours."""
    return [char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and char != "\n"]


@pytest.mark.parametrize("kind", [NightjarError, SnapshotUnreadable, OutletRefused])
def test_an_error_is_one_plain_line_whatever_name_it_quotes(kind: type[NightjarError]) -> None:
    told = str(kind(f"{HOSTILE}: its columns differ"))
    assert hidden(told) == []
    assert "\n" not in told
    assert "\\x1b]0;PWNED\\x07" in told
    assert "\\u202egnp.exe\\nINFO forged" in told


def test_problems_of_a_file_are_plain_lines() -> None:
    told = ConfigError([f"a: {HOSTILE}", "b: found nothing"])
    assert hidden(str(told)) == []
    assert [hidden(problem) for problem in told.problems] == [[], []]


def test_plain_text_of_any_language_is_left_as_it_is() -> None:
    for text in ("plain", "Grüße, 東京, नमस्ते", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", ""):
        assert visible(text) == text
    assert visible("a\nb\tc", keep="\n") == "a\nb\\tc"


@pytest.mark.slow
@pytest.mark.parametrize("differs", [False, True])
def test_a_hostile_name_reaches_terminal_and_log_as_text(
    project: Project,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    differs: bool,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    project.complete()
    folder = project.root / "data/production/dt=2026-01-14"
    name = HOSTILE.replace("\x00", "")
    for path, rows in ((project.root / "data/reference/part-0.parquet", 2_000), (folder / "part-0.parquet", 1_500)):
        frame: pd.DataFrame = people(rows, 1).rename(columns={"city": name})
        frame.assign(**{f"{name}2": frame[name].str.upper()}).to_parquet(path)
    if differs:
        people(10, 2).rename(columns={"city": f"{name}3"}).to_parquet(folder / "part-1\x1b[31m.parquet")
    commands: list[list[str]] = [["run", "people", "--date", "2026-01-14"], ["check"], ["suggest", "people"]]
    commands += [["init", "other", "--reference", "data/reference/", "--production", "data/production/dt={date}/"]]
    for command in commands:
        main(command)
    said = capsys.readouterr()
    assert hidden(said.out + said.err) == []
    assert "INFO forged" in said.out + said.err
    assert not [line for line in (said.out + said.err).splitlines() if line.lstrip("+- ").startswith("INFO forged")]
    assert hidden(caplog.text) == []


def shown(text: str) -> str:
    return text.replace("\u200b", "")


@pytest.mark.parametrize(
    ("name", "obeyed"),
    [
        ("[Open the report](http://evil.example/x)", ["](", "//"]),
        ("[Open the report][1]", ["]["]),
        ("[1]: //evil.example", ["]:", "//"]),
        ("<http://evil.example|Open>", ["<http", "//"]),
        ("<mailto:a@evil.example>", ["<mailto:", "@evil"]),
        ("</a>", ["</"]),
        ("https://evil.example", ["//"]),
        ("www.evil.example", ["www."]),
        ("@everyone", ["@e"]),
        ("<!channel>", ["<!"]),
        ("<@U123>", ["<@", "@U"]),
    ],
)
def test_a_name_is_no_link_and_calls_nobody_in_a_chat(name: str, obeyed: list[str]) -> None:
    told = harmless(f"drifted: {name}, 2 of 9")
    assert shown(told) == f"drifted: {name}, 2 of 9"
    assert [part for part in obeyed if part in told.replace("www.\u200b", "")] == []


def test_ordinary_names_are_left_as_they_are() -> None:
    for text in ("age: 0.3 > 0.1", "a[0] (b), c < d", "12:30", "x@ y"):
        assert harmless(text) == text


def test_the_title_of_a_message_is_as_harmless_as_its_lines() -> None:
    import dataclasses

    from pipeline.publish.messages.chat import night_message
    from tests.publish import samples

    view: Any = samples.view()
    column = view.drift.columns[0].model_copy(update={"name": "[x](http://evil.example)", "drifted": True})
    drift = view.drift.model_copy(update={"columns": (column,), "critical": (column.name,), "drifted": True})
    message = night_message(dataclasses.replace(view, drift=drift))
    assert "evil" in message.title + message.body
    assert "](" not in message.title + message.body
    assert "//evil" not in message.title + message.body
