"""A mail that says what was said before has the Message-ID that it had, so that nobody gets it twice.

A Message-ID comes from what a mail says. A later version says the same news in other words: where the data and what
was found in it are the same, it is no other mail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.message import EmailMessage
from typing import TYPE_CHECKING

from pipeline.results import Decision, DriftResult, QualityResult, RetrainResult, SnapshotPair

if TYPE_CHECKING:
    from pipeline.publish.facts.night import NightView
    from pipeline.steps.night import Night, Workspace

MAIL = "summary.eml"


def night_mail(night: Night, view: NightView, message: EmailMessage | None) -> EmailMessage | None:
    """A night's mail, under the Message-ID of the published one if both tell the same."""
    now = _news(view.pair, view.quality, view.drift, view.decision)
    return _known(message, night.files([MAIL]), lambda: _published_news(night) == now)


def retraining_mail(workspace: Workspace, result: RetrainResult, message: EmailMessage | None) -> EmailMessage | None:
    """The same for a retraining."""
    before = workspace.store.read_night(workspace.retraining_place, result.run_date, [MAIL])
    return _known(message, before, lambda: _ending(workspace.retraining_on(result.run_date)) == _ending(result))


def _known(
    message: EmailMessage | None, published: Mapping[str, bytes] | None, same: Callable[[], bool]
) -> EmailMessage | None:
    from pipeline.publish.messages import mail

    content = (published or {}).get(MAIL)
    if message is None or content is None:
        return message
    before = mail.parse(content)
    if mail.says_the_same(before, message) or (mail.is_of_another_version(before) and same()):
        message.replace_header("Message-ID", str(before["Message-ID"]))
    return message


def _published_news(night: Night) -> object:
    pair, quality = night.read(SnapshotPair), night.read(QualityResult)
    drift, decision = night.read(DriftResult), night.read(Decision)
    if pair is None or quality is None or drift is None or decision is None:
        return None
    return _news(pair, quality, drift, decision)


def _news(pair: SnapshotPair, quality: QualityResult, drift: DriftResult, decision: Decision) -> object:
    """What a night's mail is about, in no words."""
    failed = {(item.expectation, item.column) for item in quality.failures if item.severity == "critical"}
    drifted = {item.name for item in drift.drifted_columns}
    return pair.digest, failed, drifted, decision.status, decision.retrain


def _ending(result: RetrainResult | None) -> object:
    return result and (result.status, result.lineage and result.lineage.version)
