"""Telling serving, and the worked example for KServe."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from examples import kserve
from pipeline.config.retrain_policy import AfterPromotion
from pipeline.results import AliasChange
from pipeline.retrain.champion import hook
from tests.servers.processes import free_port
from tests.servers.webhook import Webhook

CHANGE = AliasChange(
    monitor="churn_eu",
    event="promoted",
    version="7",
    previous_version="6",
    model_uri="models:/churn_eu/7",
    model_source="mlflow-artifacts:/3/abc/artifacts/model",
    training_uri="s3://store/churn_eu/training/ab.parquet",
    training_sha256="ab",
    run_date="2026-01-14",
)
CALLED: list[AliasChange] = []


def called(change: AliasChange) -> None:
    CALLED.append(change)


def failing(change: AliasChange) -> None:
    raise RuntimeError("no cluster")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    CALLED.clear()


def test_a_webhook_is_given_the_change(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVING_URL", webhook.url + "/models?token=secret")

    told = hook.tell(AfterPromotion(webhook="SERVING_URL"), CHANGE)

    assert told == ("told SERVING_URL", None)
    assert webhook.requests[0].headers["content-type"] == "application/json"
    assert webhook.requests[0].json()["previous_version"] == "6"


def test_a_webhook_is_tried_again_where_that_can_help(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVING_URL", webhook.url)
    webhook.respond(503)
    webhook.respond(429)

    assert hook.tell(AfterPromotion(webhook="SERVING_URL"), CHANGE)[1] is None
    assert len(webhook.requests) == 3
    webhook.respond(404)
    assert hook.tell(AfterPromotion(webhook="SERVING_URL"), CHANGE)[1] == "the webhook of SERVING_URL answered 404"


@pytest.mark.parametrize("url", [None, "dead"])
def test_a_webhook_that_cannot_be_reached_is_named_without_its_address(
    url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if url:
        monkeypatch.setenv("SERVING_URL", f"http://user:secret@127.0.0.1:{free_port()}/")

    told, wrong = hook.tell(AfterPromotion(webhook="SERVING_URL"), CHANGE)

    assert told is None
    assert wrong is not None
    assert "SERVING_URL" in wrong
    assert "secret" not in wrong


def test_a_callable_is_called_and_its_error_told() -> None:
    told, wrong = hook.tell(AfterPromotion(call="tests.retrain.champion.test_hook:failing"), CHANGE)
    assert told is None
    assert re.fullmatch(
        r"tests\.retrain\.champion\.test_hook:failing failed: RuntimeError in test_hook\.py:\d+", str(wrong)
    )
    told, wrong = hook.tell(AfterPromotion(call="tests.retrain.champion.test_hook:called"), CHANGE)
    assert (told, wrong) == ("told tests.retrain.champion.test_hook:called", None)


def manifest(**environ: str) -> Any:
    return yaml.safe_load(kserve.render(CHANGE, {"KSERVE_ARTIFACTS_URI": "s3://models/mlflow/", **environ}))


def test_the_example_sends_a_promoted_model_a_tenth_of_the_traffic() -> None:
    found = manifest()

    assert found["metadata"]["name"] == "churn-eu"
    predictor = found["spec"]["predictor"]
    assert predictor["canaryTrafficPercent"] == 10
    assert predictor["model"] == {
        "modelFormat": {"name": "mlflow"},
        "protocolVersion": "v2",
        "storageUri": "s3://models/mlflow/3/abc/artifacts/model",
    }
    assert manifest(KSERVE_CANARY_PERCENT="25")["spec"]["predictor"]["canaryTrafficPercent"] == 25


def test_the_example_gives_all_traffic_back_after_a_rollback() -> None:
    back = CHANGE.model_copy(update={"event": "rolled_back", "model_source": "s3://models/1/model"})

    found = yaml.safe_load(kserve.render(back, {}))

    assert found["spec"]["predictor"]["canaryTrafficPercent"] == 100
    assert found["spec"]["predictor"]["model"]["storageUri"] == "s3://models/1/model"


def test_the_example_writes_where_it_is_told_and_says_what_a_cluster_cannot_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KSERVE_MANIFESTS_DIR", str(tmp_path / "manifests"))
    policy = AfterPromotion(call="examples.kserve:write_manifest")

    assert "KSERVE_ARTIFACTS_URI" in str(hook.tell(policy, CHANGE)[1])
    monkeypatch.setenv("KSERVE_ARTIFACTS_URI", "s3://models/mlflow")
    assert hook.tell(policy, CHANGE)[1] is None
    assert [path.name for path in (tmp_path / "manifests").iterdir()] == ["churn_eu.yaml"]
