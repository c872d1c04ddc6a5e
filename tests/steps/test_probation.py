"""A new champion and the one before it on the same rows: what is found, what is done about it, and that once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import OutletRefused
from pipeline.results import ProbationResult, Watch
from pipeline.retrain.beside import answered
from pipeline.retrain.champion.promotion import move_of, promote
from pipeline.retrain.champion.registry import CHALLENGER, CHAMPION, Registry, Version
from pipeline.steps import probation, standing
from pipeline.steps import retraining as retrain_steps
from pipeline.steps.probation import watch_champion
from pipeline.steps.rebuilding import rebuild
from pipeline.steps.walk import run_night
from pipeline.storage.lease import Lease
from pipeline.storage.run_store import RunStore
from tests.project import Project
from tests.publish.reading import Page
from tests.retrain.world import FIRST, World
from tests.servers.pushgateway import Pushgateway
from tests.servers.smtp import Flavour, SmtpServer
from tests.servers.webhook import Webhook

pytestmark = pytest.mark.slow

QUICK, IGNORANT = "tests.retrain.trainers:quick", "tests.retrain.trainers:ignorant"
NOW = datetime(2026, 1, 4, 9, tzinfo=UTC)
NOTIFY = {"email": ["team@example.com"]}


def silent(_: str) -> None:
    pass


@dataclass
class Planted:
    """A world in which version 1 learnt something and version 2, which learnt nothing, was promoted by hand.

    That was after the night of the 4th; nights have labels up to the 10th. It can be put back as it was at first.
    """

    world: World
    kept: Path
    tracking_uri: str

    @property
    def root(self) -> Path:
        return self.world.project.root

    def restore(self) -> None:
        """MLflow's database is open, so its file has to stay the same one."""
        live = self.root.parent
        for item in live.iterdir():
            if item.is_dir():
                shutil.rmtree(item)
        shutil.copytree(self.kept, live, symlinks=True, dirs_exist_ok=True)

    def registry(self) -> Registry:
        return Registry("people", self.tracking_uri)

    def champion(self) -> Version:
        found = self.registry().at(CHAMPION)
        assert found is not None
        return found

    def labels(self, number: int) -> Path:
        return self.root / f"data/labels/dt={FIRST + timedelta(days=number - 1)}/part-0.parquet"

    def mail(self) -> str:
        """What people are told of the champion, as it lies in the store."""
        content = (self.world.store / "people" / "retraining" / "champion.eml").read_bytes()
        body = message_from_bytes(content, policy=default).get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    def watch(self, number: int) -> ProbationResult:
        return watch_champion(self.world.night(number), silent)

    def probation(self, number: int) -> Watch:
        found = self.watch(number).probation
        assert found is not None
        return found


@pytest.fixture(scope="module")
def _planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    folder, kept = tmp_path_factory.mktemp("planted"), tmp_path_factory.mktemp("kept")
    project, database = Project(folder / "project"), folder / "mlflow.db"
    found = Planted(World(project), kept, f"sqlite:///{database}")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables(found).items():
            patch.setenv(name, value)
        found.world.write_nights(*[0] * 10)
        for number, trainer in ((3, QUICK), (4, IGNORANT)):
            found.world.write_monitor(trainer=trainer)
            retrain_steps.retrain(found.world.night(number), "tested", progress=silent)
        retrain_steps.promote(found.world.night(4), "2", NOW)
        found.world.write_monitor(trainer=QUICK, notify=NOTIFY)
        assert found.champion().number == "2"
        _answer(found, 6)  # nights 5 and 6, so that no test has to wait for models
    shutil.copytree(folder, kept, symlinks=True, dirs_exist_ok=True)
    return found


def _answer(planted: Planted, number: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probation, "_act", lambda night, watched, moment, untold: (watched, untold))
        planted.watch(number)
    shutil.rmtree(planted.world.store / "people" / ".work")


def variables(planted: Planted) -> dict[str, str]:
    return {**planted.world.project.environment(), "MLFLOW_TRACKING_URI": planted.tracking_uri, "OMP_NUM_THREADS": "1"}


@pytest.fixture
def planted(_planted: Planted, monkeypatch: pytest.MonkeyPatch) -> Planted:
    for name, value in variables(_planted).items():
        monkeypatch.setenv(name, value)
    _planted.restore()
    return _planted


