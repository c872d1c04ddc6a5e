"""A command that is killed, anywhere, and run again, comes to what an undisturbed one comes to.

A few seeded kills of each with all tests; `make kills KILLS=500` for more.
"""

from __future__ import annotations

import os
import random
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from email.message import EmailMessage
from itertools import takewhile
from typing import Any

import pytest

from tests.faults.forks import Ended, Forks, Job, forking
from tests.faults.kills import SCENARIOS, Scenario, State, plain
from tests.faults.places import After, OnDisk, OnServers, Place
from tests.project import Project
from tests.retrain.world import COLUMNS, World
from tests.servers.mlflow import run_mlflow
from tests.servers.s3 import empty_bucket
from tests.servers.smtp import Certificates, SmtpServer, run_smtp
from tests.servers.webhook import Webhook, run_webhook

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("NIGHTJAR_KILLS", "0"))
FIRST = int(os.environ.get("NIGHTJAR_KILLS_FROM", "0"))
_MOMENTS, _TWICE = 0.35, 0.2  # how many kills are at a moment, and how many are followed by a second one
SHORT_SIGHTED: dict[str, Any] = {
    "performance": {"window_days": 1, "trend_nights": 0},
    "retrain": {"window_days": 1, "cooldown_days": 0, "probation_days": 0},
    "quality": {"suite": "people", "checks": {"row_history": None}},
}
"""A monitor whose nights look back no further than a day, so that there is something to prune."""
LEASE_SECONDS = 3.0  # in place of 45, which a rerun may have to wait for
NIGHTS = (0.0, 0.0, 0.0, 0.2, 1.0, 1.0)


@dataclass(frozen=True)
class Told:
    """What the world outside was told, without what differs by nature."""

    mails: dict[str, str]  # texts by Message-ID
    hooks: set[str]
    gauges: dict[str, str]
    doubled: int

    def differing(self, other: Told) -> list[str]:
        """Which of them were told something else."""
        pairs = {
            "people": (sorted(self.mails.values()), sorted(other.mails.values())),
            "serving": (self.hooks, other.hooks),
            "the gateway": (self.gauges, other.gauges),
        }
        return [f"{who} heard {two} instead of {one}" for who, (one, two) in pairs.items() if one != two]


@dataclass
class Ground:
    """Where commands write, the servers that they talk to, and the variables that say so."""

    place: Place
    environment: dict[str, str]
    forks: Forks
    mail: SmtpServer
    web: Webhook

    def run(self, command: str, kill_at: int | None = None, kill_after: float | None = None) -> Ended:
        words = shlex.split(command)
        variables = dict(word.split("=", 1) for word in takewhile(lambda word: "=" in word, words))
        environment = {**self.environment, **self.place.environment, **variables}
        return self.forks.run(Job(words[len(variables) :], environment, kill_at, kill_after, LEASE_SECONDS))[0]

    def begin(self, after: After) -> None:
        """Put the project in the state after some commands."""
        if after not in self.place.kept:
            self.begin(after[:-1])
            ended = self.run(after[-1])
            assert ended.code == 0, f"{after[-1]}: {ended}"
            self.place.keep(after)
        self.place.put_back(after)
        self.mail.mails.clear()
        self.web.requests.clear()

    def told(self) -> Told:
        requests = [(item.method, item.path, plain(item.body.decode())) for item in self.web.requests]
        hooks = [body for _, path, body in requests if path == "/promoted"]
        mails = {str(item.message["Message-ID"]): text_of(item.message) for item in self.mail.mails}
        return Told(
            mails=mails,
            hooks=set(hooks),
            gauges={f"{method} {path}": body for method, path, body in requests if path != "/promoted"},
            doubled=len(self.mail.mails) - len(mails) + len(hooks) - len(set(hooks)),
        )


def text_of(mail: EmailMessage) -> str:
    """Its subject and its text, without what differs by nature."""
    body = mail.get_body(("plain",))
    assert body is not None
    return plain(f"{mail['Subject']}\n{body.get_content()}")


