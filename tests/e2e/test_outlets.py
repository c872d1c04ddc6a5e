"""A night in one process with every part real: S3 in and out, MLflow server, Pushgateway and Prometheus, TLS mail."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import mlflow
import pytest

from pipeline.steps.walk import Outcome, run_night
from pipeline.storage import retries
from tests.project import Project, people
from tests.servers.prometheus import Prometheus
from tests.servers.pushgateway import Pushgateway
from tests.servers.s3 import S3
from tests.servers.smtp import Flavour, SmtpServer

pytestmark = pytest.mark.slow

NAME = "people-on-s3"
DAY = "2026-01-14"


def put(s3: S3, key: str, rows: int, seed: int, older: float = 0.0) -> None:
    stream = io.BytesIO()
    people(rows, seed, older).to_parquet(stream, index=False)
    s3.put(key, stream.getvalue())


def walk(project: Project) -> Outcome:
    return run_night(project.night(DAY, NAME), lambda _: None)


@pytest.fixture
def mail_server(smtp_server: Callable[[Flavour], SmtpServer], monkeypatch: pytest.MonkeyPatch) -> SmtpServer:
    server = smtp_server("starttls")
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)
    return server


@pytest.fixture
def watched(
    project: Project, s3: S3, pushgateway: Pushgateway, mlflow_server: str, monkeypatch: pytest.MonkeyPatch
) -> Project:
    monkeypatch.setenv("PIPELINE_STORE", s3.uri("store"))
    monkeypatch.setenv("PIPELINE_PUSHGATEWAY_URL", pushgateway.url)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    for part in range(5):
        put(s3, f"models/reference/part-{part}.parquet", 500, seed=part)
    put(s3, f"models/scored/dt={DAY}/part-0.parquet", 1_500, seed=9, older=30)
    put(s3, "models/scored/dt=2026-01-07/part-0.parquet", 500, seed=10)
    put(s3, "models/labels/dt=2026-01-07/part-0.parquet", 500, seed=10)
    project.write_suite()
    project.write_monitor(
        NAME,
        snapshots={
            "reference": s3.uri("models/reference/"),
            "production": s3.uri("models/scored/dt={date}/"),
            "labels": s3.uri("models/labels/dt={date}/"),
        },
        notify={"email": ["team@example.com", "lead@example.com"]},
    )
    return project


def runs(uri: str) -> list[Any]:
    client = mlflow.MlflowClient(uri)
    experiment = client.get_experiment_by_name(f"monitoring/{NAME}")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))


def test_a_night_reaches_everybody_once(
    watched: Project, s3: S3, prometheus: Prometheus, mlflow_server: str, mail_server: SmtpServer
) -> None:
    outcome = walk(watched)
    assert outcome.errors == ()
    assert outcome.decision is not None
    assert outcome.decision.status == "drifted"
    published = {key: s3.get(key) for key in s3.keys(f"store/{NAME}/{DAY}/")}
    assert f"store/{NAME}/{DAY}/index.html" in published

    assert prometheus.wait_for(f'model_monitor_retraining_requested{{job="nightjar", monitor="{NAME}"}} == 1')
    (mail,) = mail_server.mails
    assert mail.encrypted
    assert sorted(mail.recipients) == ["lead@example.com", "team@example.com"]
    assert mail.message["Subject"].startswith(f"[{NAME}] drifted: ")
    (run,) = runs(mlflow_server)
    assert run.data.tags["monitor_key"] == f"{NAME}/{DAY}"

    assert walk(watched).errors == ()
    assert {key: s3.get(key) for key in s3.keys(f"store/{NAME}/{DAY}/")} == published
    assert len(mail_server.mails) == 1
    assert len(runs(mlflow_server)) == 1


def test_a_broken_night_leaves_the_last_good_gauges(
    watched: Project, pushgateway: Pushgateway, mail_server: SmtpServer, s3: S3
) -> None:
    walk(watched)
    good = pushgateway.value("model_monitor_drift_share_ratio", monitor=NAME)
    s3.client.delete_object(Bucket=s3.bucket, Key=f"models/scored/dt={DAY}/part-0.parquet")
    outcome = walk(watched)
    assert "no parquet file there" in str(outcome.errors[0])
    assert pushgateway.value("model_monitor_drift_share_ratio", monitor=NAME) == good
    assert pushgateway.value("model_monitor_last_failure_timestamp_seconds", monitor=NAME) > 0
    assert len(mail_server.mails) == 1


def test_a_mail_that_was_refused_for_now_goes_out_with_the_rerun(watched: Project, mail_server: SmtpServer) -> None:
    mail_server.refuse("451 4.3.0 try again later", at="MAIL", times=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retries, "ATTEMPTS", 1)
        outcome = walk(watched)
    assert [type(error).__name__ for error in outcome.errors] == ["OutletUnavailable"]
    assert "451" in str(outcome.errors[0])
    assert walk(watched).errors == ()
    assert len(mail_server.mails) == 1
