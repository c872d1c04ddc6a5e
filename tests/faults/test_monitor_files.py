"""One wrong file of configuration, whatever is in it, stops nobody else: no traceback, no wait without end."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.config import monitor_files as monitors
from pipeline.errors import ConfigError, ExitCode
from tests.project import Project

SOUND = """\
name: bad
owner: team@example.com
snapshots:
  reference: data/reference/
  production: data/production/dt={date}/
quality: {suite: people}
"""


def doubled(levels: int, start: str, more: str) -> str:
    """Aliases of aliases: a few hundred bytes that stand for ten to the power of the levels."""
    lines = [f"a0: &a0 {start}"]
    lines += [f"a{level}: &a{level} {more.format(', '.join([f'*a{level - 1}'] * 10))}" for level in range(1, levels)]
    return "\n".join(lines)


def merged(level: int) -> str:
    """The same in a single mapping, which nobody could look at before it is merged."""
    inner = merged(level - 1) if level else "{a: 1}"
    return f"&m{level} {{<<: [{', '.join([inner, *[f'*m{level - 1}'] * 9])}]}}" if level else f"&m0 {inner}"


HOSTILE = {
    "a list of lists of columns": (SOUND + "columns: {numerical: [[age]]}", "columns.numerical.0: found ['age']"),
    "mappings as columns": (SOUND + "columns: {ignore: [{a: b}]}", "columns.ignore.0"),
    "a list as the id": (SOUND + "columns: {id: [a]}\ndrift: {critical: [x]}", "columns.id: found ['a']"),
    "lists as critical columns": (SOUND + "drift: {critical: [[a]]}", "drift.critical.0: found ['a']"),
    "a list as a method": (
        SOUND + "columns: {numerical: [a]}\ndrift: {columns: {a: {method: [x]}}}",
        "drift.columns.a.method: found ['x']",
    ),
    "a tag that does not fit": (SOUND + "x: !!int one", "bad.yaml:7: x: found 'one', which its tag does not allow"),
    "a moment that is none": (SOUND + "drift: {limit: !!timestamp noon}", "drift.limit: found 'noon'"),
    "an alias for itself": (SOUND + "x: &a [*a]", "more than 50 levels, or an alias for itself"),
    "a mapping in itself": (SOUND + "x: &a {b: *a}", "more than 50 levels, or an alias for itself"),
    "aliases of aliases": (SOUND + doubled(9, "[x, x]", "[{}]"), "more than 100,000 values, aliases counted"),
    "merges of merges": (SOUND + doubled(9, "{a: 1}", "{{<<: [{}]}}"), "more than 100,000 values, aliases counted"),
    "merges within merges": (SOUND + "x: " + merged(9), "more than 100,000 keys merged into one mapping"),
    "3,000 brackets": (SOUND + "x: " + "[" * 3000, "more than 50 levels"),
    "a file of 300,000 keys": (SOUND + "x:\n" * 150_000, "more than 100,000 values"),
    "a file of 2 MB": (SOUND + "# " + "x" * 2_000_000, "cannot be read: it is larger than 1.0 MB"),
    "a number of 6,000 digits": (SOUND + "x: " + "9" * 6000, "x: found a number of 6,000 characters"),
    "a number of 6,000 hex digits": (SOUND + "x: 0x" + "f" * 6000, "x: found a number of 6,002 characters"),
    "a character that there is not": (SOUND.replace("team@", r'"\U00110000'), "bad.yaml:2: file: found broken YAML"),
    "half a character": (SOUND.replace("team@example.com", r'"\uD800"'), "bad.yaml:2: file: found broken YAML"),
    "a key that is a list": (SOUND + "? [a, b]\n: c", "bad.yaml:7: file: found a key that is no text"),
    "a template that is not filled in": (SOUND + "columns: {id: {{id}}}", "columns.id: found a key that is no text"),
    "a suite of 300 letters": (SOUND.replace("suite: people", "suite: " + "s" * 300), "quality.suite: found 'sss"),
    "a NUL in a suite's name": (SOUND.replace("suite: people", r'suite: "a\0b"'), "quality.suite: found 'a"),
    "a format within a format": (SOUND.replace("{date}", "{date:{0}}"), "allowed: only the placeholder {date}"),
    "a conversion": (SOUND.replace("{date}", "{date!x}"), "allowed: only the placeholder {date}"),
    "a known conversion": (SOUND.replace("{date}", "{date!r}"), "allowed: only the placeholder {date}"),
    "a format of no date": (SOUND.replace("{date}", "{date:%Q}"), "allowed: only the placeholder {date}"),
    "a moment that never comes": (SOUND + 'schedule: "0 0 30 2 *"', "allowed: a moment that comes"),
    "a schedule by chance": (SOUND + 'schedule: "R R * * *"', "allowed: five cron fields"),
    "a step that is no step": (SOUND + 'schedule: "*/99 * * * *"', "allowed: five cron fields"),
    "a spell of the year 1": (
        SOUND + "expected: [{columns: [a], from: 0001-01-01, until: 0001-01-02, why: x}]",
        "expected.0.from: found '0001-01-01'; allowed: a date from 1970-01-01 to 2999-12-31",
    ),
}


@pytest.fixture
def beside(project: Project) -> Project:
    """A project with a sound monitor, and room for a wrong one."""
    project.write_suite()
    project.write_monitor()
    return project


@pytest.mark.parametrize("what", HOSTILE)
def test_a_wrong_monitor_file_is_told_with_its_line_and_hides_no_other(beside: Project, what: str) -> None:
    text, words = HOSTILE[what]
    beside.write_text("monitors/bad.yaml", text + "\n")
    found = monitors.load_all(beside.settings)
    assert [monitor.name for monitor in found.monitors] == ["people"]
    assert words in str(found.errors["bad.yaml"])
    with pytest.raises(ConfigError, match="bad"):
        monitors.load("bad", beside.settings)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def folder(path: Path) -> None:
    path.mkdir()


def loop(path: Path) -> None:
    path.symlink_to(path)


def latin(path: Path) -> None:
    path.write_bytes(SOUND.replace("team", "tëam").encode("latin-1"))


@pytest.mark.parametrize("made", [pipe, device, folder, loop, latin])
def test_what_is_no_file_of_text_is_told_and_not_waited_for(beside: Project, made: Callable[[Path], None]) -> None:
    made(beside.root / "monitors/bad.yaml")
    found = monitors.load_all(beside.settings)
    assert [monitor.name for monitor in found.monitors] == ["people"]
    assert "bad.yaml:1: file: cannot be read: " in str(found.errors["bad.yaml"])
    made(beside.root / ".env")
    assert main(["check", "--without-data"]) == ExitCode.USAGE


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "../people", "people/", "PEOPLE", ""])
def test_a_monitor_that_cannot_be_is_not_found(beside: Project, name: str) -> None:
    with pytest.raises(ConfigError, match="; allowed: people"):
        monitors.load(name, beside.settings)


def test_an_own_key_is_written_over_a_merged_one_as_yaml_says(beside: Project) -> None:
    text = (
        SOUND + "drift:\n  numerical: &same {method: psi, threshold: 0.2}\n  categorical: {<<: *same, threshold: 0.3}\n"
    )
    beside.write_text("monitors/bad.yaml", text)
    drift = monitors.load("bad", beside.settings).drift
    assert (drift.categorical.method, drift.categorical.threshold, drift.numerical.threshold) == ("psi", 0.3, 0.2)
    beside.write_text("monitors/bad.yaml", text.replace("threshold: 0.3", "threshold: 0.3, threshold: 0.4"))
    with pytest.raises(ConfigError, match="threshold: found a second time"):
        monitors.load("bad", beside.settings)


def test_a_fleet_with_a_wrong_file_is_published_whole(beside: Project) -> None:
    beside.write_text("monitors/bad.yaml", HOSTILE["aliases of aliases"][0])
    assert main(["site"]) == ExitCode.SOUND
    page = (beside.store / "index.html").read_text()
    assert "people" in page
    assert "aliases counted" in page


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "3000-01-01", "9999-12-31", "2026-02-30"])
def test_a_run_date_that_no_outlet_could_tell_is_refused(
    beside: Project, day: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "people", "--date", day])
    assert ended.value.code == ExitCode.USAGE
    assert f"found '{day}'; allowed: a date" in capsys.readouterr().err


@pytest.mark.parametrize(
    "address",
    [
        "a..b@example.com",
        "a@b.",
        "ü@b.c",
        "a:b@x",
        ".a@b.c",
        "a.@b.c",
        "a@",
        "a@-b.c",
        "a@b c",
        "a@b\n",
        "x" * 251 + "@b.c",
    ],
)
def test_a_mail_address_that_no_mail_can_go_to_is_found_by_check(
    beside: Project, address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    beside.write_monitor(notify={"email": [address]})
    monkeypatch.setenv("PIPELINE_MAIL_FROM", address)
    assert main(["check", "--without-data"]) == ExitCode.USAGE
    assert "PIPELINE_MAIL_FROM: allowed: one mail address" in capsys.readouterr().err
    monkeypatch.delenv("PIPELINE_MAIL_FROM")
    assert main(["check", "--without-data"]) == ExitCode.USAGE
    assert "notify.email.0: found" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["a@b", "o'neil+x=1@sub.example.com", "nightjar@localhost", "1@2.3"])
def test_a_mail_address_that_check_accepts_is_written_into_a_mail(beside: Project, address: str) -> None:
    from datetime import UTC, datetime

    from pipeline.publish.messages.mail import build_check

    beside.write_monitor(notify={"email": [address]})
    monitor = monitors.load("people", beside.settings)
    mail = build_check("people", monitor.notify.email, address, datetime(2026, 1, 14, tzinfo=UTC))
    assert [found.addr_spec for found in mail["To"].addresses] == [address]


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("PIPELINE_CHANNELS", "x"),
        ("PIPELINE_HOME", "/" + "x" * 5000),
        ("PIPELINE_MONITORS_DIR", "x" * 5000),
        ("PIPELINE_PUSHGATEWAY_URL", "http://["),
        ("PIPELINE_PUSHGATEWAY_URL", "http://host:99999"),
        ("PIPELINE_SMTP_URL", "smtp://"),
        ("PIPELINE_SMTP_URL", "smtp://host:port"),
        ("PIPELINE_STORE", "s3://"),
        ("PIPELINE_REPORT_BASE_URL", "http://a b/"),
        ("PIPELINE_DIGEST_SCHEDULE", "0 0 30 2 *"),
        ("PIPELINE_DIGEST_TO", "a@b.c, a..b@c.d"),
        ("PIPELINE_CACHE_MAX_BYTES", "9" * 5000),
        ("PIPELINE_EXPECTATIONS_DIR", "x" * 5000),
    ],
)
def test_a_variable_that_would_stop_every_night_is_found_by_check(
    beside: Project, variable: str, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, text)
    assert main(["check", "--without-data"]) == ExitCode.USAGE
    assert "error: " in capsys.readouterr().err
