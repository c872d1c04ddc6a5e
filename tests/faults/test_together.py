"""Everything at once, on a disk and on S3: nothing is lost, mixed or doubled, and nobody waits for ever.

A few monitors and rounds with all tests; `make together MONITORS=50 ROUNDS=40` for more.
"""

from __future__ import annotations

import os
import random
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipeline.storage.run_store import RunStore
from tests.faults.forks import Ended, Forks, Job, forking
from tests.faults.kills import files_of, leftovers, records_of
from tests.project import Project
from tests.retrain.world import World
from tests.servers.s3 import CREDENTIALS, S3
from tests.servers.smtp import Flavour, SmtpServer

pytestmark = pytest.mark.slow

MONITORS = int(os.environ.get("NIGHTJAR_TOGETHER", "0"))
ROUNDS = int(os.environ.get("NIGHTJAR_TOGETHER_ROUNDS", "2"))
SEED = int(os.environ.get("NIGHTJAR_TOGETHER_SEED", "1"))
LIMIT_SECONDS = 240.0 + 20 * MONITORS
RETRAINED = "2026-01-05"
ONE, THREE = ["2026-01-04"], ["2026-01-02", "2026-01-03", "2026-01-04"]
# What of a monitor runs at once, and the nights that are there afterwards.
KINDS: list[tuple[list[str], list[str]]] = [
    (["run {} --date 2026-01-04"] * 2, ONE),
    ([f"run {{}} --date {day}" for day in THREE], THREE),
    (["backfill {} --from 2026-01-02 --to 2026-01-03", "run {} --date 2026-01-04"], THREE),
    ([f"retrain {{}} --date {RETRAINED}", "run {} --date 2026-01-04"], ONE),
    (["run {} --date 2026-01-04"], ONE),
]
SOME = {"disk": (0, 1, 2, 3), "s3": (0, 3)}
# What is run beside nights, and the codes it may end with: whether there is a night or a champion depends on others.
BESIDE: dict[str, tuple[int, ...]] = {
    "run {} --date 2026-01-04": (0,),
    "run {} --date 2026-01-03": (0,),
    "backfill {} --from 2026-01-02 --to 2026-01-03": (0,),
    f"retrain {{}} --date {RETRAINED}": (0,),
    "site": (0,),
    "digest --date 2026-01-04": (0,),
    "prune {} --keep-nights 2": (0,),
    "prune --keep-nights 1": (0,),
    "check": (0,),
    "audit {}": (1,),
    "doctor": (0,),
    "suggest {}": (0,),
    "backtest {} --from 2026-01-02 --to 2026-01-04": (0, 2),
    "tune {} --from 2026-01-02 --to 2026-01-04": (0, 2),
    "report {} 2026-01-04": (0, 2),
    f"mute {{}} --until {date.today() + timedelta(10)} --why holidays": (0,),
    "unmute {}": (0,),
    "expect {} --from 2026-01-04 --until 2026-02-06 --columns age --why prices": (0,),
    "ack {} 2026-01-04": (0, 2),
    "notify --test {}": (0,),
    "rollback {}": (0, 2),
    "promote {} 1": (0,),
}
AT_ONCE = 8
_LITTLE = 60_000  # bytes, less than the snapshots of one monitor


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with forking({}) as found:
        yield found


def kinds_at(place: str) -> tuple[int, ...]:
    """Which kind each monitor is of."""
    return (*range(len(KINDS)), *[4] * (MONITORS - len(KINDS)))[:MONITORS] or SOME[place]


def write_monitors(project: Project, kinds: Sequence[int]) -> list[str]:
    """Monitors of the same data; their names."""
    world = World(project, trainer="tests.retrain.trainers:quick", notify={"email": ["team@example.com"]})
    world.write_nights(0.0, 0.0, 0.2, 1.0, 1.0)
    text = (project.root / "monitors" / "people.yaml").read_text()
    (project.root / "monitors" / "people.yaml").unlink()
    names = [f"people-{number}" for number in range(len(kinds))]
    for name in names:
        project.write_text(f"monitors/{name}.yaml", text.replace("name: people", f"name: {name}"))
    return names


