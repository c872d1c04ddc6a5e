"""One value reads the same everywhere: made-up nights and a retraining with awkward values, through every outlet."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from pipeline.checks.policy import decide
from pipeline.config.retrain_policy import RetrainPolicy
from pipeline.metrics.draws import Answers
from pipeline.publish import evidently_report, pages
from pipeline.publish.facts.fleet import Watched
from pipeline.publish.facts.night import NightView
from pipeline.publish.facts.retraining import remember
from pipeline.publish.messages import chat, digest, retraining_mail
from pipeline.publish.mlflow_run import tags
from pipeline.results import (
    ColumnDrift,
    DriftResult,
    Estimate,
    ExpectationOutcome,
    LabelledDay,
    PerformanceResult,
    RetrainResult,
)
from pipeline.retrain.judging.gate import Judged, evaluate
from tests.publish import samples
from tests.publish.messages.test_mail import SENDER, built
from tests.publish.reading import Page, part
from tests.publish.retrainings import retraining

SHARE = re.compile(r"[<>]?[0-9][0-9.,e-]*%")
RMSE, RMSE_BEFORE = 12345.678, 11999.9


def drift(shares: dict[str, float] | None = None, columns: int = 3_000) -> DriftResult:
    """Many columns, of which one drifted, just past its threshold."""
    first = samples.column(0, True).model_copy(
        update={"score": 0.10000049, "missing_reference_share": 0.0004, "missing_production_share": 0.9996}
    )
    rest = [samples.column(0, False, f"c{place}").model_copy(update={"shape": None}) for place in range(1, columns)]
    found: list[ColumnDrift] = [first, *rest]
    share = 1 / columns
    if shares:
        found = [item.model_copy(update={"importance": shares.get(item.name, 0.0)}) for item in found]
    weighted = shares[first.name] if shares else None
    held = share if weighted is None else weighted
    return DriftResult(
        snapshots=samples.pair().digest,
        drift_share=share,
        limit=0.3,
        drifted=held > 0.3,
        columns=tuple(found),
        weighted_drift_share=weighted,
        decisive="columns" if weighted is None else "importance",
    )


def view(found: DriftResult) -> NightView:
    """A night whose decision was really taken."""
    beyond = ExpectationOutcome(
        expectation="expect_column_values_to_be_between",
        column="age",
        severity="warning",
        passed=False,
        sentence="age lies between 18 and 100 in at least 0.05% of the rows",
        unexpected_share=0.9996,
        allowed_share=0.9995,
    )
    quality = samples.quality().model_copy(update={"outcomes": (*samples.quality().outcomes, beyond)})
    performance = PerformanceResult(
        snapshots=samples.pair().digest,
        status="measured",
        labels_date=samples.performance().labels_date,
        labelled_rows=3_287,
        realised={"root_mean_squared_error": RMSE},
        reference={"root_mean_squared_error": RMSE_BEFORE},
    )
    return dataclasses.replace(
        samples.view(),
        quality=quality,
        drift=found,
        performance=performance,
        decision=decide(quality, found),
        labelled=LabelledDay(
            day=samples.RUN_DATE,
            key="key",
            status="measured",
            rows=3_412,
            labelled_rows=3_287,
            metrics={"root_mean_squared_error": Estimate(value=RMSE)},
        ),
    )


@dataclass(frozen=True)
class Told:
    """Everything that is published of a night, as a person reads it."""

    page: str
    monitor_page: str
    fleet_page: str
    mail: str
    html_mail: str
    subject: str
    chat: str
    digest: str
    report: str
    reason: str
    tag: str

    def of(self, *names: str) -> dict[str, str]:
        return {name: getattr(self, name) for name in names}


def told(night: NightView) -> Told:
    message, watched = built(night), [Watched(night.monitor, [night.tonight])]
    over_all = digest.build(watched, {}, night.run_date, mail_from=SENDER, recipients=["a@example.com"])
    chat_message = chat.night_message(night)
    return Told(
        page=Page(pages.night_page(night)).text,
        monitor_page=Page(pages.monitor_page(night.monitor, [night.tonight])).text,
        fleet_page=Page(pages.fleet_page(watched)).text,
        mail=part(message, "plain"),
        html_mail=Page(part(message, "html").encode()).text,
        subject=str(message["Subject"]),
        chat=f"{chat_message.title}\n{chat_message.body}",
        digest=part(over_all, "plain"),
        report=report_of(night),
        reason=night.decision.reason,
        tag=tags(night)["reason"],
    )


def report_of(night: NightView) -> str:
    """What the Evidently report shows, without the script that shows it."""
    content = evidently_report.render(night.monitor, night.pair, night.drift).decode()
    shown = re.search(r"var drift_report = (.*?);\nvar ", content, re.DOTALL)
    assert shown
    return shown[1]


EVERYWHERE = tuple(field.name for field in dataclasses.fields(Told))


def test_one_of_3000_columns_is_the_same_share_everywhere() -> None:
    for name, text in told(view(drift())).of(*EVERYWHERE).items():
        assert "0.033%" in SHARE.findall(text), name
        assert "(0%)" not in text, name


def test_a_share_by_importance_just_over_the_limit_is_the_same_everywhere() -> None:
    night = told(view(drift({"age": 0.3004}, columns=10)))
    for name, text in night.of(*EVERYWHERE).items():
        assert "30.04%" in SHARE.findall(text), name
    for name, text in night.of("page", "mail", "html_mail", "chat", "report", "reason", "tag").items():
        assert "30%" in SHARE.findall(text), name


def test_the_reason_of_the_decision_is_the_tag_and_stands_on_the_page() -> None:
    night = view(drift())
    held = dataclasses.replace(night, decision=night.decision.model_copy(update={"status": "drifted"}))
    everything = told(held)
    assert everything.reason == everything.tag
    assert everything.reason in everything.page
    assert everything.reason in everything.mail


def test_an_error_in_the_unit_of_the_label_is_the_same_everywhere() -> None:
    texts = told(view(drift(columns=10))).of("page", "monitor_page", "mail", "html_mail", "chat")
    for name, text in texts.items():
        assert "root mean squared error" in text.lower(), name
        assert set(re.findall(r"12,?34\d(?:\.\d+)?|1\.23\d*e\S+", text)) == {"12,346"}, name


def test_a_share_of_rows_stays_beyond_what_is_allowed() -> None:
    for name, text in told(view(drift(columns=10))).of("page", "mail", "html_mail").items():
        assert "ot so in 99.96% of the rows" in text, name


def test_a_score_just_past_its_threshold_is_the_same_everywhere() -> None:
    for name, text in told(view(drift(columns=10))).of("page", "mail", "html_mail", "report").items():
        assert "0.1000005" in text, name


def test_a_score_of_missing_values_is_the_same_on_page_and_report() -> None:
    for name, text in told(view(drift(columns=10))).of("page", "report").items():
        assert "0.04% to 99.96%" in text, name


def judged() -> RetrainResult:
    """A regression really judged: both models err by the same amount in every row, on alternating sides."""
    signs = np.where(np.arange(2_000) % 2, 1.0, -1.0)
    truth = np.random.default_rng(0).normal(0, 50_000, len(signs))
    evaluation = evaluate(
        Judged(
            task="regression",
            truth=truth,
            challenger=Answers(truth + signs * RMSE, ()),
            champion=Answers(truth - signs * (RMSE + 0.03), ()),
            against="version",
            must_beat=True,
            segments=pd.DataFrame(index=range(len(signs))),
        ),
        RetrainPolicy(floors={"root_mean_squared_error": 12345.7}),
    )
    verdict = "; ".join(check.sentence for check in evaluation.checks)
    return retraining().model_copy(update={"evaluation": evaluation, "verdict": verdict})


def test_champion_and_challenger_read_the_same_on_page_mail_and_chat_and_in_the_sentences_of_the_gate() -> None:
    result, monitor = judged(), samples.monitor()
    message = retraining_mail.build_retraining(monitor, result, SENDER)
    assert message is not None
    chat_message = retraining_mail.chat_message(monitor, result)
    texts = {
        "page": Page(pages.retraining_page(monitor, result)).text,
        "monitor_page": Page(pages.monitor_page(monitor, [samples.view().tonight], [remember(result)])).text,
        "mail": part(message, "plain"),
        "html_mail": Page(part(message, "html").encode()).text,
        "subject": str(message["Subject"]),
        "chat": f"{chat_message.title}\n{chat_message.body}",
        "gate": result.evaluation.checks[0].sentence if result.evaluation else "",
    }
    for name, text in texts.items():
        assert "root mean squared error 12,345.68 against 12,345.71" in text, name
    for name in ("page", "mail", "html_mail", "chat", "gate"):
        assert "better by 0.030" in texts[name] or "+0.030" in texts[name], name


def test_a_retraining_says_once_what_its_night_had_found() -> None:
    asked = retraining()
    by_hand = asked.model_copy(update={"reason": "the 50% campaign has begun"})
    for result, words in (
        (asked, "Started because: 9 of 18 columns drifted (50%), over the limit of 30%"),
        (
            by_hand,
            "Started because: the 50% campaign has begun; its night: 9 of 18 columns drifted (50%), over the limit",
        ),
    ):
        message = retraining_mail.build_retraining(samples.monitor(), result, SENDER)
        assert message is not None
        for text in (Page(pages.retraining_page(samples.monitor(), result)).text, part(message, "plain")):
            assert words in text
            assert text.count("9 of 18 columns drifted (50%)") == 1


@pytest.mark.parametrize("share", [None, 0.5])
def test_a_retraining_of_an_earlier_version_says_the_share_that_it_knows(share: float | None) -> None:
    old = retraining().model_copy(update={"reason": "asked", "night_reason": None, "drift_share": share})
    text = Page(pages.retraining_page(samples.monitor(), old)).text
    assert ("50% of the columns had drifted" in text) == (share is not None)
