"""deploy/alertmanager by amtool and by running it: who hears an alert, and what is not said beside it."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
import yaml

from pipeline.publish.gauges import night
from tests.publish import samples
from tests.publish.reading import Page, part
from tests.servers.alertmanager import FOLDER, Alertmanager, run_alertmanager
from tests.servers.processes import require, wait_until
from tests.servers.prometheus import run_whole_prometheus
from tests.servers.pushgateway import Pushgateway
from tests.servers.smtp import Flavour, SmtpServer

ROOT = Path(__file__).parents[2]
CONFIG = FOLDER / "alertmanager.yml"
NOTES = (ROOT / "docs" / "notifications.md").read_text(encoding="utf-8")
TEAM = "ml-team@example.com"
WAIT_SECONDS = 60.0
BY_MODEL = {"alertname": "NightjarDrifted", "severity": "warning", "area": "model", "monitor": "churn", "owner": TEAM}
BY_DATA = BY_MODEL | {"alertname": "NightjarQualityFailed", "severity": "critical", "area": "data"}
MISSING = BY_MODEL | {"alertname": "NightjarNightMissing", "severity": "critical", "area": "plumbing"}
GATEWAY = {"alertname": "NightjarPushgatewayDown", "severity": "warning", "area": "plumbing"}


def amtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = require("amtool", "prometheus-alertmanager")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def test_amtool_is_content() -> None:
    done = amtool("check-config", str(CONFIG))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (BY_MODEL, "owner"),
        (BY_DATA, "owner"),
        (BY_MODEL | {"owner": "the churn team"}, "platform"),
        (BY_MODEL | {"owner": ""}, "platform"),
        (BY_MODEL | {"owner": "a@example.com,b"}, "platform"),
        (BY_MODEL | {"owner": "<a@example.com>"}, "platform"),
        (BY_MODEL | {"environment": "production"}, "owner"),
        (BY_MODEL | {"environment": "staging"}, "platform"),
        (BY_MODEL | {"environment": "dev-2"}, "platform"),
        (BY_MODEL | {"severity": "info"}, "nobody"),
        (MISSING, "platform"),
        (GATEWAY, "platform"),
        ({"alertname": "NightjarWatchdog", "severity": "info", "area": "plumbing"}, "heartbeat"),
    ],
)
def test_an_alert_goes_to(labels: dict[str, str], receiver: str) -> None:
    told = [f"{name}={value}" for name, value in labels.items() if value]
    done = amtool("config", "routes", "test", f"--config.file={CONFIG}", f"--verify.receivers={receiver}", *told)
    assert done.returncode == 0, done.stdout + done.stderr


def _with_values(text: str) -> str:
    """Keys for files, which came with 0.26, as keys for what is in them."""
    return re.sub(r'"(url|bot_token)_file": "[^"]*"', r'"\1": "https://example.com/"', text)


def test_every_receiver_of_the_notes_is_one_that_alertmanager_takes(tmp_path: Path) -> None:
    snippets = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(# alertmanager.yml.*?)```", NOTES, re.DOTALL)]
    found = [receiver for snippet in snippets for receiver in snippet["receivers"]]
    assert {key for receiver in found for key in receiver} >= {"slack_configs", "telegram_configs", "webhook_configs"}
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    names = {receiver["name"] for receiver in found}
    if (
        "version 0.25" in amtool("--version").stdout + amtool("--version").stderr
    ):  # Debian's; it reads these values only
        found = [json.loads(_with_values(json.dumps(receiver))) for receiver in found]
    config["receivers"] = [item for item in config["receivers"] if item["name"] not in names] + found
    (tmp_path / "nightjar.tmpl").write_bytes((FOLDER / "nightjar.tmpl").read_bytes())
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    done = amtool("check-config", str(tmp_path / "alertmanager.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def server(smtp_server: Callable[[Flavour], SmtpServer]) -> SmtpServer:
    return smtp_server("plain")


@pytest.fixture
def alertmanager(server: SmtpServer, tmp_path: Path) -> Iterator[Alertmanager]:
    with run_alertmanager(tmp_path, f"127.0.0.1:{server.port}") as running:
        yield running


def told(server: SmtpServer) -> list[tuple[str, str]]:
    """Who has got a mail, and of which subject."""
    return sorted((mail.recipients[0], str(mail.message["Subject"])) for mail in server.mails)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loud", "silent"),
    [
        (MISSING, [BY_MODEL, BY_DATA]),
        (BY_DATA, [BY_MODEL]),
        (BY_MODEL | {"alertname": "NightjarModelDegraded", "severity": "critical"}, [BY_MODEL]),
        (GATEWAY, [MISSING]),
    ],
    ids=["monitor that did not run", "broken data", "critical", "gateway that is down"],
)
def test_what_another_alert_explains_is_not_said(
    alertmanager: Alertmanager, server: SmtpServer, loud: dict[str, str], silent: list[dict[str, str]]
) -> None:
    alertmanager.tell(loud, *silent)
    other = loud | {"alertname": "Other", "monitor": "fraud", "owner": "others@example.com"}
    alertmanager.tell(other)  # of another monitor: it is heard, and by then the others would have been, too
    wait_until(lambda: len(server.mails) >= 2, "two mails", timeout=WAIT_SECONDS)
    subjects = [subject for _, subject in told(server)]
    assert sorted(subject.removeprefix("Critical: ") for subject in subjects) == sorted([loud["alertname"], "Other"])


@pytest.mark.slow
def test_a_night_that_drifted_rings_at_its_owner_and_ends(
    alertmanager: Alertmanager, server: SmtpServer, pushgateway: Pushgateway, tmp_path: Path
) -> None:
    view = dataclasses.replace(samples.view(), environment="production")
    owner = view.monitor.owner
    night.push(night.exposition(view), "churn", pushgateway.url, time.time(), environment="production")
    with run_whole_prometheus(tmp_path, pushgateway.url, alertmanager.url) as prometheus:
        prometheus.wait_for('ALERTS{alertname="NightjarDrifted", alertstate="firing"}')
        message = mail_to(owner, "churn drifted: 50%, over its limit [production]", server)
        page = Page(part(message, "html"))
        assert "https://reports.example.com/nightjar/churn/index.html" in page.addresses
        for text in (page.text, part(message, "plain")):
            assert "docs/runbooks/NightjarDrifted.md" in text
            assert "starts by itself unless a quality failure" in text
        night.push(
            night.exposition(dataclasses.replace(view, drift=samples.drift(18, 0))),
            "churn",
            pushgateway.url,
            time.time(),
            environment="production",
        )
        mail_to(owner, "Over: churn drifted: 50%, over its limit [production]", server)
        assert prometheus.query('up{job="alertmanager"} == 1')


def mail_to(owner: str, subject: str, server: SmtpServer) -> EmailMessage:
    """The first mail of that subject; waits for it."""

    def found() -> list[EmailMessage]:
        mails = [mail.message for mail in server.mails if mail.recipients == (owner,)]
        return [message for message in mails if message["Subject"] == subject]

    try:
        wait_until(lambda: bool(found()), f"a mail {subject!r}", timeout=WAIT_SECONDS)
    except TimeoutError as error:
        raise AssertionError(f"{error}; there are {told(server)}") from error
    return found()[0]