@dataclass(frozen=True)
class Evening:
    """Where everything runs, and what is to be there afterwards."""

    forks: Forks
    environment: dict[str, str]
    project: Project
    s3: S3 | None
    mail: SmtpServer
    kinds: dict[str, int]  # by monitor

    @property
    def store(self) -> RunStore:
        return RunStore(self.environment["PIPELINE_STORE"])

    @property
    def nights(self) -> list[tuple[str, str]]:
        return [(name, day) for name, kind in self.kinds.items() for day in KINDS[kind][1]]

    @property
    def retrained(self) -> list[str]:
        return [name for name, kind in self.kinds.items() if "retrain" in str(KINDS[kind])]

    def run(self, *commands: str) -> list[Ended]:
        """Run these at once."""
        return self.forks.run(*(Job(shlex.split(command), self.environment) for command in commands))

    def contents(self) -> dict[str, bytes]:
        """Every file of the store."""
        if self.s3 is None:
            return files_of(self.project.store)
        return {key: self.s3.get(key) for key in self.s3.keys("store/") if not key.endswith(".lock")}


@pytest.fixture(params=["disk", "s3"])
def evening(
    request: pytest.FixtureRequest,
    project: Project,
    forks: Forks,
    smtp_server: Callable[[Flavour], SmtpServer],
    tmp_path: Path,
) -> Evening:
    s3: S3 | None = request.getfixturevalue("s3") if request.param == "s3" else None
    mail, temporary = smtp_server("plain"), tmp_path / "tmp"
    temporary.mkdir()
    environment = {
        **project.environment(),
        **({} if s3 is None else {**CREDENTIALS, "AWS_ENDPOINT_URL_S3": s3.url}),
        "PIPELINE_STORE": str(project.store) if s3 is None else s3.uri("store"),
        "PIPELINE_SMTP_URL": mail.url,
        "PIPELINE_DIGEST_TO": "team@example.com",
        "TMPDIR": str(temporary),
    }
    kinds = kinds_at(request.param)
    return Evening(forks, environment, project, s3, mail, dict(zip(write_monitors(project, kinds), kinds, strict=True)))


def test_what_runs_at_once_loses_mixes_and_doubles_nothing(evening: Evening) -> None:
    work = [command.format(name) for name, kind in evening.kinds.items() for command in KINDS[kind][0]]

    ended = evening.run(*work, "site")

    assert [one for one in ended if one.code or one.seconds > LIMIT_SECONDS] == []
    require_published(evening)
    require_recorded(evening)
    subjects = Counter(str(item.message["Subject"]) for item in evening.mail.mails)
    assert len(subjects) == len(evening.nights) + len(evening.retrained)
    assert set(subjects.values()) == {1}, subjects
    require_settled(evening)
    assert [name for name in evening.contents() if ".nights/" in name] == []


def require_settled(evening: Evening) -> None:
    """The pages are those of the results, and nobody left anything half done."""
    before = evening.contents()
    assert [one.code for one in evening.run("site")] == [0]
    after = evening.contents()
    assert [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)] == []
    assert list(leftovers(evening.project.root / "var")) == []


def require_published(evening: Evening) -> None:
    """Every night is there, and whole."""
    store = evening.store
    assert [(name, str(day)) for name in evening.kinds for day in store.nights(name)] == evening.nights
    found = {(name, day): store.read_night(name, date.fromisoformat(day)) for name, day in evening.nights}
    assert [night for night, files in found.items() if files is None] == []


def require_recorded(evening: Evening) -> None:
    """Every night and retraining has one run, and every retraining one version."""
    records = records_of(evening.project.root / "var" / "mlflow.db")
    tags = [line.split("\t") for line in records["mlflow tags"].decode().splitlines()]
    runs = Counter(value for _, key, value in tags if key in ("monitor_key", "retrain_key"))
    nights = [f"{name}/{day}" for name, day in evening.nights]
    assert runs == Counter([*nights, *(f"{name}/{RETRAINED}" for name in evening.retrained)])
    assert len(records["mlflow versions"].splitlines()) == len(evening.retrained)


def test_whatever_is_run_beside_nights_disturbs_none(evening: Evening) -> None:
    """In every other round the cache has room for nothing: what one needs, the others throw out."""
    names = list(evening.kinds)
    for command in ("backfill {} --from 2026-01-02 --to 2026-01-04", f"retrain {{}} --date {RETRAINED}"):
        assert [one.code for one in evening.run(*(command.format(name) for name in names))] == [0] * len(names)
    chance = random.Random(SEED)
    for turn in range(ROUNDS):
        evening.environment["PIPELINE_CACHE_MAX_BYTES"] = str(2**30 if turn % 2 else _LITTLE)
        commands = chance.choices(list(BESIDE), k=AT_ONCE)
        ended = evening.run(*(command.format(chance.choice(names)) for command in commands))
        found = zip(commands, ended, strict=True)
        assert [(command, one) for command, one in found if one.code not in BESIDE[command]] == [], (SEED, commands)
    require_settled(evening)
