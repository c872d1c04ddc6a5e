"""MLflow, Pushgateway, mail server and chat channels: asked as nights ask them, but told nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator

from pipeline.config import Settings
from pipeline.config import monitor_files as monitors
from pipeline.config.environment import channel_variable, reveal
from pipeline.errors import OutletRefused
from pipeline.steps.doctor.finding import Finding
from pipeline.storage import addresses


def mlflow(settings: Settings) -> Iterator[Finding]:
    """Whether MLflow answers, and lets itself be read."""
    tracking = os.environ.get("MLFLOW_TRACKING_URI")
    if not tracking and not settings.embedded_mlflow_path.exists():
        yield Finding("MLflow", "ok", f"embedded; the first night makes {settings.embedded_mlflow_path}")
        return
    from pipeline.storage.mlflow_client import open_store

    uri = tracking or settings.embedded_mlflow_uri
    with open_store(uri) as client:
        client.search_experiments(max_results=1)
        client.search_registered_models(max_results=1)
    yield Finding("MLflow", "ok", f"{addresses.shown(uri)} answers")


def pushgateway(settings: Settings) -> Iterator[Finding]:
    """Whether the Pushgateway takes changes: one of a group that no monitor has, so nothing of it changes."""
    url = reveal(settings.pushgateway_url)
    if url is None:
        yield Finding("Pushgateway", "not asked", "PIPELINE_PUSHGATEWAY_URL is not set: gauges are files in the store")
        return
    from pipeline.publish.gauges.gateway import send

    send("DELETE", b"", "monitor/.doctor", url, _at_once)
    yield Finding("Pushgateway", "ok", f"{addresses.shown(url)} takes gauges")


def mail(settings: Settings) -> Iterator[Finding]:
    """Whether the mail server greets and lets us log in; no mail is sent."""
    url = reveal(settings.smtp_url)
    if url is None:
        yield Finding("mail", "not asked", "PIPELINE_SMTP_URL is not set: mails are files in the store")
        return
    from pipeline.publish.messages.smtp import greet

    greet(url)
    words = "greets, and takes the login" if addresses.without_credentials(url) != url else "greets; no login is set"
    yield Finding("mail", "ok", f"{addresses.shown(url)} {words}; `notify --test` sends a mail")


def chat(settings: Settings) -> Iterator[Finding]:
    """Whether every channel that a monitor names has an address that can be read; nobody is told anything."""
    from pipeline.publish.messages.chat import service_of

    named = sorted({channel for monitor in monitors.load_all(settings).monitors for channel in monitor.notify.channels})
    if not named:
        yield Finding("chat", "not asked", "no monitor names a channel")
    for channel in named:
        variable = channel_variable(channel)
        if variable not in settings.channels:
            connection = f"nightjar_{channel.replace('-', '_')}"
            words = f"{channel}: {variable} is not set here; tasks in Airflow take the connection {connection}"
            yield Finding("chat", "warning", words)
            continue
        try:
            service_of(channel, settings.channels[variable].get_secret_value())
        except OutletRefused as error:
            yield Finding("chat", "wrong", str(error))
        else:
            yield Finding("chat", "ok", f"{channel}: its address can be read; `notify --test` sends a message")


def lineage(_: Settings) -> Iterator[Finding]:
    """Whether the lineage server answers; it is sent no event, as any would make a run there."""
    from pipeline.publish.lineage import server

    if server.is_wanted():
        server.ask()
        yield Finding("lineage", "ok", f"{server.shown()} answers; no event is sent")


def _at_once(_: float) -> None:
    """Whoever waits for a doctor does not wait between attempts."""
