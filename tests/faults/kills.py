"""Commands to be killed, the state that each starts from, and what two states are compared by."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pipeline.retrain.model.model_files import digest, listing
from pipeline.steps.expecting import change_of
from pipeline.steps.notes import name_of

# What differs between two undisturbed runs: ids that MLflow gives, and when something was told or written.
_BY_NATURE = (
    (re.compile(rb"\b[0-9a-f]{32}\b"), b"<id>"),
    (re.compile(rb"20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z| UTC|\+00:00)?"), b"<moment>"),
    (re.compile(rb"\b\w{3}, \d\d \w{3} 20\d\d \d\d:\d\d:\d\d [+-]0000"), b"<moment>"),
    (re.compile(rb"\b1\.\d+e\+09\b"), b"<moment>"),
    (re.compile(rb"(?m)^.*model_monitor_step_duration_seconds.*\n"), b""),  # of steps whose time is known
)
_LEFT = re.compile(
    r"(.+/)?(\..+~[0-9a-f]{8}-\d+-[^/]+"  # a file on its way
    r"|[^/]+\.link"  # a night that nobody can see yet
    r"|partial/[^/]+(?<!\.lock)"  # an object that was not fetched whole
    r"|work/[^/.][^/]*)"  # work that is thrown away
    r"|tmp/(?!nightjar-work-)[^/]+"
)
_VERSIONS_KEPT = 2  # the published one, and the one before it, in which a reader may be
_ENDS_SECONDS = 10.0


@dataclass(frozen=True)
class Scenario:
    """A command that is killed.

    Attributes:
        name: of the scenario, as `make kills` counts it.
        command: what is killed; variables may stand in front of it, as in a shell.
        after: commands that run before it, undisturbed.
        share: of the kills, beside those of the others.
        servers: it runs with its store on S3 and its MLflow on a server.
        short: one kill of it is part of all tests.
    """

    name: str
    command: str
    after: tuple[str, ...] = ()
    share: float = 1.0
    servers: bool = False
    short: bool = True


_EARLIER = ("backfill people --from 2026-01-01 --to 2026-01-03", "run people --date 2026-01-05")
_TWO_MODELS = ("retrain people --date 2026-01-03", "promote people 1", "retrain people --date 2026-01-05")
_DRIFTED = "2026-01-05"
_EXPECTS = [
    f"expect people --from 2026-02-01 --until 2026-02-05 --columns {name} --why moved" for name in ("age", "city")
]
_NOTED = name_of(change_of(["age"], date(2026, 2, 1), date(2026, 2, 5), "moved", None))
_SITE = "PIPELINE_REPORT_BASE_URL=https://reports.example.com site"
SCENARIOS = (
    Scenario("first run", "run people --date 2026-01-04", share=1.5),
    Scenario("run", "run people --date 2026-01-04", _EARLIER, 1.5),
    Scenario("backfill", "backfill people --from 2026-01-04 --to 2026-01-05", _EARLIER),
    Scenario("retrain", "retrain people --date 2026-01-05", _EARLIER),
    Scenario("promote", "promote people 2", (*_EARLIER, *_TWO_MODELS)),
    Scenario("rollback", "rollback people --from 2", (*_EARLIER, *_TWO_MODELS, "promote people 2")),
    Scenario("site", _SITE, _EARLIER, 0.75),
    Scenario("prune", "prune old --keep-nights 2", ("backfill old --from 2026-01-01 --to 2026-01-05",), 0.5),
    Scenario("digest", "digest --date 2026-01-05", _EARLIER, 0.5),
    Scenario("ack", f"ack people {_DRIFTED}", _EARLIER, 0.25),
    Scenario("expect", _EXPECTS[0], _EARLIER, 0.25),
    Scenario("withdraw", f"expect people --withdraw {_NOTED}", (*_EARLIER, *_EXPECTS), 0.25),
    Scenario("mute", "mute people --from 2026-01-05 --until 2026-01-20 --why holidays", _EARLIER, 0.25),
    Scenario(
        "unmute",
        "unmute people --from 2026-01-05",
        (*_EARLIER, "mute people --from 2026-01-03 --until 2026-01-20 --why holidays"),
        0.25,
    ),
    Scenario("first run on servers", "run people --date 2026-01-04", servers=True),
    Scenario("first promotion on servers", "promote people 1", _TWO_MODELS[:1], 0.5, servers=True),
    Scenario("run on servers", "run people --date 2026-01-04", _EARLIER, servers=True, short=False),
    Scenario("retrain on servers", "retrain people --date 2026-01-05", _EARLIER, servers=True, short=False),
    Scenario("promote on servers", "promote people 2", (*_EARLIER, *_TWO_MODELS), servers=True, short=False),
    Scenario(
        "rollback on servers",
        "rollback people --from 2",
        (*_EARLIER, *_TWO_MODELS, "promote people 2"),
        servers=True,
        short=False,
    ),
    Scenario("site on servers", _SITE, _EARLIER, 0.75, servers=True, short=False),
)


@dataclass
class State:
    """What a command left: files of the store and records of MLflow, without what differs by nature."""

    kept: dict[str, bytes]
    leftovers: list[str] = field(default_factory=list)

    def differing(self, other: State) -> list[str]:
        """What is in one of them only or another one there, with the first line that is another one."""
        names = sorted(self.kept.keys() | other.kept.keys())
        return [
            f"{name}: {_first_difference(self.kept.get(name), other.kept.get(name))}"
            for name in names
            if self.kept.get(name) != other.kept.get(name)
        ]


def _first_difference(one: bytes | None, two: bytes | None) -> str:
    if one is None or two is None:
        return "is not there" if one is None else "is new"
    lines = zip(one.splitlines(), two.splitlines(), strict=False)
    before, after = next(((a, b) for a, b in lines if a != b), (one[-80:], two[-80:]))
    return f"{before[:200].decode(errors='replace')} | {after[:200].decode(errors='replace')}"


def state_from(files: dict[str, bytes], database: Path, artifacts: Path, left: Iterable[str]) -> State:
    """The state of a store's files, an MLflow's database and artifacts, and what was left over."""
    kept = {**files, **records_of(database)}
    for sha256 in _models(artifacts):  # of a file that says when it was written; that it is right does not differ
        kept = {name: content.replace(sha256.encode(), b"<right>") for name, content in kept.items()}
    return State(kept, sorted(map(plain, left)))


def _models(artifacts: Path) -> set[str]:
    """The digests of models that lie in MLflow, and of their files."""
    found = [listing(folder) for folder in artifacts.rglob("artifacts/model")]
    return {digest(files) for files in found} | {sha256 for files in found for sha256 in files.values()}


def files_of(store: Path) -> dict[str, bytes]:
    """Every file of the run store by its path, nights as they are published."""
    found = {}
    for path in store.rglob("*"):
        relative = path.relative_to(store)
        if path.is_file() and ".nights" not in relative.parts and not path.name.endswith(".lock"):
            found[str(relative)] = path.read_bytes()
    for link in store.glob("*/**/20*"):
        if link.is_symlink():
            found |= {f"{link.relative_to(store)}/{item.name}": item.read_bytes() for item in link.iterdir()}
    return found


def plain_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Files of a store by their paths, names and contents without what differs by nature."""
    found: dict[str, bytes] = {}
    for name, content in files.items():
        if name.rpartition("/")[2].startswith("time-"):  # how long a step took
            continue
        words = _plain(content)
        # Digests of files that name a moment differ by nature; that they are right does not.
        if name.endswith("/night.json"):
            for sibling in files:
                if sibling.rpartition("/")[0] == name.rpartition("/")[0]:
                    words = words.replace(hashlib.sha256(files[sibling]).hexdigest().encode(), b"<right>")
        found[_free(plain(name), found)] = words
    return found


