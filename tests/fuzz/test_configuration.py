"""Made-up monitor files and variables: a monitor, or mistakes that are named; never an error that nobody foresaw.

Seeds as in `test_suites`: a few with all tests, `make fuzz` for many.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import pytest
import yaml

from pipeline.cli import main
from pipeline.config import Settings, load_settings, resolve_location
from pipeline.config import monitor_files as monitors
from pipeline.errors import ConfigError, ExitCode
from tests.fuzz.test_suites import EXAMPLES, FIRST, SECONDS, seeds
from tests.project import Project

pytestmark = pytest.mark.fuzz
HANGS_SECONDS = 120
CASES = EXAMPLES if EXAMPLES > 5 else 60  # a millisecond each, unlike suites
TEXT = (Path(__file__).parents[2] / "monitors/churn.yaml").read_text(encoding="utf-8")
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 10**30, 1e308, float("nan"), float("inf"), "", " ", "\0", "\ud800", "a" * 5_000, "é", "{date}",
    "{date:%Q}", "{{", "s3://", "s3://b/k", "/dev/zero", "../x", "*", "champion", "2026-02-30", "0 0 30 2 *",
    "R * * * *", "a..b@c.d", [], {}, [[]], [{}], {"": ""}, {"a": {"b": {"c": []}}}, ["age", "age"], "auto", "10m",
    b"bytes",
)  # fmt: skip
SNIPPETS = (
    "&a ", "*a", "<<: *a", "!!int ", "!!python/object:os.system ", "!!binary ", "? ", "- ", ": ", "[", "]", "{", "}",
    "|", ">", "'", '"', "\\", "\t", "\n", "---\n", "...\n", "%YAML 9.9\n", "\x00", "\x85", "\u2028", "\ufeff",
    "\U0001f600", "#", "@", "`", "0x" + "f" * 200, "9" * 5_000,
    "12:30:45", "2026-13-45", "~", "=", "{" * 60, "[" * 60, "a: &a [*a, *a]\n",
)  # fmt: skip
VARIABLES = (
    *(f"PIPELINE_{name.upper()}" for name in Settings.model_fields),
    "PIPELINE_CHANNEL_X",
    "PIPELINE_",
    "PIPELINE_X",
)


@contextmanager
def no_hang(case: str) -> Iterator[None]:
    """What does not come to an end is told with its case."""

    def raised(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"{case} does not come to an end")

    before = signal.signal(signal.SIGALRM, raised)
    signal.alarm(HANGS_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def cases() -> Iterator[int]:
    return seeds() if SECONDS else iter(range(FIRST, FIRST + CASES))


def spots(found: Any) -> list[tuple[Any, Any]]:
    """Every place in plain data: what it is in, and under which key."""
    pairs = list(found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ())
    return [(found, key) for key, _ in pairs] + [spot for _, item in pairs for spot in spots(item)]


def wrong_values(chance: Random) -> str:
    """A sound file with other values, and other keys, in some places."""
    data = yaml.safe_load(TEXT)
    for _ in range(chance.randint(1, 3)):
        places = spots(data)
        inside, key = chance.choice(places)
        if isinstance(inside, dict) and chance.random() < 0.2:
            inside[str(chance.choice(VALUES))] = inside.pop(key)
        else:
            inside[key] = chance.choice(VALUES)
    return str(yaml.dump(data, allow_unicode=True)) if chance.random() < 0.7 else json.dumps(data, default=str)


def wrong_text(chance: Random) -> str:
    """The text of a sound file, cut, doubled and with snippets in it."""
    text = TEXT
    for _ in range(chance.randint(1, 4)):
        first, last = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        last = min(last, first + chance.choice((0, 1, 5, 200)))
        text = text[:first] + chance.choice((chance.choice(SNIPPETS), text[first:last] * 2, "")) + text[last:]
    return text


def problems_of(path: Path, settings: Settings) -> list[str]:
    """What is wrong with how a file was taken."""
    found = monitors.load_all(settings)
    if "people" not in [monitor.name for monitor in found.monitors]:
        return ["the sound monitor is gone"]
    error = found.errors.get(path.name)
    if error is None:
        (monitor,) = [item for item in found.monitors if item.name == "churn"]
        locations = (monitor.snapshots.base, monitor.snapshots.production, monitor.snapshots.labels)
        days = date(1970, 1, 1), date(2999, 12, 31)
        return (
            [] if all(resolve_location(item, day, path) for item in locations if item for day in days) else ["nowhere"]
        )
    if not error.problems:
        return ["a mistake without a word"]
    told = [problem for problem in error.problems if not problem.startswith(f"{path}:")]
    unforeseen = [problem for problem in error.problems if " in config/" in problem]
    return [*told, *unforeseen]


def test_a_made_up_monitor_file_is_a_monitor_or_its_mistakes_are_named(project: Project) -> None:
    project.write_suite()
    project.write_suite("churn")
    project.write_monitor()
    path, wrong = project.root / "monitors/churn.yaml", []
    for seed in cases():
        chance = Random(seed)
        text = chance.choice((wrong_values, wrong_text))(chance)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        with no_hang(f"seed {seed}"):
            wrong += [(seed, problem) for problem in problems_of(path, project.settings)]
    assert wrong == []


def test_made_up_variables_are_settings_or_their_mistakes_are_named(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write_suite()
    project.write_monitor()
    texts = [str(item).replace("\0", "") for item in (*VALUES, *SNIPPETS) if item != "\ud800"]
    for seed in cases():
        chance = Random(seed)
        with monkeypatch.context() as patched, no_hang(f"seed {seed}"):
            names = chance.sample(VARIABLES, chance.randint(1, 3))
            for name in names:
                patched.setenv(name, chance.choice(texts))
            try:
                load_settings(os.environ)
            except ConfigError as error:
                assert error.problems, seed
            assert main(["check", "--without-data"]) in (ExitCode.SOUND, ExitCode.USAGE), (seed, names)
            assert "Traceback" not in "".join(capsys.readouterr()), seed
