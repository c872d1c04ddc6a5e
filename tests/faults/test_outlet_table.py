"""What each fault of each outlet comes to: others are served, exit 5 names it, the page says what is missing, and the
next attempt delivers that without measuring, and nothing twice. Real servers, behind a proxy that fails.

A night is measured once, while nothing answers; its data is gone then, so whatever measures again fails.
"""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import shutil
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trustme
from tenacity import wait_none

from pipeline.cli import main
from pipeline.storage.mlflow_client import open_store
from tests.faults.forks import changes_something
from tests.project import Project
from tests.servers.faulty import Faulty, http, run_faulty
from tests.servers.processes import LOOPBACK
from tests.servers.pushgateway import Pushgateway
from tests.servers.s3 import S3, run_flaky
from tests.servers.smtp import Certificates, SmtpServer, run_smtp
from tests.servers.webhook import Webhook, run_webhook

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

DAY, NAME = "2026-01-14", "outlets"
RUN = ["run", NAME, "--date", DAY]
DELIVER = [*RUN, "--deliver"]
MLFLOW, GATEWAY, MAIL, CHAT, LINEAGE = "MLflow", "Pushgateway", "mail", "team", "OpenLineage"
TOLD = {
    MLFLOW: "MLflow at http",
    GATEWAY: "the Pushgateway at http",
    MAIL: "the mail server at smtp",
    CHAT: "the channel team",
    LINEAGE: "the lineage server at http",
}
NOTIFY = {"email": ["team@example.com"], "channels": [CHAT]}
FAULTS = ("refuses", "hangs", "fails", "drips", "cuts", "denies", "is distrusted")
PAIRS = ((MLFLOW, MAIL), (GATEWAY, CHAT, LINEAGE))
ALONE = tuple((name,) for name in TOLD) if "NIGHTJAR_OUTLETS" in os.environ else ()
PATIENCE, HURRY = "60", "2"


@dataclass
class Servers:
    """The outlets, each behind a proxy but for a mail server that encrypts."""

    proxies: dict[str, Faulty]
    gateway: Pushgateway
    mail: SmtpServer
    encrypted: SmtpServer
    webhook: Webhook
    lineage: Webhook
    foreign: ssl.SSLContext
    environment: dict[str, str] = field(default_factory=dict)

    def well(self) -> None:
        """All of them work."""
        for proxy in self.proxies.values():
            proxy.with_certificate(None)
            proxy.well()
        self.mail._faults.clear()
        self.environment = {"PIPELINE_OUTLET_SECONDS": PATIENCE} | self._addresses()

    def _addresses(self) -> dict[str, str]:
        return {
            "MLFLOW_TRACKING_URI": self.proxies[MLFLOW].url,
            "PIPELINE_PUSHGATEWAY_URL": self.proxies[GATEWAY].url,
            "PIPELINE_SMTP_URL": self.proxies[MAIL].url.replace("http", "smtp"),
            "PIPELINE_CHANNEL_TEAM": self.proxies[CHAT].url.replace("http", "json") + "/hunter2",
            "OPENLINEAGE_URL": self.proxies[LINEAGE].url,
        }

    def break_down(self, outlets: tuple[str, ...], fault: str) -> None:
        """Some fail, the others work; of MLflow that is the embedded one, which no time limit concerns."""
        for name in outlets:
            self._break(name, fault)
        self.environment |= self._addresses() | self.environment | {"PIPELINE_OUTLET_SECONDS": HURRY}
        self.environment |= {} if MLFLOW in outlets else {"MLFLOW_TRACKING_URI": ""}

    def _break(self, name: str, fault: str) -> None:
        proxy = self.proxies[name]
        orders: dict[str, Callable[[], None]] = {
            "refuses": proxy.refuse,
            "hangs": proxy.hang,
            "fails": partial(proxy.answer, http(503)),
            "drips": proxy.drip,
            "cuts": proxy.cut,
            "denies": partial(proxy.answer, http(401)),
            "is distrusted": partial(proxy.with_certificate, self.foreign),
        }
        if name == MAIL:
            url, trusted = self.encrypted.url_for("nightjar", "wrong"), str(self.encrypted.ca_file)
            orders |= {
                "fails": partial(self.mail.refuse, at="MAIL"),
                "denies": partial(self.environment.update, PIPELINE_SMTP_URL=url, SSL_CERT_FILE=trusted),
                "is distrusted": partial(self.environment.update, PIPELINE_SMTP_URL=self.encrypted.url),
            }
        orders[fault]()
        if name != MAIL:
            variable = {v: k for k, v in self._addresses().items()}
            self.environment |= {variable[url]: url for url in variable if str(proxy.port) in url}


