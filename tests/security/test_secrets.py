"""Secrets are told to what needs them, and to no log, page, error or trainer."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from pipeline.cli import main
from pipeline.config import load_settings
from pipeline.config import monitor_files as monitors
from pipeline.config.retrain_policy import AfterPromotion
from pipeline.errors import ConfigError, OutletRefused, OutletUnavailable, QualityGateFailed, unspoken
from pipeline.publish.messages.chat import ChatMessage, deliver
from pipeline.results import AliasChange
from pipeline.retrain.champion import hook
from pipeline.storage.run_store import RunStore
from tests.project import Project
from tests.servers.processes import free_port
from tests.servers.s3 import S3
from tests.servers.webhook import Webhook

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # apprise's modules, when it loads them

TOKEN = "T0KENT0KENT0KEN"
CHANGE = AliasChange(
    monitor="churn",
    event="promoted",
    version="7",
    previous_version=None,
    model_uri="models:/churn/7",
    model_source="x",
    training_uri=None,
    training_sha256=None,
)


class Log(logging.Handler):
    """What a process logs where it logs all it can, tracebacks included."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.name, logging.Formatter().format(record)))

    @property
    def text(self) -> str:
        return "\n".join(line for _, line in self.lines)


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """The log, once settings were read, as every command and task does."""
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    root, log = logging.getLogger(), Log()
    before = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(log)
    load_settings()
    yield log
    root.removeHandler(log)
    root.setLevel(before)


@pytest.mark.parametrize(
    "url",
    [
        f"slack://{TOKEN}",
        f"discord://{TOKEN}",
        f"tgram://{TOKEN}",
        f"nonsense://{TOKEN}",
        f"msteams://{TOKEN}",
        f"json://user:{TOKEN}@127.0.0.1:{{port}}/{TOKEN}?token={TOKEN}",
        f"no address at all {TOKEN}",
    ],
)
def test_no_log_and_no_error_has_the_address_of_a_channel(everything: Log, url: str) -> None:
    with pytest.raises((OutletRefused, OutletUnavailable)) as raised:
        deliver("team", url.format(port=free_port()), ChatMessage("title", "body"), sleep=lambda _: None)
    assert "PIPELINE_CHANNEL_TEAM" in str(raised.value)
    assert TOKEN not in str(raised.value) + everything.text


def test_no_log_and_no_error_has_the_address_of_a_webhook(everything: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVING_URL", f"http://user:{TOKEN}@127.0.0.1:{free_port()}/{TOKEN}")
    told, wrong = hook.tell(AfterPromotion(webhook="SERVING_URL"), CHANGE)
    assert (told, wrong) == (None, "the webhook of SERVING_URL did not answer")
    assert TOKEN not in everything.text


def raising(change: AliasChange) -> None:
    """As a hook of one's own does, whose library quotes the address that it could not reach."""
    try:
        raise OSError(f"Max retries exceeded with url: /{TOKEN}")
    except OSError as error:
        raise RuntimeError(f"cannot reach https://serving.example/{TOKEN}") from error


def test_a_hook_that_raises_is_told_by_type_and_line_in_the_log_as_well(everything: Log) -> None:
    wrong = hook.tell(AfterPromotion(call="tests.security.test_secrets:raising"), CHANGE)[1]
    assert "RuntimeError in test_secrets.py:" in str(wrong)
    assert "OSError" in everything.text  # what it was raised from is there, too
    assert TOKEN not in str(wrong) + everything.text


def test_credentials_of_the_store_are_in_no_log(everything: Log, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", TOKEN)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    RunStore(s3.uri("store")).write_page("churn/index.html", b"page")
    assert s3.get("store/churn/index.html") == b"page"
    assert TOKEN not in everything.text
    assert not [name for name, _ in everything.lines if name.startswith(("botocore", "boto3", "urllib3"))]


def test_a_stricter_level_stays() -> None:
    logger = logging.getLogger("urllib3.connectionpool")
    logger.setLevel(logging.CRITICAL)
    load_settings()
    assert logger.level == logging.CRITICAL
    logger.setLevel(logging.ERROR)


@pytest.mark.parametrize(
    ("line", "scheme"),
    [
        ("retrain: {after_promotion: {webhook: 'https://hooks.example/T000/%s'}}", "https://..."),
        ("notify: {channels: ['slack://%s/B/C']}", "slack://..."),
        ("owner: {'url': 'discord://%s/x'}", ""),
        ("'tgram://%s/x': 1", "tgram://..."),
        ("schedule: 'smtp://a:%s@b'", "smtp://..."),
        ("nonsense: [ 'slack://%s'", ""),
    ],
)
def test_an_address_under_a_wrong_key_is_told_by_its_scheme_alone(
    project: Project, line: str, scheme: str, capsys: pytest.CaptureFixture[str]
) -> None:
    project.complete()
    path = project.root / "monitors/people.yaml"
    section = line.partition(":")[0]
    kept = [text for text in path.read_text().splitlines(keepends=True) if not text.startswith(section)]
    path.write_text("".join(kept) + line % TOKEN + "\n")
    with pytest.raises(ConfigError) as raised:
        monitors.load("people", project.settings)
    assert TOKEN not in str(raised.value)
    assert TOKEN not in "".join(raised.value.problems)
    assert scheme in str(raised.value)
    assert main(["check"]) == 2
    assert main(["run", "people", "--date", "2026-01-14"]) == 2
    assert TOKEN not in "".join(capsys.readouterr())


def test_where_a_snapshot_lies_is_no_secret(project: Project) -> None:
    project.write_suite()
    project.write_monitor(snapshots={"reference": "s3://bucket/a", "production": "s3://bucket/{dat}/"})
    with pytest.raises(ConfigError, match=r"s3://bucket/\{dat\}/"):
        monitors.load("people", project.settings)


def test_an_error_without_its_words_keeps_its_type_its_place_and_what_it_came_from() -> None:
    try:
        raising(CHANGE)
    except RuntimeError as error:
        told = unspoken(error)
        assert (str(told), str(told.__cause__)) == ("RuntimeError", "OSError")
        assert told.__traceback__ is error.__traceback__
        assert told.whole is error  # type: ignore[attr-defined]
    own = unspoken(QualityGateFailed("2 critical expectations failed"))
    assert (type(own), str(own)) == (QualityGateFailed, "2 critical expectations failed")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_webhook_is_not_sent_on_to_another_place(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("SERVING_URL", webhook.url + "/here")
    webhook.respond(status, headers={"Location": webhook.url + "/elsewhere"})
    wrong = hook.tell(AfterPromotion(webhook="SERVING_URL"), CHANGE)[1]
    assert wrong == f"the webhook of SERVING_URL answered {status}"
    assert [request.path for request in webhook.requests] == ["/here"]
