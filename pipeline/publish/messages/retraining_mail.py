"""The mail about a retraining, in the thread of its monitor's nights. Equal results give equal bytes."""

from __future__ import annotations

from email.message import EmailMessage

from pipeline.config import Monitor
from pipeline.publish.facts.incidents import Standing
from pipeline.publish.facts.retraining import remember
from pipeline.publish.facts.retraining_words import (
    check_rows,
    command,
    data_words,
    drift_words,
    metric_rows,
    next_step,
    verdict_words,
)
from pipeline.publish.facts.words import failure_line
from pipeline.publish.messages.chat import MAX_LINE, ChatMessage, harmless
from pipeline.publish.messages.mail import compose, thread_of
from pipeline.publish.templates import render
from pipeline.results import RetrainResult
from pipeline.wording import clip

MAX_METRICS = 10
MAX_FAILED = 10


def build_retraining(
    monitor: Monitor,
    result: RetrainResult,
    mail_from: str,
    report_base_url: str | None = None,
    incident: Standing | None = None,
    *,
    environment: str | None = None,
) -> EmailMessage | None:
    """The mail about a retraining; None when the monitor names nobody to tell.

    Args:
        monitor: the monitor.
        result: what came of it.
        mail_from: the sender's address.
        report_base_url: where the run store can be read over HTTP, for links.
        incident: where its night stands in one, whose thread it then belongs to.
        environment: the name of the installation.
    """
    recipients = monitor.notify.email
    if not recipients:
        return None
    values = _values(monitor, result, report_base_url)
    text = render("retraining_mail.txt.j2", **values)
    html = render("retraining_mail.html.j2", **values)
    subject = str(values["subject"])
    return compose(
        monitor.name,
        result.run_date,
        subject=subject,
        text=text,
        html=html,
        mail_from=mail_from,
        recipients=recipients,
        thread=thread_of(monitor.name, incident),
        environment=environment,
    )


def chat_message(monitor: Monitor, result: RetrainResult, report_base_url: str | None = None) -> ChatMessage:
    """The same in a subject, the verdict and, where the pages can be reached, a link."""
    lines = [harmless(verdict_words(result, MAX_LINE)), next_step(monitor, result), command(monitor, result) or ""]
    lines += [address for _, address in _links(result, report_base_url)[:1]]
    return ChatMessage(f"[{monitor.name}] {remember(result).subject}", "\n".join(filter(None, lines)))


def _values(monitor: Monitor, result: RetrainResult, report_base_url: str | None) -> dict[str, object]:
    past, evaluation = remember(result), result.evaluation
    because = "; ".join(filter(None, (clip(result.reason, 300), drift_words(result))))
    verdict = verdict_words(result, 500)
    failed_head, failed = _failed(result)
    return {
        "monitor": monitor,
        "run_date": result.run_date,
        "sign": past.sign,
        "subject": f"[{monitor.name}] {past.subject}",
        "title": f"Retraining {past.words}",
        "verdict": verdict,
        "lines": list(filter(None, (verdict, f"Started because: {because}", data_words(result)))),
        "next_step": next_step(monitor, result),
        "command": command(monitor, result),
        "told": clip(result.told or "", 200),
        "metrics": metric_rows(evaluation)[:MAX_METRICS] if evaluation else [],
        "compared": evaluation is not None and evaluation.against != "nobody",
        "failed_head": failed_head,
        "failed": failed,
        "links": _links(result, report_base_url),
        "place": ("retraining's page", f"{monitor.name}/retraining/{result.run_date}/index.html"),
    }


def _failed(result: RetrainResult) -> tuple[str, list[str]]:
    """What did not hold: of the gate where it came to one, else of the quality suite."""
    if result.evaluation is not None:
        rows = [f"{name}: {clip(words, 300)}" for name, passed, words in check_rows(result.evaluation) if not passed]
        return "What the gate asked and did not get", rows[:MAX_FAILED]
    failures = result.quality.failures if result.quality else ()
    rows = [f"{item.severity}: {failure_line(item, 200)}" for item in failures]
    return "Failed expectations on the training set", rows[:MAX_FAILED]


def _links(result: RetrainResult, report_base_url: str | None) -> list[tuple[str, str]]:
    if report_base_url is None:
        return []
    base = f"{report_base_url.rstrip('/')}/{result.monitor}"
    links = [("The retraining's page", f"{base}/retraining/{result.run_date}/index.html")]
    if result.drift_share is not None:
        links.append(("The night", f"{base}/{result.run_date}/index.html"))
    return [*links, ("All nights", f"{base}/index.html")]