@pytest.fixture(scope="module")
def servers(mlflow_server: str, _pushgateway_process: Pushgateway, _certificates: Certificates) -> Iterator[Servers]:
    foreign = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(LOOPBACK).configure_cert(foreign)
    with ExitStack() as running:
        mail = running.enter_context(run_smtp("plain", _certificates))
        encrypted = running.enter_context(run_smtp("tls", _certificates))
        webhook, lineage = running.enter_context(run_webhook()), running.enter_context(run_webhook())
        behind = {MLFLOW: mlflow_server, GATEWAY: _pushgateway_process.url, MAIL: mail.url, CHAT: webhook.url}
        behind[LINEAGE] = lineage.url
        proxies = {name: running.enter_context(run_faulty(url)) for name, url in behind.items()}
        yield Servers(proxies, _pushgateway_process, mail, encrypted, webhook, lineage, foreign)


@dataclass
class Ground:
    """A night that is published and has reached nobody."""

    project: Project
    servers: Servers
    said: Callable[[], str]
    monkeypatch: pytest.MonkeyPatch

    @property
    def store(self) -> Path:
        return self.project.store

    def run(self, *command: str) -> tuple[int, str]:
        for name, value in self.servers.environment.items():
            self.monkeypatch.setenv(name, value)
        try:
            return main(list(command or DELIVER)), self.said()
        finally:
            self.monkeypatch.delenv("SSL_CERT_FILE", raising=False)

    def published(self) -> dict[str, bytes]:
        folder = self.store / NAME / DAY
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def missing(self) -> list[str]:
        """What the store and the page say is missing; both say the same."""
        files = self.published()
        found: list[str] = json.loads(files["runs.json"])["missing"]
        told = re.search(r"Not reached: (.*?)\. Once they are well", files["index.html"].decode())
        assert (told is not None) == bool(found)
        assert told is None or re.split(", | and ", told[1]) == found
        return found

    def received(self) -> dict[str, int]:
        """How often each outlet has the night."""
        active = sum(runs_at(uri) for uri in (self.servers.proxies[MLFLOW].url, self.embedded))
        gauges = self.servers.gateway.samples("model_monitor_last_success_timestamp_seconds")
        return {
            MLFLOW: active,
            GATEWAY: len(gauges),
            MAIL: len(self.servers.mail.mails),
            CHAT: len(self.servers.webhook.requests),
            LINEAGE: sum(request.json()["eventType"] == "COMPLETE" for request in self.servers.lineage.requests),
        }

    @property
    def embedded(self) -> str:
        return self.project.settings.embedded_mlflow_uri


def runs_at(uri: str, delete: bool = False) -> int:
    with open_store(uri) as client:
        experiment = client.get_experiment_by_name(f"monitoring/{NAME}")
        found = [] if experiment is None else client.search_runs([experiment.experiment_id])
        for run in found if delete else ():
            client.delete_run(run.info.run_id)
        return len(found)


@pytest.fixture(scope="module")
def measured(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, int, str]:
    """A project whose night was measured while nothing answered, how that ended, and what it said."""
    project = Project(tmp_path_factory.mktemp("outlets") / "project")
    project.write_suite()
    project.write_monitor(NAME, notify=NOTIFY)
    project.write_night(DAY, drifted=True)
    servers.well()
    servers.break_down(tuple(TOLD), "refuses")
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        _in_no_time(patch)
        patch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
        for name, value in (project.environment() | servers.environment).items():
            patch.setenv(name, value)
        patch.setattr("sys.stderr.write", said.append, raising=False)
        code = main(RUN)
    for folder in (project.root / "data", project.root / "var/cache"):
        shutil.rmtree(folder, ignore_errors=True)
    project.store.rename(project.root / "template")
    return project, code, "".join(said)


def _in_no_time(patch: pytest.MonkeyPatch) -> None:
    """As the tries again wait for nothing."""
    patch.setattr("pipeline.storage.retries.PAUSES", wait_none())
    patch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    patch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")
    patch.setenv("NO_PROXY", LOOPBACK)


