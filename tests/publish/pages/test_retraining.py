"""A retraining as people and programs read it: its page, its mail, its gauges, and its marks on other pages."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline.config import Settings
from pipeline.errors import OutletUnavailable
from pipeline.publish import charts, pages
from pipeline.publish.facts.fleet import Watched
from pipeline.publish.facts.retraining import remember
from pipeline.publish.gauges import night as gauges
from pipeline.publish.gauges import retraining as retrain_gauges
from pipeline.publish.messages.retraining_mail import build_retraining, chat_message
from pipeline.publish.pages import retraining_page
from pipeline.results import RetrainResult, RetrainStatus
from pipeline.steps import nightly as steps
from pipeline.steps import pages as site
from pipeline.steps import telling as notify_steps
from pipeline.steps.walk import run_night
from pipeline.storage.run_store import RunStore
from tests.project import Project
from tests.publish import samples
from tests.publish.gauges.test_gauges import HOSTILE, NOW, read
from tests.publish.nights import past
from tests.publish.pages.test_night import Page
from tests.publish.retrainings import STATUSES, WITH_A_MODEL, evaluation, retraining
from tests.servers.browser import BrowserWindows
from tests.servers.pushgateway import Pushgateway
from tests.servers.smtp import Flavour, SmtpServer

SUBJECTS: dict[RetrainStatus, str] = {
    "promoted": "[churn] retraining promoted version 3 on 2026-01-14: ROC AUC 0.812 against 0.780",
    "proposed": "[churn] retraining proposes version 3 on 2026-01-14: ROC AUC 0.812 against 0.780",
    "rejected": "[churn] retraining rejected version 3 on 2026-01-14: ROC AUC 0.812 against 0.780",
    "superseded": "[churn] retraining left version 3 waiting on 2026-01-14: ROC AUC 0.812 against 0.780",
    "no_labels": "[churn] retraining not done: no labels on 2026-01-14",
    "too_few_labels": "[churn] retraining not done: too few labels on 2026-01-14",
    "quality_failed": "[churn] retraining not done: the training data is broken on 2026-01-14",
    "failed": "[churn] retraining failed on 2026-01-14",
}
COMMANDS: dict[RetrainStatus, str | None] = {
    "promoted": "python -m pipeline rollback churn",
    "proposed": "python -m pipeline promote churn 3",
    "rejected": None,
    "superseded": "python -m pipeline promote churn 3",
    "no_labels": "python -m pipeline retrain churn --date 2026-01-14",
    "too_few_labels": "python -m pipeline retrain churn --date 2026-01-14",
    "quality_failed": "python -m pipeline retrain churn --date 2026-01-14",
    "failed": "python -m pipeline retrain churn --date 2026-01-14",
}


def page(result: RetrainResult) -> Page:
    return Page(retraining_page(samples.monitor(), result))


def built(result: RetrainResult, base: str | None = "https://reports.example.com/nightjar/") -> EmailMessage:
    message = build_retraining(samples.monitor(), result, "nightjar@example.com", base)
    assert message is not None
    return message


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    content: str = found.get_content()
    return content


def hostile() -> RetrainResult:
    """Every text that comes from data, from a trainer or from a file was chosen by somebody with care."""
    text = " ".join(HOSTILE[:6])
    whole = retraining("rejected")
    assert whole.evaluation is not None
    assert whole.lineage is not None
    assert whole.quality is not None
    segments = tuple(
        item.model_copy(update={"column": name, "value": name})
        for item, name in zip(whole.evaluation.segments, HOSTILE, strict=False)
    )
    checks = tuple(item.model_copy(update={"sentence": text}) for item in whole.evaluation.checks)
    outcomes = tuple(item.model_copy(update={"sentence": text, "passed": False}) for item in whole.quality.outcomes)
    fields = ("run_id", "model_uri", "training_uri", "code_version", "trainer")
    lineage = whole.lineage.model_copy(
        update={**dict.fromkeys(fields, text), "parameters": dict.fromkeys(HOSTILE, text)}
    )
    return whole.model_copy(
        update={
            "reason": text,
            "verdict": text,
            "told": text,
            "lineage": lineage,
            "evaluation": whole.evaluation.model_copy(update={"segments": segments, "checks": checks}),
            "quality": whole.quality.model_copy(update={"outcomes": outcomes}),
        }
    )


@pytest.mark.parametrize("status", STATUSES)
def test_every_outcome_has_a_page_with_verdict_reason_and_next_step(status: RetrainStatus) -> None:
    result = retraining(status)
    found = page(result)
    assert result.verdict[1:] in found.text
    assert result.reason in found.text
    assert found.text.index(result.verdict[1:]) < found.text.index("What happens next")
    assert (COMMANDS[status] or "Nothing to do") in found.text
    assert ("Champion against challenger" in found.text) == (status in WITH_A_MODEL)
    assert found.tags.count("h1") == 1
    assert not found.handlers
    assert not found.styles
    assert len(found.identifiers) == len(set(found.identifiers))
    assert "script" not in found.tags


@pytest.mark.parametrize("status", STATUSES)
def test_every_outcome_has_a_mail_in_the_thread_of_the_nights(status: RetrainStatus) -> None:
    message = built(retraining(status))
    assert message["Subject"] == SUBJECTS[status]
    assert message["References"] == message["In-Reply-To"] == "<nights.churn@example.com>"
    text, html = part(message, "plain"), part(message, "html")
    assert retraining(status).verdict[1:] in text
    assert (COMMANDS[status] or "Nothing to do") in text
    assert "https://reports.example.com/nightjar/churn/retraining/2026-01-14/index.html" in text
    assert len(html) < 80_000
    assert chat_message(samples.monitor(), retraining(status)).title == SUBJECTS[status]


def test_equal_results_give_equal_bytes() -> None:
    assert retraining_page(samples.monitor(), retraining()) == retraining_page(samples.monitor(), retraining())
    assert built(retraining()).as_bytes() == built(retraining()).as_bytes()
    assert retrain_gauges.exposition(retraining()) == retrain_gauges.exposition(retraining())


def test_intervals_are_drawn_around_zero_and_said_in_words() -> None:
    html = retraining_page(samples.monitor(), retraining()).decode()
    assert html.count('class="interval better"') + html.count('class="interval worse"') > 0
    assert html.count('<svg class="interval') == 7 + 6
    assert "+0.032" in html
    assert "+0.010 to +0.054" in html
    assert "within the noise" in html


def test_an_interval_lies_on_its_side_of_zero_which_is_in_the_middle() -> None:
    def ends(low: float, value: float, high: float) -> tuple[float, float]:
        found = re.search(r'<rect x="([\d.]+)%" y="7" width="([\d.]+)%"', charts.interval_bar(low, value, high, 0.1))
        assert found is not None
        return float(found[1]), float(found[1]) + float(found[2])

    assert ends(0.01, 0.03, 0.05)[0] > 50
    assert ends(-0.05, -0.03, -0.01)[1] < 50
    left, right = ends(-0.02, 0.01, 0.04)
    assert left < 50 < right
    assert ends(-9, 0, 9) == (2, 98)


def test_a_segment_that_falls_comes_first_and_is_named() -> None:
    text = page(retraining("rejected")).text
    assert "falls too far" in text
    assert text.index("plan = basic 3,120 rows, falls too far") < text.index("country = DE")
    assert "too few rows to judge" in text


def test_a_first_model_is_shown_without_a_champion() -> None:
    result = retraining().model_copy(update={"evaluation": evaluation(against="nobody")})
    assert "Champion against challenger" not in page(result).text
    assert remember(result).figures == "ROC AUC 0.812"


def test_the_data_and_where_the_model_comes_from_are_whole() -> None:
    result = retraining()
    assert result.lineage is not None
    text = page(result).text
    for fact in (
        "49,321 rows",
        "6,836 rows",
        "1,204 rows left out",
        "2 nights: 2026-01-13 to 2026-01-14",
        "10 nights: 2025-12-22 to 2025-12-31",
        "models:/churn/3",
    ):
        assert fact in text, fact
    for fact in (result.lineage.training_sha256, result.lineage.training_uri, result.lineage.run_id, "1.4.0 (a5c6f9f)"):
        assert fact in text, fact


def test_what_a_person_did_since_is_not_asked_for_again() -> None:
    result = retraining("proposed")
    moved = result.model_copy(update={"since": "promoted by hand"})
    assert "pipeline promote" not in page(moved).text
    assert remember(moved).promoted
    assert remember(moved).headline == "proposes version 3, promoted by hand since"


def test_a_version_that_was_rolled_back_is_no_promotion() -> None:
    back = remember(retraining().model_copy(update={"since": "rolled back"}))
    assert not back.promoted
    assert back.headline == "promoted version 3, rolled back since"
    assert back.sign == "absent"


def test_hostile_text_adds_no_element_and_no_address() -> None:
    found = page(hostile())
    assert "script" not in found.tags
    assert set(found.addresses) == {*page(retraining("rejected")).addresses}
    assert not found.handlers
    html = part(built(hostile()), "html")
    assert "<script" not in html
    assert "\u202e" not in html


def test_the_gauges_say_what_the_result_says() -> None:
    found = read(retrain_gauges.exposition(retraining()))
    assert [labels["status"] for labels, value in found["retraining_status"] if value] == ["promoted"]
    assert len(found["retraining_status"]) == len(STATUSES)
    assert found["retraining_champion_version"] == [({}, 3.0)]
    assert ({"metric": "roc_auc", "model": "champion"}, 0.7804) in found["retraining_performance"]
    assert ({"metric": "roc_auc", "model": "challenger"}, 0.8123) in found["retraining_performance"]
    rejected = read(retrain_gauges.exposition(retraining("rejected")))
    assert rejected["retraining_champion_version"] == [({}, 2.0)]
    assert "retraining_performance" not in read(retrain_gauges.exposition(retraining("no_labels")))


def test_nights_and_retrainings_leave_each_others_gauges_alone(pushgateway: Pushgateway) -> None:
    night = gauges.exposition(samples.view())
    gauges.push(night, "churn", pushgateway.url, NOW)
    retrain_gauges.push(retrain_gauges.exposition(retraining()), "churn", pushgateway.url, NOW + 1)
    gauges.push(night, "churn", pushgateway.url, NOW + 2)
    assert pushgateway.value("model_monitor_last_success_timestamp_seconds", monitor="churn") == NOW + 2
    assert pushgateway.value("model_monitor_last_retraining_timestamp_seconds", monitor="churn") == NOW + 1
    assert pushgateway.value("model_monitor_retraining_status", monitor="churn", status="promoted") == 1
    retrain_gauges.push(retrain_gauges.exposition(retraining("no_labels")), "churn", pushgateway.url, NOW + 3)
    assert not pushgateway.samples("model_monitor_retraining_performance")
    assert pushgateway.value("model_monitor_drift_share_ratio", job="nightjar", monitor="churn") == 0.5


def test_a_held_night_names_the_reason_everywhere() -> None:
    decision = samples.decision().model_copy(update={"retrain": False, "hold": "cooldown"})
    view = dataclasses.replace(samples.view(), decision=decision)
    assert view.subject.endswith("retraining held: cooldown")
    assert "Retraining held: cooldown" in Page(pages.night_page(view)).text
    held = read(gauges.exposition(view))["retraining_held"]
    assert [labels["reason"] for labels, value in held if value] == ["cooldown"]
    assert len(held) == 7
    monitor = Page(pages.monitor_page(samples.monitor(), [view.tonight])).text
    assert "held: cooldown" in monitor
    assert "retraining held: cooldown" in Page(pages.fleet_page([Watched(samples.monitor(), [view.tonight])])).text


def test_a_night_links_to_its_retraining() -> None:
    view = dataclasses.replace(samples.view(), retraining=remember(retraining()))
    assert "../retraining/2026-01-14/index.html" in Page(pages.night_page(view)).addresses
    assert "Retraining promoted version 3, ROC AUC 0.812 against 0.780." in Page(pages.night_page(view)).text


def test_the_time_line_marks_what_was_promoted_and_what_was_not() -> None:
    nights = past()
    asked = [night.run_date for night in nights if night.retrain][-2:]
    outcomes = [remember(retraining("rejected", asked[0])), remember(retraining("promoted", asked[1]))]
    html = pages.monitor_page(samples.monitor(), nights, outcomes)
    assert html.count(b'class="sign promoted"') == html.count(b'class="sign tried"') == 1
    found = Page(html)
    assert found.addresses.count(f"retraining/{asked[0]}/index.html") == 2
    assert "1 retraining was promoted (filled diamond)" in found.text
    assert "Rejected version 3" in found.text


def publish(project: Project, result: RetrainResult) -> tuple[RunStore, Settings]:
    store = RunStore(str(project.store))
    site.publish_retraining(store, project.settings, samples.monitor(), result)
    return store, project.settings


def test_the_monitors_page_is_the_same_when_rebuilt(project: Project) -> None:
    store, settings = publish(project, retraining())
    publish(project, retraining("no_labels", samples.RUN_DATE.replace(day=21)))
    project.write_text("monitors/churn.yaml", _monitor_file())
    before = {path: path.read_bytes() for path in pages_of(project)}
    site.rebuild(settings, lambda _: None)
    after = {path: path.read_bytes() for path in pages_of(project)}
    changed = [path for path in before if before[path] != after[path]]
    assert len(before) == 3
    assert not changed
    assert store.nights("churn/retraining") == [samples.RUN_DATE, samples.RUN_DATE.replace(day=21)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_night_that_asked_is_published_again_with_a_link_and_only_its_page_changes(project: Project) -> None:
    night = project.complete(drifted=True, notify={"email": ["team@example.com"]})
    run_night(night, lambda _: None)
    before = night.store.read_night(night.name, night.run_date)
    result = retraining().model_copy(update={"monitor": night.name})
    site.publish_retraining(night.store, night.settings, night.monitor, result)
    after = night.store.read_night(night.name, night.run_date)
    assert before is not None
    assert after is not None
    assert [name for name in after if after[name] != before.get(name)] == ["index.html"]
    assert b"../retraining/2026-01-14/index.html" in after["index.html"]
    steps.render_report(night)
    assert night.store.read_night(night.name, night.run_date) == after
    monitor = project.store / night.name / "index.html"
    shown = monitor.read_bytes()
    assert b"retraining/2026-01-14/index.html" in shown
    (project.store / night.name / "retraining" / "history.json").unlink()
    (project.store / night.name / "history.json").unlink()
    site.rebuild(night.settings, lambda _: None)
    assert night.store.read_night(night.name, night.run_date) == after
    assert monitor.read_bytes() == shown


def pages_of(project: Project) -> list[Path]:
    root = project.store / "churn"
    return [root / "index.html", *sorted(root.glob("retraining/2026-*/index.html"))]


def _monitor_file() -> str:
    import yaml

    return yaml.safe_dump(samples.monitor().model_dump(mode="json", exclude_unset=True), sort_keys=False)


def test_a_retraining_is_mailed_once_and_again_only_when_it_ended_otherwise(
    project: Project, smtp_server: Callable[[Flavour], SmtpServer]
) -> None:
    server = smtp_server("plain")
    store, settings = publish(project, retraining("proposed"))
    settings = settings.model_copy(update={"smtp_url": SecretStr(server.url)})
    tell = notify_steps.send_retraining
    assert "mail: sent" in tell(store, settings, samples.monitor(), retraining("proposed"))
    assert "mail: already sent" in tell(store, settings, samples.monitor(), retraining("proposed"))
    publish(project, retraining("promoted"))
    assert "mail: sent" in tell(store, settings, samples.monitor(), retraining("promoted"))
    assert [mail.message["Subject"] for mail in server.mails] == [SUBJECTS["proposed"], SUBJECTS["promoted"]]


def test_one_outlet_down_does_not_stop_the_others(
    project: Project, smtp_server: Callable[[Flavour], SmtpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OutletUnavailable("the Pushgateway does not answer")

    monkeypatch.setattr(retrain_gauges, "push", refuse)
    server = smtp_server("plain")
    store, settings = publish(project, retraining())
    addresses = Settings(smtp_url=SecretStr(server.url), pushgateway_url=SecretStr("http://127.0.0.1:9"))
    settings = settings.model_copy(
        update={"smtp_url": addresses.smtp_url, "pushgateway_url": addresses.pushgateway_url}
    )
    with pytest.raises(OutletUnavailable, match="Pushgateway"):
        notify_steps.send_retraining(store, settings, samples.monitor(), retraining())
    assert len(server.mails) == 1


def test_without_outlets_everything_is_a_file(project: Project) -> None:
    store, settings = publish(project, retraining())
    said = notify_steps.send_retraining(store, settings, samples.monitor(), retraining())
    assert "gauges: written to" in said
    assert "mail: written to" in said
    files = store.read_night("churn/retraining", samples.RUN_DATE)
    assert files is not None
    assert set(files) == {"retrain.json", "index.html", "gauges.prom", "summary.eml"}


@pytest.mark.parametrize("status", ["promoted", "rejected", "failed"])
@pytest.mark.parametrize("width", [360, 1440])
def test_a_browser_has_nothing_to_complain_about(
    status: RetrainStatus, width: int, browser: BrowserWindows, tmp_path: Path
) -> None:
    path = tmp_path / "index.html"
    path.write_bytes(retraining_page(samples.monitor(), retraining(status)))
    opened = browser(path, width=width)
    assert not opened.errors
    assert not opened.outside_requests
    assert opened.page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