def _free(name: str, taken: Collection[str]) -> str:
    """A name, told apart from those of the same words without what differs by nature."""
    while name in taken:
        name += ", another"
    return name


def plain(text: str) -> str:
    """A text without what differs by nature."""
    return _plain(text.encode()).decode()


def _plain(content: bytes) -> bytes:
    for pattern, words in _BY_NATURE:
        content = pattern.sub(words, content)
    return content


_QUERIES = {
    "runs": "select e.name, r.name, r.status from runs r join experiments e using (experiment_id) "
    "where r.lifecycle_stage = 'active'",
    "tags": "select r.name, t.key, t.value from tags t join runs r using (run_uuid) where r.lifecycle_stage = 'active'",
    "params": "select r.name, p.key, p.value from params p join runs r using (run_uuid) "
    "where r.lifecycle_stage = 'active'",
    "metrics": "select r.name, m.key, m.value, m.step from metrics m join runs r using (run_uuid) "
    "where r.lifecycle_stage = 'active'",
    "versions": "select name, version, current_stage, status from model_versions",
    "version tags": "select name, version, key, value from model_version_tags",
    "models": "select count(*), status from logged_models where lifecycle_stage = 'active' group by status",
    "aliases": "select name, alias, version from registered_model_aliases",
}


def records_of(database: Path) -> dict[str, bytes]:
    """Runs that nobody deleted, versions and aliases."""
    with closing(sqlite3.connect(database)) as open_database:
        if not open_database.execute("select 1 from sqlite_master where name = 'model_version_tags'").fetchone():
            return {}
        found = {name: open_database.execute(query).fetchall() for name, query in _QUERIES.items()}
    return {
        f"mlflow {name}": b"\n".join(sorted(_plain("\t".join(map(str, row)).encode()) for row in rows))
        for name, rows in found.items()
    }


def leftovers(place: Path) -> Iterator[str]:
    """Files on their way, folders of work, versions of nights that nobody needs, and processes that still work."""
    for path in place.rglob("*"):
        name = str(path.relative_to(place))
        if _LEFT.fullmatch(name) and not _is_a_try_of_python(path):
            yield name
        elif path.parent.name == ".nights" and path.is_dir() and len(list(path.iterdir())) > _VERSIONS_KEPT:
            yield f"{name}: {len(list(path.iterdir()))} versions"
    deadline = time.monotonic() + _ENDS_SECONDS
    while (at_work := list(_at_work(place))) and time.monotonic() < deadline:
        time.sleep(0.05)
    yield from at_work


def _is_a_try_of_python(path: Path) -> bool:
    """Whether Python's `tempfile` has tried there, in a process that was killed then, whether it can write."""
    named = re.fullmatch(r"[a-z0-9_]{8}", path.name) is not None
    return named and path.is_file() and path.read_bytes() in (b"", b"blat")


def _at_work(place: Path) -> Iterator[str]:
    """Workers that outlived who started them."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if any(part.startswith(f"{place}/") for part in command):
                yield " ".join(command)
