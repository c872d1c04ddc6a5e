"""No measurement takes another down: an exception is thrown into every function that a night calls, one at a time.

A seeded sample of every room here; `make fuzz` throws into all of them.
"""

from __future__ import annotations

import os
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.errors import ExitCode
from tests.faults.seams import SAID, watched
from tests.fuzz.examples import VARIABLE
from tests.project import Project

DAY = "2026-01-14"
NIGHT = ["run", "people", "--date", DAY]
MEASURED = ("quality.json", "drift.json", "performance.json")
RESULTS = (*MEASURED, "profile.json", "decision.json", "snapshots.json")
ALL = VARIABLE in os.environ
SAMPLE = 2
OUTERMOST = ("cli/__init__.py:main", "steps/contain.py:foreseen")
# Which measurement a fault may cost: that of its room; one of all, where they share the room.
BREAKS = {
    "checks/quality": {"quality.json"},
    "checks/drift": {"drift.json", "profile.json"},
    "checks/alarms": {"drift.json", "profile.json"},
    "checks/profile": {"drift.json", "profile.json"},
    "steps/past_nights": {"drift.json", "profile.json"},
    "checks/performance": {"performance.json"},
    "labels": {"performance.json"},
    "metrics": {"performance.json"},
    "steps/performing": {"performance.json"},
    "steps/labelled_nights": {"performance.json"},
    "checks/scan": {*MEASURED, "profile.json"},
    "publish": set(),
}

pytestmark = pytest.mark.slow


@dataclass
class Ground:
    """A project whose night drifted, what an undisturbed run publishes, and every function that it calls."""

    project: Project
    undisturbed: dict[str, bytes]
    seams: list[str]

    @property
    def folder(self) -> Path:
        return self.project.store / "people" / DAY

    def published(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()} if self.folder.is_dir() else {}

    def forget(self) -> None:
        for name in ("store", "cache"):  # MLflow's database stays, as this process has it open
            shutil.rmtree(self.project.root / "var" / name, ignore_errors=True)


@pytest.fixture
def ground(project: Project) -> Ground:
    project.write_labels()
    project.complete(drifted=True, notify={"email": ["team@example.com"]}, drift={"alarms": {"per_nights": 20}})
    assert main(NIGHT) == 0  # what is called once in a process is called here
    found = Ground(project, {}, [])
    found.forget()
    with watched() as watch:
        assert main(NIGHT) == 0
    found.forget()
    with watched() as again:
        assert main(NIGHT) == 0
    found.seams = [seam for seam in watch.seen if seam in again.seen and seam not in OUTERMOST]
    found.undisturbed = found.published()
    return found


def room_of(seam: str) -> str | None:
    return next((room for room in BREAKS if seam.startswith(room)), None)


def sample(seams: list[str]) -> list[str]:
    """Some functions of every room."""
    chosen = random.Random(7)
    rooms: dict[str, list[str]] = {}
    for seam in seams:
        rooms.setdefault(room_of(seam) or "others", []).append(seam)
    return [seam for found in rooms.values() for seam in chosen.sample(found, min(SAMPLE, len(found)))]


def problems(ground: Ground, seam: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What of a night did not end as it should when this function raised."""
    ground.forget()
    capsys.readouterr()
    with watched(seam) as watch:
        code = main(NIGHT)
    assert watch.thrown, seam
    said, published = "".join(capsys.readouterr()), ground.published()
    found = [] if code in set(ExitCode) else [f"exit code {code}"]
    found += ["a traceback in front of people"] if "Traceback" in said else []
    places = {"what was said": said.encode()} | published
    found += [f"{name} quotes what the error said" for name, text in places.items() if SAID.encode() in text]
    room = room_of(seam)
    if room is not None:
        differing = {name for name in RESULTS if published.get(name) != ground.undisturbed[name]}
        allowed = BREAKS[room] | ({"decision.json"} if BREAKS[room] else set())
        measured = differing & set(MEASURED)
        if not {"index.html", "night.json", *RESULTS} <= published.keys():
            found.append("nothing published")
        elif differing - allowed or len(measured) > 1:
            found.append(f"{sorted(differing)} differ")
    found += [f"a rerun {words}" for words in rerun(ground)]
    return found


def rerun(ground: Ground) -> list[str]:
    code, published = main(NIGHT), ground.published()
    files = (*RESULTS, "drift_report.html", "gauges.prom", "history.json")
    differing = [name for name in files if published.get(name) != ground.undisturbed[name]]
    return ([f"ends with {code}"] if code else []) + ([f"differs in {differing}"] if differing else [])


def test_an_exception_in_any_function_of_a_night_takes_no_other_measurement_down(
    ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = ground.seams if ALL else sample(ground.seams)
    assert len(ground.seams) > 400
    wrong = {seam: found for seam in chosen if (found := problems(ground, seam, capsys))}
    assert not wrong, "\n".join(f"{seam}: {found}" for seam, found in wrong.items())
