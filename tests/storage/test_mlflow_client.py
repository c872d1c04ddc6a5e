"""The way into MLflow: faults, addresses and the environment."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from pipeline.errors import NightjarError, OutletRefused, OutletUnavailable
from pipeline.publish.mlflow_run import log_night
from pipeline.storage import mlflow_client as mlflow_store
from tests.publish import samples
from tests.servers.loopback import LoopbackServer, QuietHandler, serving_thread
from tests.servers.processes import LOOPBACK, free_port

FILES = {"drift.json": b"{}\n"}
slow = pytest.mark.slow


class Answering(QuietHandler):
    """Answers every request with the same status."""

    status = 503
    body = b""

    def do_GET(self) -> None:
        self.read_body()
        self.answer(self.status, {"Content-Type": "application/json"}, self.body)

    do_POST = do_PUT = do_GET


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int, bytes], str]]:
    """Starts servers that give one answer to everything; the client tries twice."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    with ExitStack() as running:

        def start(status: int, body: bytes) -> str:
            server = LoopbackServer(type("Handler", (Answering,), {"status": status, "body": body}))
            running.enter_context(serving_thread(server))
            return server.url

        yield start


@slow
def test_a_server_that_is_down_can_be_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    uri = f"http://somebody:secret@{LOOPBACK}:{free_port()}"
    with pytest.raises(
        OutletUnavailable, match="connection refused; check that it runs, and host and port in MLFLOW"
    ) as caught:
        log_night(samples.view(), FILES, uri)
    assert LOOPBACK in str(caught.value)
    assert "secret" not in "".join(traceback.format_exception(caught.value, chain=True))


@slow
@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (503, b"", OutletUnavailable, "no usable answer"),
        (500, b'{"error_code": "INTERNAL_ERROR", "message": "no disk"}', OutletUnavailable, "no usable answer"),
        (429, b"", OutletUnavailable, "no usable answer"),
        (401, b"You are not authenticated.", OutletRefused, "MLFLOW_TRACKING_USERNAME"),
        (403, b'{"error_code": "PERMISSION_DENIED", "message": "no"}', OutletRefused, "access denied"),
        (400, b'{"error_code": "INVALID_PARAMETER_VALUE", "message": "bad name"}', OutletRefused, "bad name"),
    ],
)
def test_answers_that_mean_later_and_answers_that_mean_no_are_told_apart(
    answering: Callable[[int, bytes], str], status: int, body: bytes, kind: type[NightjarError], words: str
) -> None:
    uri = answering(status, body)
    with pytest.raises(kind, match=words) as caught:
        log_night(samples.view(), FILES, uri)
    assert uri in str(caught.value)


@slow
def test_an_address_of_no_known_kind_is_refused() -> None:
    with pytest.raises(OutletRefused, match="carrier-pigeon"):
        log_night(samples.view(), FILES, "carrier-pigeon://roof")


@pytest.fixture(params=["sqlite", "server"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A tracking URI of either kind."""
    if request.param == "server":
        return str(request.getfixturevalue("mlflow_server"))
    return f"sqlite:///{tmp_path}/mlflow.db"


@slow
def test_those_who_need_an_experiment_at_once_get_the_same_one(uri: str) -> None:
    with mlflow_store.open_store(uri) as client, ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda _: mlflow_store.experiment_id(client, "of many/at once"), range(16))
        assert len(set(found)) == 1


@slow
def test_a_process_that_was_faster_is_not_in_the_way(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with mlflow_store.open_store(uri) as client:
        look, seen = client.get_experiment_by_name, list[str]()

        def look_too_early(name: str) -> object:
            seen.append(name)
            return None if len(seen) == 1 else look(name)

        monkeypatch.setattr(client, "get_experiment_by_name", look_too_early)
        first = client.create_experiment("of one/of two")
        assert mlflow_store.experiment_id(client, "of one/of two") == first


@slow
def test_a_deleted_experiment_is_a_final_no_that_says_how_to_bring_it_back(uri: str) -> None:
    with mlflow_store.open_store(uri) as client:
        known = mlflow_store.experiment_id(client, "of somebody/deleted")
        assert mlflow_store.experiment_id(client, "of somebody/deleted") == known
        client.delete_experiment(known)
        with pytest.raises(OutletRefused, match=f"mlflow experiments restore --experiment-id {known}"):
            mlflow_store.experiment_id(client, "of somebody/deleted")


@slow
def test_mistakes_of_ours_are_not_blamed_on_mlflow(tmp_path: Path) -> None:
    with pytest.raises(KeyError), mlflow_store.open_store(f"sqlite:///{tmp_path}/mlflow.db"):
        raise KeyError("ours")


@slow
def test_the_environment_is_as_before_and_what_the_user_set_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "7")
    before = dict(os.environ)
    with mlflow_store.open_store(f"sqlite:///{tmp_path}/mlflow.db"):
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "7"
        assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "3"
    assert dict(os.environ) == before


@slow
def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log_night(samples.view(), FILES, f"sqlite:///{tmp_path}/mlflow.db")
    assert capfd.readouterr() == ("", "")
