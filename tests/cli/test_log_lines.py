"""What a command says on standard error where `PIPELINE_LOG_FORMAT=json`: an object for each line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline import log_context
from pipeline.cli import log_lines, main
from pipeline.log_context import Pool, about, beside
from pipeline.steps import lineage, nightly, probation, retraining
from pipeline.steps.timing import UNTIL_PAGE
from tests.project import Project

RUN = ["run", "people", "--date", "2026-01-14"]
LOG = logging.getLogger("pipeline.test")


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """The root logger's handlers are pytest's own, and the next test's."""
    handlers = {handler: (handler.level, handler.formatter) for handler in logging.getLogger().handlers}
    yield
    for handler, (level, formatter) in handlers.items():
        handler.setLevel(level)
        handler.setFormatter(formatter)
    log_lines._json.clear()


@pytest.fixture
def wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_LOG_FORMAT", "json")


def form(record: logging.LogRecord) -> dict[str, Any]:
    """A record as the command line writes it."""
    line = log_lines._json[0].format(record)
    assert "\n" not in line
    assert line.isascii()
    found: dict[str, Any] = json.loads(line)
    return found


def record(message: str, error: BaseException | None = None) -> logging.LogRecord:
    told = None if error is None else (type(error), error, error.__traceback__)
    return logging.LogRecord("pipeline.test", logging.ERROR, __file__, 1, "%s", (message,), told)


@pytest.mark.slow
@pytest.mark.usefixtures("wanted")
def test_every_line_of_a_night_is_an_object_that_says_what_it_is_about(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    monkeypatch.setenv("PIPELINE_ENVIRONMENT", "staging")
    monkeypatch.setenv("PIPELINE_PUSHGATEWAY_URL", "http://127.0.0.1:1")
    project.complete(drifted=True)
    assert main(RUN) == 5
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.err.splitlines()]
    assert {line["environment"] for line in lines} == {"staging"}
    of_steps = [line for line in lines if "step" in line]
    assert {(line["monitor"], line["date"]) for line in of_steps} == {("people", "2026-01-14")}
    named = list(dict.fromkeys(line["step"] for line in of_steps))
    assert named[0] == "pull_snapshots"
    assert {"validate_quality", "measure_drift", "render_report", "push_gauges", "send_summary"} <= set(named)
    assert any("127.0.0.1:1" in line["message"] and line["step"] == "push_gauges" for line in of_steps)
    assert said.out.startswith("people  2026-01-14  drifted: ")  # the result is for people and pipes, as ever


@pytest.mark.usefixtures("wanted")
@pytest.mark.parametrize(
    "text", ["two\nlines", 'a "quote"', "\x1b[31mred", "half \ud800", "ünïcode \u202e", "{}", "x" * 9_999]
)
def test_whatever_is_in_a_message_it_is_one_line_of_json(text: str) -> None:
    log_lines.set_up(traceback=False)
    found = form(record(text))
    assert set(found) == {"time", "level", "logger", "message"}
    assert (found["level"], found["logger"]) == ("error", "pipeline.test")
    assert found["time"].endswith("+00:00")
    assert len(found["message"]) <= 2_001
    assert "\x1b" not in found["message"]
    assert "\u202e" not in found["message"]


@pytest.mark.usefixtures("wanted")
def test_an_error_is_its_type_and_its_words_only_where_they_are_asked_for() -> None:
    log_lines.set_up(traceback=False)
    error = ValueError("a private value")
    assert form(record("it broke", error)) | {"time": ""} == {
        "time": "",
        "level": "error",
        "logger": "pipeline.test",
        "message": "it broke",
        "error": "ValueError",
    }
    log_lines.set_up(traceback=True)
    assert "a private value" in form(record("it broke", error))["trace"]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"PIPELINE_LOG_FORMAT": "json"}, "found no monitor 'people'"),
        ({"PIPELINE_LOG_FORMAT": "json", "PIPELINE_STORE": "ftp://x"}, "PIPELINE_STORE"),
    ],
)
def test_what_ends_a_command_is_an_object_too(
    variables: dict[str, str],
    expected: str,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert main(RUN) == 2
    (line,) = capsys.readouterr().err.splitlines()
    found = json.loads(line)
    assert found["level"] == "error"
    assert expected in found["message"]


@pytest.mark.usefixtures("wanted")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["rnu", "people"], "invalid choice: 'rnu'"),
        (["run", "people", "--night", "2026-01-14"], "--date"),
        (["prune", "--keep-nights", "many"], "--keep-nights"),
        ([], "COMMAND"),
    ],
)
def test_a_wrong_call_is_an_object_that_says_where_the_right_one_is_told(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    found = json.loads(line)
    assert found["level"] == "error"
    assert expected in found["message"]
    assert found["message"].endswith(" --help")


def test_another_format_is_named_with_those_there_are(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIPELINE_LOG_FORMAT", "yaml")
    assert main(RUN) == 2
    assert "PIPELINE_LOG_FORMAT: Input should be 'text' or 'json'" in capsys.readouterr().err


def test_without_a_wish_lines_are_for_people(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(RUN) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_threads_know_what_they_work_on() -> None:
    seen: list[dict[str, str]] = []
    with about(monitor="people"), Pool(2) as pool:
        with about(step="measure_drift"):
            told = list(pool.map(lambda _: dict(log_context.fields()), range(3)))
            beside(lambda: seen.append(dict(log_context.fields()))).join()
        after = pool.submit(lambda: dict(log_context.fields())).result()
    assert told == [{"monitor": "people", "step": "measure_drift"}] * 3
    assert seen == told[:1]
    assert after == {"monitor": "people"}
    assert not log_context.fields()


def test_every_step_that_airflow_or_the_command_line_runs_says_its_name() -> None:
    names = (*UNTIL_PAGE, "log_run", "push_gauges", "send_summary", "require_quality", "report_failure")
    steps = [getattr(nightly, name) for name in names]
    steps += [lineage.send_lineage, lineage.report_failure, probation.watch_champion]
    steps += [getattr(retraining, name) for name in ("retrain", "promote", "rollback", "score")]
    assert {step.__name__ for step in steps if not step.__code__.co_filename.endswith("/named.py")} == set()
