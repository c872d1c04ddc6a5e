"""Nights of hostile names, values, suites and monitors come out of every outlet valid, inert and true.

Seeds as in `test_suites`: a few with all tests, `make fuzz` for many.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.cli import main
from pipeline.errors import ExitCode
from tests.fuzz import hostile
from tests.fuzz.test_configuration import no_hang
from tests.fuzz.test_suites import EXAMPLES, FIRST, SECONDS, seeds
from tests.project import Project
from tests.publish.reading import Page, part
from tests.security.test_names import hidden
from tests.servers.browser import BrowserWindows
from tests.servers.pushgateway import Pushgateway
from tests.servers.smtp import Flavour, SmtpServer
from tests.servers.webhook import Webhook

pytestmark = [pytest.mark.fuzz, pytest.mark.slow]

FIRST_DAY = date(2026, 1, 14)  # a night each, as each has its run in MLflow
CASES = EXAMPLES if EXAMPLES > 5 else 6
BROKEN = re.compile(r"Traceback|\bin config/|, line \d+, in ")
LONG = 200  # such a name is cut in a label
OBEYED = ("](", "][", "<http", "<mailto:", "//evil", "@everyone", "<!channel>", "</")


def cases() -> Iterator[int]:
    return seeds() if SECONDS else iter(range(FIRST, FIRST + CASES))


def prepare(project: Project, chance: Random, day: str) -> list[str]:
    """The files of a made-up night; the columns that are certain to have drifted."""
    for made in (project.root / "data", project.store):
        shutil.rmtree(made, ignore_errors=True)
    names = hostile.names(chance)
    reference, production, certain = hostile.tables(chance, names)
    project.write_suite(expectations=hostile.suite(chance, names))
    project.write_monitor(**hostile.monitor(chance, names))
    for folder, frame in (
        ("reference", reference),
        (f"production/dt={day}", production),
        (f"labels/dt={day}", production),
    ):
        path = project.root / "data" / folder / "part-0.parquet"
        path.parent.mkdir(parents=True)
        rows = frame[["id", "label"]] if folder.startswith("labels") else frame
        pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), path)
    return certain


def strict(path: Path) -> Any:
    """A result as any program reads it: JSON without NaN."""

    def refuse(word: str) -> float:
        raise AssertionError(f"{path.name} has {word}, which is no JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def wrong_in_browser(path: Path, browser: BrowserWindows) -> Iterator[str]:
    """What a page does by itself."""
    window = browser(path)
    yield from (f"{path.name}: {what}" for what in (*window.errors, *window.outside_requests))
    browser.close()


def wrong_in_page(path: Path) -> Iterator[str]:
    """What a browser would obey in a page that a name from data wrote."""
    page = Page(path.read_bytes())
    if {"img", "iframe", "object", "embed", "form", "base"} & set(page.tags) or page.tags.count("script") > 1:
        yield f"{path.name} has elements of a name"
    elif [address for address in page.addresses if re.match(r"\s*[a-z]+:|//", address) and address != "data:,"]:
        yield f"{path.name} leads out: {page.addresses}"
    if page.handlers:
        yield f"{path.name} has handlers: {page.handlers}"


def wrong_in_mail(server: SmtpServer) -> Iterator[str]:
    if len(server.mails) != 1:
        yield f"{len(server.mails)} mails"
    for mail in server.mails:
        message = mail.message
        if message.defects or [header for header in message.values() if getattr(header, "defects", ())]:
            yield "a mail with defects"
        if mail.recipients != ("team@example.com",) or hidden(str(message["Subject"])):
            yield f"a mail to {mail.recipients}: {message['Subject']}"
        page = Page(part(message, "html"))
        if {"script", "img", "iframe", "form"} & set(page.tags) or page.handlers:
            yield "a mail with elements of a name"
        if hidden(part(message, "plain")):
            yield "a mail with signs that a terminal obeys"


def wrong_in_chat(webhook: Webhook) -> Iterator[str]:
    if not webhook.requests:
        yield "no message"
    for request in webhook.requests:
        told = request.json()
        text = f"{told['title']}{told['message']}"
        yield from (
            f"a message with {sign}" for sign in OBEYED if sign in re.sub(r"\[Open[^]]*\]\(http://127[^)]*\)", "", text)
        )


def wrong_in_results(folder: Path, certain: list[str]) -> Iterator[str]:
    drift = strict(folder / "drift.json")
    told = {column["name"]: column for column in drift["columns"]}
    for name in certain:
        if name not in told or not told[name]["drifted"]:
            yield f"{name!r} is said not to have drifted: {told.get(name)}"
    for path in sorted(folder.glob("*.json")):
        strict(path)


def wrong_in_gauges(gateway: Pushgateway, folder: Path) -> Iterator[str]:
    drift = strict(folder / "drift.json")
    wanted = sorted(column["name"] for column in drift["columns"] if column["score"] is not None)
    found = sorted(sample.labels["column"] for sample in gateway.samples("model_monitor_column_drift_score"))
    wanted, found = ([name for name in side if len(name) < LONG] for side in (wanted, found))
    if found != wanted:
        yield f"gauges of {found}, not of {wanted}"


@pytest.fixture
def server(smtp_server: Callable[[Flavour], SmtpServer]) -> SmtpServer:
    return smtp_server("plain")


def test_a_night_of_hostile_names_and_values_is_valid_inert_and_true_at_every_outlet(
    project: Project,
    server: SmtpServer,
    pushgateway: Pushgateway,
    webhook: Webhook,
    browser: BrowserWindows,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)
    monkeypatch.setenv("PIPELINE_PUSHGATEWAY_URL", pushgateway.url)
    monkeypatch.setenv("PIPELINE_CHANNEL_NIGHT", webhook.url.replace("http://", "json://"))
    caplog.set_level(logging.INFO)
    wrong: list[str] = []
    for seed in cases():
        chance = Random(seed)
        day = str(FIRST_DAY + timedelta(seed))
        certain = prepare(project, chance, day)
        server.mails.clear()
        webhook.requests.clear()
        caplog.clear()
        pushgateway.wipe()
        with no_hang(f"seed {seed}"):
            code = main(["run", "people", "--date", day])
        said = "".join(capsys.readouterr())
        found = list(problems(project, server, webhook, pushgateway, browser, day, code, certain, said + caplog.text))
        wrong += [f"seed {seed}: {problem}" for problem in found]
    assert not wrong, "\n".join(wrong)


def problems(
    project: Project, server: SmtpServer, webhook: Webhook, gateway: Pushgateway,
    browser: BrowserWindows, day: str, code: int,
    certain: list[str], said: str,
) -> Iterator[str]:  # fmt: skip
    """What is wrong with a night at its outlets."""
    if BROKEN.search(said) or hidden(said):
        yield f"said {said[-600:]!r}"
    folder = project.store / "people" / day
    if code not in (ExitCode.SOUND, ExitCode.QUALITY) or not folder.exists():
        yield f"exit code {code}: {said[-400:]}"
        return
    yield from wrong_in_results(folder, certain)
    for path in sorted(project.store.rglob("*.html")):
        if path.name != "drift_report.html":
            yield from wrong_in_page(path)
    for name in ("drift_report.html", "index.html"):
        yield from wrong_in_browser(folder / name, browser)
    yield from wrong_in_mail(server)
    yield from wrong_in_chat(webhook)
    yield from wrong_in_gauges(gateway, folder)
