"""Everything at once, on a disk and on S3: nothing is lost, mixed or doubled, and nobody waits for ever.

A few monitors with all tests; `make together MONITORS=50` for more.
"""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest

from pipeline.storage.run_store import RunStore
from tests.faults.forks import Forks, Job, forking
from tests.faults.kills import files_of, leftovers, records_of
from tests.project import Project
from tests.retrain.world import World
from tests.servers.s3 import CREDENTIALS, S3
from tests.servers.smtp import SmtpServer

pytestmark = pytest.mark.slow

MONITORS = int(os.environ.get("NIGHTJAR_TOGETHER", "0"))
LIMIT_SECONDS = 240.0 + 20 * MONITORS
ONE, THREE = ["2026-01-04"], ["2026-01-02", "2026-01-03", "2026-01-04"]
# What of a monitor runs at once, and the nights that are there afterwards.
KINDS: list[tuple[list[str], list[str]]] = [
    (["run {} --date 2026-01-04"] * 2, ONE),
    ([f"run {{}} --date {day}" for day in THREE], THREE),
    (["backfill {} --from 2026-01-02 --to 2026-01-03", "run {} --date 2026-01-04"], THREE),
    (["retrain {} --date 2026-01-05", "run {} --date 2026-01-04"], ONE),
    (["run {} --date 2026-01-04"], ONE),
]
SOME = {"disk": (0, 1, 2, 3, 4, 4), "s3": (0, 3)}


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


@pytest.mark.parametrize("place", ["disk", "s3"])
def test_what_runs_at_once_loses_mixes_and_doubles_nothing(
    place: str, project: Project, forks: Forks, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    kinds = kinds_at(place)
    watched = write_monitors(project, kinds)
    smtp_server = request.getfixturevalue("smtp_server")
    mail: SmtpServer = smtp_server("plain")
    (tmp_path / "tmp").mkdir()
    environment = {**project.environment(), "PIPELINE_SMTP_URL": mail.url, "TMPDIR": str(tmp_path / "tmp")}
    s3: S3 | None = request.getfixturevalue("s3") if place == "s3" else None
    uri = str(project.store) if s3 is None else s3.uri("store")
    if s3 is not None:
        environment |= {**CREDENTIALS, "AWS_ENDPOINT_URL_S3": s3.url, "PIPELINE_STORE": uri}
    work = [(name, command) for name, kind in zip(watched, kinds, strict=True) for command in KINDS[kind][0]]
    jobs = [Job(shlex.split(command.format(name)), environment) for name, command in work]

    ended = forks.run(*jobs, Job(["site"], environment))

    assert [one for one in ended if one.code or one.seconds > LIMIT_SECONDS] == []
    nights = [(name, day) for name, kind in zip(watched, kinds, strict=True) for day in KINDS[kind][1]]
    retrained = [name for name, kind in zip(watched, kinds, strict=True) if "retrain" in str(KINDS[kind])]
    store = RunStore(uri)
    assert [(name, str(day)) for name in watched for day in store.nights(name)] == nights
    assert [name for name, day in nights if store.read_night(name, date.fromisoformat(day)) is None] == []
    records = records_of(project.root / "var" / "mlflow.db")
    tags = [line.split("\t") for line in records["mlflow tags"].decode().splitlines()]
    runs = Counter(value for _, key, value in tags if key in ("monitor_key", "retrain_key"))
    assert runs == Counter([f"{name}/{day}" for name, day in nights] + [f"{name}/2026-01-05" for name in retrained])
    assert len(records["mlflow versions"].splitlines()) == len(retrained)
    subjects = Counter(str(item.message["Subject"]) for item in mail.mails)
    assert len(mail.mails) == len(nights) + len(retrained), subjects
    assert set(subjects.values()) == {1}
    before = contents(project, s3)
    assert forks.run(Job(["site"], environment))[0].code == 0
    after = contents(project, s3)
    assert [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)] == []
    assert list(leftovers(project.root / "var")) == []
    assert [name for name in after if ".nights/" in name] == []


def contents(project: Project, s3: S3 | None) -> dict[str, bytes]:
    """Every file of the store."""
    if s3 is None:
        return files_of(project.store)
    return {key: s3.get(key) for key in s3.keys("store/") if not key.endswith(".lock")}