@pytest.fixture(scope="module")
def on_disk(tmp_path_factory: pytest.TempPathFactory, _certificates: Certificates) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("kills")
    project = Project(folder / "home")
    with ExitStack() as running:
        mail = running.enter_context(run_smtp("plain", _certificates))
        web = running.enter_context(run_webhook())
        World(
            project,
            trainer="tests.retrain.trainers:quick",
            mode="propose",
            notify={"email": ["team@example.com"]},
            after_promotion={"webhook": "PROMOTED_URL"},
        ).write_nights(*NIGHTS)
        project.write_monitor("old", columns=COLUMNS, **SHORT_SIGHTED)
        place = OnDisk(project.root / "var", folder / "templates")
        (place.folder / "tmp").mkdir(parents=True)
        place.keep(())
        environment = {
            **project.environment(),
            "PIPELINE_SMTP_URL": mail.url,
            "PIPELINE_PUSHGATEWAY_URL": web.url,
            "PIPELINE_DIGEST_TO": "lead@example.com",
            "PROMOTED_URL": f"{web.url}/promoted",
            "TMPDIR": str(place.folder / "tmp"),
        }
        yield Ground(place, environment, running.enter_context(forking({})), mail, web)


@pytest.fixture(scope="module")
def on_servers(on_disk: Ground, _s3_process: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """The same project, with its store and its MLflow elsewhere."""
    assert isinstance(on_disk.place, OnDisk)
    on_disk.place.put_back(())
    mlflow = tmp_path_factory.mktemp("mlflow")
    local = OnDisk(on_disk.place.folder, tmp_path_factory.mktemp("templates"))
    with run_mlflow(mlflow) as url:
        place = OnServers(local, empty_bucket(_s3_process), url, mlflow)
        place.keep(())
        yield replace(on_disk, place=place)


@dataclass
class Whole:
    """What an undisturbed command comes to."""

    ended: Ended
    state: State
    told: Told


def undisturbed(ground: Ground, scenario: Scenario) -> Whole:
    ground.begin(scenario.after)
    return Whole(ground.run(scenario.command), ground.place.state(), ground.told())


@dataclass
class Outcome:
    """What is not as after an undisturbed command, how often it was killed, and what was told twice."""

    wrong: list[str]
    kills: int
    doubled: int


def killed(ground: Ground, scenario: Scenario, whole: Whole, seed: int) -> Outcome:
    """A command is killed, sometimes twice, and run again."""
    chosen = random.Random(f"{scenario.name} {seed}")
    ground.begin(scenario.after)
    kills, ended = 0, whole.ended
    for _ in range(1 + (chosen.random() < _TWICE)):
        at, after = chosen.randint(1, whole.ended.operations), chosen.uniform(0, whole.ended.seconds)
        how = (None, after) if chosen.random() < _MOMENTS else (at, None)
        ended = ground.run(scenario.command, *how)
        kills += ended.killed
    again = ground.run(scenario.command)
    state, told = ground.place.state(), ground.told()
    found = [] if again.code == whole.ended.code else [f"ends with {again.code}: {again.said}"]
    found += whole.state.differing(state)
    found += [f"left over: {name}" for name in state.leftovers if name not in whole.state.leftovers]
    found += whole.told.differing(told)
    found += [f"told {told.doubled} times too often"] if told.doubled > kills else []
    where = f"{scenario.name}, seed {seed}, killed at operation {ended.operations} or after {ended.seconds:.2f} s"
    sys.stdout.write(f"{where}: {kills} kills, {told.doubled} told twice, {'; '.join(found) or 'right'}\n")
    return Outcome([f"{where}: {words}" for words in found], kills, told.doubled)


def kills_of(scenario: Scenario) -> int:
    if not KILLS:
        return 1
    return max(1, round(KILLS * scenario.share / sum(item.share for item in SCENARIOS)))


@pytest.mark.parametrize("scenario", [item for item in SCENARIOS if item.short or KILLS], ids=lambda item: item.name)
def test_a_command_that_was_killed_comes_to_the_same_when_it_is_run_again(
    request: pytest.FixtureRequest, scenario: Scenario
) -> None:
    ground: Ground = request.getfixturevalue("on_servers" if scenario.servers else "on_disk")
    whole = undisturbed(ground, scenario)
    assert whole.ended.code == 0, whole.ended
    seeds = range(FIRST, FIRST + kills_of(scenario))
    outcomes = [killed(ground, scenario, whole, seed) for seed in seeds]
    kills, doubled = (sum(getattr(one, name) for one in outcomes) for name in ("kills", "doubled"))
    wrong = [words for one in outcomes for words in one.wrong]
    sys.stdout.write(f"{scenario.name}: {kills} kills, {doubled} things told twice, {len(wrong)} wrong\n")
    assert not wrong, "\n".join(wrong)