@pytest.fixture
def ground(
    measured: tuple[Project, int, str],
    servers: Servers,
    pushgateway: Pushgateway,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Ground:
    project = measured[0]
    shutil.rmtree(project.store, ignore_errors=True)
    shutil.copytree(project.root / "template", project.store, symlinks=True)
    project.write_monitor(NAME, notify=NOTIFY)
    _in_no_time(monkeypatch)
    for name, value in project.environment().items():
        monkeypatch.setenv(name, value)
    servers.well()
    servers.mail.mails.clear()
    servers.webhook.requests.clear()
    servers.lineage.requests.clear()
    found = Ground(project, servers, lambda: "".join(capsys.readouterr()), monkeypatch)
    for uri in (servers.proxies[MLFLOW].url, found.embedded):
        runs_at(uri, delete=True)
    return found


def test_a_night_is_published_although_nothing_answers(measured: tuple[Project, int, str], ground: Ground) -> None:
    assert measured[1] == 5
    assert ground.missing() == sorted(TOLD)
    assert set(ground.received().values()) == {0}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("broken", [*PAIRS, *ALONE], ids=" and ".join)
def test_a_fault_costs_its_own_outlet_alone_and_the_next_attempt_makes_up_for_it(
    ground: Ground, broken: tuple[str, ...], fault: str
) -> None:
    before = ground.published()
    ground.servers.break_down(broken, fault)
    begun = time.monotonic()
    code, said = ground.run()
    assert code == 5, said
    assert time.monotonic() - begun < 60
    (line,) = (found for found in said.splitlines() if found.startswith(f"{NAME}  {DAY}"))
    assert [line.count(TOLD[name]) for name in broken] == [1] * len(broken), said
    assert "hunter2" not in said
    assert "wrong@" not in said
    assert ground.missing() == sorted(broken)
    ground.servers.well()
    ground.servers.environment |= {} if MLFLOW in broken else {"MLFLOW_TRACKING_URI": ""}
    assert ground.received() == {name: int(name not in broken or arrived(name, fault)) for name in TOLD}
    code, said = ground.run()
    assert code == 0, said
    assert ground.missing() == []
    twice = {CHAT: 2} if CHAT in broken and arrived(CHAT, fault) else {}  # as its answer never came
    assert ground.received() == dict.fromkeys(TOLD, 1) | twice
    after = ground.published()
    assert {name for name in before if before[name] != after[name]} == {"index.html", "runs.json", "night.json"}


@pytest.mark.parametrize(
    ("notify", "gone"),
    [
        ({"email": ["team@example.com"]}, CHAT),
        ({"channels": [CHAT]}, MAIL),
        (NOTIFY, GATEWAY),
        ({}, f"{CHAT}, {MAIL}"),
    ],
)
def test_an_outlet_that_is_not_set_any_more_is_none_that_was_not_reached(
    ground: Ground, notify: dict[str, Any], gone: str
) -> None:
    ground.project.write_monitor(NAME, notify=notify)
    ground.servers.environment |= {"MLFLOW_TRACKING_URI": ""}
    if gone == GATEWAY:
        ground.monkeypatch.delenv("PIPELINE_PUSHGATEWAY_URL", raising=False)
        del ground.servers.environment["PIPELINE_PUSHGATEWAY_URL"]
    code, said = ground.run()
    assert code == 0, said
    assert ground.missing() == []
    assert ground.received() == {name: int(name not in gone) for name in TOLD}


def arrived(name: str, fault: str) -> bool:
    """Whether an outlet has what it was sent, and only its answer was lost or slow."""
    return name in (GATEWAY, CHAT) and fault in ("cuts", "drips")


def test_nobody_is_told_of_an_outlet_that_recovers_while_it_is_tried(ground: Ground) -> None:
    for name in (MLFLOW, GATEWAY, CHAT, LINEAGE):
        ground.servers.proxies[name].answer(http(500), times=2)
    ground.servers.mail.refuse(at="MAIL", times=2)
    code, said = ground.run()
    assert code == 0, said
    assert ground.missing() == []
    assert ground.received() == dict.fromkeys(TOLD, 1)
    assert ground.run()[0] == 0
    assert ground.received() == dict.fromkeys(TOLD, 1)


def test_an_answer_of_mlflow_that_is_lost_makes_no_second_run(ground: Ground) -> None:
    ground.servers.proxies[MLFLOW].cut(only=b"runs/create", times=1)
    code, said = ground.run()
    assert code == 0, said
    assert ground.received()[MLFLOW] == 1


def test_a_silent_outlet_is_waited_for_once_by_a_whole_night(ground: Ground) -> None:
    ground.servers.break_down((GATEWAY,), "hangs")
    connections = ground.servers.proxies[GATEWAY].connections
    code, said = ground.run()
    assert code == 5
    assert said.count("did not finish within 2 s") >= 2, said
    assert "so it is not asked again in this run" in said
    assert ground.servers.proxies[GATEWAY].connections - connections == 1


def test_a_night_that_is_not_published_is_not_delivered(ground: Ground) -> None:
    code, said = ground.run("run", NAME, "--date", "2026-01-15", "--deliver")
    assert code == 2
    assert "2026-01-15: the night is not published, so there is nothing to deliver: run it" in said


def test_what_a_later_attempt_left_half_done_is_not_told(ground: Ground) -> None:
    for name in ("snapshots", "drift", "decision"):
        (ground.store / NAME / ".work" / DAY / f"{name}.json").write_text("{}")
    code, said = ground.run()
    assert code == 0, said
    assert ground.received() == dict.fromkeys(TOLD, 1)


def full_disk(_: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def read_only_disk(home: Path) -> None:
    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        path = str(arguments[0]) if arguments else ""
        if path.startswith(str(home)) and changes_something(event, arguments):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    sys.addaudithook(refuse)


def in_fork(work: Callable[[], int]) -> int:
    """The exit code of some work in a fork of this process."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("disk", [full_disk, read_only_disk])
def test_a_store_that_cannot_be_written_costs_no_outlet_a_second_message(
    ground: Ground, disk: Callable[[Path], None]
) -> None:
    def attempt() -> int:
        disk(ground.store)
        return ground.run()[0]

    before = ground.published()
    ground.servers.well()  # a fork shares the connections that are kept
    assert in_fork(attempt) == 5
    ground.servers.well()
    assert ground.published() == before
    sent = ground.received()
    assert (sent[MAIL], sent[CHAT]) == (0, 0)
    assert ground.run()[0] == 0
    assert ground.received() == dict.fromkeys(TOLD, 1)


S3_FAULTS = {
    "refuses": "connection refused",
    "hangs": "did not finish within 2 s",
    "fails": "too busy",
    "drips": "did not finish within 2 s",
    "cuts": "broke off",
    "denies": "access denied",
    "is distrusted": "its certificate is not trusted",
}


def test_a_store_on_s3_that_fails_in_any_way_costs_nothing_but_the_attempt(ground: Ground, s3: S3) -> None:
    from pipeline.storage import s3 as objects

    upload(ground.store, s3)
    ground.monkeypatch.setenv("PIPELINE_STORE", s3.uri("store"))
    with run_flaky(s3), run_faulty(s3.url) as proxy:
        orders: dict[str, Callable[[], None]] = {
            "refuses": proxy.refuse,
            "hangs": proxy.hang,
            "fails": partial(proxy.answer, http(503, b"")),
            "drips": proxy.drip,
            "cuts": proxy.cut,
            "denies": partial(proxy.answer, http(403, b"")),
            "is distrusted": partial(proxy.with_certificate, ground.servers.foreign),
        }
        for fault, words in S3_FAULTS.items():
            proxy.with_certificate(None)
            proxy.well()
            orders[fault]()
            ground.monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy.url)
            ground.servers.environment |= {"PIPELINE_OUTLET_SECONDS": HURRY}
            objects.client.cache_clear()
            code, said = ground.run()
            assert code == 5, (fault, said)
            assert words in said, (fault, said)
            assert set(ground.received().values()) == {0}, fault
        proxy.with_certificate(None)
        proxy.well()
        ground.monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy.url)
        ground.servers.well()
        objects.client.cache_clear()
        code, said = ground.run()
        assert code == 0, said
        assert ground.received() == dict.fromkeys(TOLD, 1)


def upload(store: Path, s3: S3) -> None:
    """A local store as one on S3: what links mean, where they are."""
    for path in sorted(store.rglob("*")):
        if path.is_file() and ".nights" not in path.parts and path.suffix != ".lock" and path.name != ".lock":
            s3.put(f"store/{path.relative_to(store)}", path.read_bytes())
    for link in store.glob("*/20*"):
        for path in link.iterdir():
            s3.put(f"store/{link.relative_to(store)}/{path.name}", path.read_bytes())