def test_a_champion_that_is_worse_is_rolled_back_by_itself_with_the_evidence(planted: Planted) -> None:
    night = planted.world.night(6)
    before = standing.reference(night, night.cache()).digest

    assert planted.probation(5).done == "watching"  # its labels are due a day later, so nothing can be told yet
    found = planted.probation(6)

    assert (found.version, found.against, found.since, found.nights) == ("2", "1", FIRST + timedelta(days=4), 2)
    assert (found.rows, found.labelled_rows, found.decision, found.done) == (800, 400, "worse", "rolled_back")
    assert found.loss is not None
    assert found.loss.loss == "log_loss"
    assert (found.loss.low or 0) > 0
    assert found.main is not None
    assert found.main.name == "roc_auc"
    assert planted.champion().number == "1"
    assert standing.reference(night, night.cache()).digest != before
    said = planted.mail()
    assert "Rolled back to version 1: version 2 was worse in its probation" in said
    assert "Version 1 is the champion, in place of version 2: Nightjar moved it" in said
    assert found.sentence[1:] in said
    assert "Both answered 800 rows of 2 nights, with the same prediction for" in said
    assert "rolled back in its probation since" in page(planted, "index.html")
    assert "it was worse in its probation" in page(planted, "retraining/2026-01-04/index.html")


def page(planted: Planted, name: str) -> str:
    return (planted.world.store / "people" / name).read_text(encoding="utf-8")


def test_again_is_no_second_step_back_and_no_second_mail(
    planted: Planted, smtp_server: Callable[[Flavour], SmtpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = smtp_server("plain")
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)
    before, first = planted.probation(5), planted.probation(6)

    assert planted.probation(6) == first
    assert planted.watch(7).probation is None
    assert planted.probation(5) == before  # an old night that is run again keeps what was found on it
    assert planted.champion().number == "1"
    assert len(server.mails) == 1


def test_without_labels_it_waits_and_late_labels_decide_without_a_second_asking(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = planted.labels(5).read_bytes()
    planted.labels(5).unlink()
    monkeypatch.setattr(answered, "ask", None)  # nobody is asked again

    waiting = planted.probation(6)
    planted.labels(5).write_bytes(late)
    pd.read_parquet(planted.labels(5)).head(60).to_parquet(planted.labels(5))
    part = planted.probation(6)
    planted.labels(5).write_bytes(late)
    whole = planted.probation(6)

    assert (waiting.done, waiting.nights, waiting.labelled_rows) == ("watching", 2, 0)
    assert waiting.agreement is not None
    assert (part.decision, part.labelled_rows) == ("open", 60)
    assert (whole.done, whole.labelled_rows) == ("rolled_back", 400)


def test_a_night_that_was_replaced_is_asked_anew(planted: Planted) -> None:
    before = planted.probation(5)
    planted.world.write_night(5, labels=False, rows=300)

    assert (before.rows, planted.probation(5).rows) == (400, 300)


def test_a_person_is_asked_once_where_a_person_decides(
    planted: Planted, smtp_server: Callable[[Flavour], SmtpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    planted.world.write_monitor(trainer=QUICK, notify=NOTIFY, mode="propose")
    server = smtp_server("plain")
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)

    shutil.rmtree(planted.root / "data/production/dt=2026-01-07")

    found = [planted.probation(number) for number in (6, 7, 6)]

    assert {item.done for item in found} == {"proposed"}
    assert planted.champion().number == "2"
    assert [str(mail.message["Subject"]) for mail in server.mails] == [
        "[people] version 2 is worse than version 1 in its probation: roll back?"
    ]
    assert "python -m pipeline rollback people --from 2" in str(server.mails[0].message.get_body(("plain",)))
    retrain_steps.rollback(planted.world.night(6), NOW, "2")
    assert planted.champion().number == "1"


def test_a_mail_that_was_refused_is_told_later_and_the_rollback_is_not_repeated(
    planted: Planted, smtp_server: Callable[[Flavour], SmtpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = smtp_server("plain")
    server.refuse("554 5.7.1 No thanks")
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)
    with pytest.raises(OutletRefused, match="version 1 is champion"):
        planted.watch(6)
    kept = planted.world.night(6).load(ProbationResult)
    assert kept.rolled_back
    second = smtp_server("plain")
    monkeypatch.setenv("PIPELINE_SMTP_URL", second.url)

    planted.watch(7)  # whichever night comes next

    assert planted.champion().number == "1"
    assert [str(mail.message["Subject"]) for mail in second.mails] == [
        "[people] rolled back to version 1: version 2 was worse in its probation"
    ]


def test_a_version_that_a_person_promotes_in_spite_of_its_probation_is_not_undone_again(planted: Planted) -> None:
    planted.watch(6)
    retrain_steps.promote(planted.world.night(6), "2", NOW + timedelta(days=1))

    found = planted.probation(6)

    assert found.done == "proposed"
    assert any("was promoted all the same" in note for note in found.notes)
    assert planted.champion().number == "2"


def test_the_days_after_a_rollback_hold_retraining_back(planted: Planted) -> None:
    night = planted.world.night(6)
    for name in ("snapshots", "quality", "drift", "performance", "decision"):
        night.publish({f"{name}.json": b"{}"})
    planted.watch(6)
    retrainings = planted.world.store / "people" / "retraining"
    for day in ("2026-01-03", "2026-01-04"):
        (retrainings / day).unlink()
    nights = [planted.world.night(number) for number in (6, 7, 12)]

    week = timedelta(days=7)
    found = [standing._requests(night, night.run_date - week, night.run_date) for night in nights]

    assert found == [[], [date(2026, 1, 6)], [date(2026, 1, 6)]]


def test_a_better_champion_is_kept_and_nothing_more_is_said_after_its_time(planted: Planted) -> None:
    retrain_steps.rollback(planted.world.night(4), NOW, "2")
    planted.world.write_monitor(trainer=QUICK, probation_days=2)
    retrain_steps.promote(planted.world.night(4), "2", NOW)
    retrain_steps.promote(planted.world.night(4), "1", NOW)

    found = planted.probation(6)

    assert (found.version, found.against, found.decision, found.done) == ("1", "2", "better", "kept")
    planted.probation(7)  # the labels of the last night come a day later
    assert planted.watch(8) == ProbationResult(monitor="people", run_date=date(2026, 1, 8))
    assert not list((planted.world.store / "people" / ".probation").rglob("2026-01-0[56].parquet"))
    assert planted.champion().number == "1"


def test_what_cannot_be_compared_is_a_sentence_and_no_failed_night(planted: Planted) -> None:
    shutil.rmtree(planted.world.store / "people" / ".probation")
    before = planted.registry().version("1")
    assert before is not None
    shutil.rmtree(before.source.removeprefix("file://"))

    found = planted.probation(5)

    assert found.done == "not_possible"
    assert "version 2 and version 1 cannot be compared: people version 1: its files are gone" in found.sentence
    assert planted.champion().number == "2"


def test_a_night_without_a_column_that_a_version_learnt_from_is_left_out(planted: Planted) -> None:
    path = planted.root / "data/production/dt=2026-01-05/part-0.parquet"
    pd.read_parquet(path).drop(columns="income").to_parquet(path)

    found = planted.probation(5)

    assert (found.nights, found.decision) == (0, "open")
    assert found.notes == ("2026-01-05: left out, production has no column income, which version 2 learnt from",)


def test_labels_that_cannot_be_used_are_said(planted: Planted) -> None:
    path = planted.labels(5)
    pd.read_parquet(path).drop(columns="label").to_parquet(path)

    found = planted.probation(6)

    assert (found.nights, found.labelled_rows, found.done) == (2, 0, "watching")
    assert "its labels cannot be used" in found.notes[0]


def test_the_first_champion_has_nobody_beside_it(planted: Planted) -> None:
    client_of(planted).delete_registered_model_alias("people", CHAMPION)
    first = planted.registry().version("1")
    assert first is not None
    promote(planted.registry(), first, Lease())

    found = planted.watch(4)

    assert found.probation is None
    assert found.words == "version 1 is the first champion, so no other one can answer beside it"


def client_of(planted: Planted) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=planted.tracking_uri)


def test_a_challenger_in_waiting_answers_beside_the_champion(planted: Planted) -> None:
    retrain_steps.rollback(planted.world.night(4), NOW, "2")
    planted.world.write_monitor(trainer=QUICK, shadow="challenger")
    waits = planted.registry().version("2")
    assert waits is not None
    planted.registry().point(CHALLENGER, waits)

    found = planted.watch(6)

    assert found.probation is None
    assert found.shadow is not None
    assert (found.shadow.version, found.shadow.against, found.shadow.decision) == ("2", "1", "worse")
    assert found.shadow.done == "watching"
    assert planted.champion().number == "1"


def test_a_night_publishes_what_was_found_and_again_changes_nothing(planted: Planted) -> None:
    night = planted.world.night(6)

    first = run_night(night, silent)
    published = night.published()
    assert first.errors == ()
    assert planted.champion().number == "1"
    assert ProbationResult.model_validate_json(published["probation.json"]).rolled_back

    text = Page(published["index.html"]).text
    assert "Champion rolled back to version 1" in text or "; champion rolled back to version 1" in text
    assert "Rolled back: version 1 is the champion again." in text
    assert b"champion_rolled_back 1.0" in published["probation.prom"]
    assert "Version 2 was worse in its probation, and was rolled back to version 1" in page(planted, "index.html")
    pages = contents(planted.world.store)
    rebuild(night.settings, silent)
    assert contents(planted.world.store) == pages

    again = run_night(night, silent)
    assert again.errors == ()
    assert night.published()["probation.json"] == published["probation.json"]
    assert planted.champion().number == "1"


def contents(store: Path) -> dict[str, bytes]:
    """Every page, and what the store remembers of nights."""
    return {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*.html")}


def test_the_gauges_of_a_probation_are_pushed_until_it_is_over(
    planted: Planted, pushgateway: Pushgateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_PUSHGATEWAY_URL", pushgateway.url)
    for number, states in ((5, (1, 0)), (6, (0, 1)), (7, (0, 0))):
        planted.watch(number)
        names = ("model_monitor_champion_on_probation", "model_monitor_champion_rolled_back")
        assert tuple(pushgateway.value(name, monitor="people") for name in names) == states


def test_no_registry_costs_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probation, "_watch", None)
    assert watch_champion(project.complete(), silent).words == "no version is on probation"


class Crash(BaseException):
    """The process ends here."""


def crash_before_change(number: int, patch: pytest.MonkeyPatch) -> list[str]:
    """End the process before the n-th change from now on, of the registry or the store; the changes that were tried."""
    tried: list[str] = []

    def wrapped(owner: type, name: str) -> None:
        change = getattr(owner, name)

        def made(*arguments: Any, **named: Any) -> Any:
            tried.append(f"{name} {arguments[1:3]} {arguments[-1] if name == 'note_receipt' else ''}")
            if len(tried) == number:
                raise Crash
            return change(*arguments, **named)

        patch.setattr(owner, name, made)

    for name in ("tag", "point"):
        wrapped(Registry, name)
    for name in ("save", "publish_night", "replace_in_night", "write_page", "note_receipt"):
        wrapped(RunStore, name)
    return tried


def test_a_kill_between_any_two_steps_ends_the_same_when_it_is_repeated(
    planted: Planted,
    smtp_server: Callable[[Flavour], SmtpServer],
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = smtp_server("plain")
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)
    monkeypatch.setenv("PROMOTED_URL", webhook.url)
    ends = []
    for step in count(1):
        planted.restore()
        planted.world.write_monitor(trainer=QUICK, notify=NOTIFY, after_promotion={"webhook": "PROMOTED_URL"})
        retrain_steps.tell_untold(planted.world.night(4), NOW)  # of the promotion by hand
        server.mails.clear()
        webhook.requests.clear()
        with monkeypatch.context() as patch, suppress(Crash):
            tried = crash_before_change(step, patch)
            planted.watch(6)
        found = planted.probation(6)

        move = move_of(planted.champion())
        assert move is not None
        assert (planted.champion().number, move.number, move.event, move.by) == ("1", 3, "rolled_back", "probation")
        assert (found.done, found.version) == ("rolled_back", "2"), tried[-1]
        assert [request.json()["event"] for request in webhook.requests][:1] == ["rolled_back"], tried[-1]
        subjects = {str(mail.message["Subject"]) for mail in server.mails}
        assert subjects == {"[people] rolled back to version 1: version 2 was worse in its probation"}, tried[-1]
        # Between the mail and the note of it; before it is sent, there is a note that there is room for one.
        is_between = tried[-1].startswith("note_receipt") and "nothing was sent yet" not in tried[-1]
        assert len(server.mails) == 1 + is_between, tried[-1]
        assert "rolled back in its probation since" in page(planted, "index.html"), tried[-1]
        ends.append(found)
        if len(tried) < step:
            break
    assert len(ends) > 10
    assert len({end.to_json() for end in ends}) == 1
