"""Settings: from the environment, typed, and silent about secrets."""

from __future__ import annotations

import pytest

from pipeline.config import load_settings
from pipeline.errors import ConfigError


def test_with_nothing_set_everything_is_embedded() -> None:
    settings = load_settings()
    assert settings.store.endswith("var/store")
    assert settings.embedded_mlflow_uri.endswith("var/mlflow.db")
    assert settings.smtp_url is None
    assert settings.pushgateway_url is None


def test_a_misspelt_variable_is_reported_not_ignored() -> None:
    words = "PIPELINE_PUSHGATEWAY: unknown variable; allowed: PIPELINE_AIRFLOW_API_URL, PIPELINE_AIRFLOW_LOGIN"
    with pytest.raises(ConfigError, match=words):
        load_settings(["PIPELINE_PUSHGATEWAY", "HOME"])


def test_every_wrong_variable_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_CACHE_MAX_BYTES", "plenty")
    monkeypatch.setenv("PIPELINE_MAIL_FROM", "nobody")
    with pytest.raises(ConfigError) as raised:
        load_settings()
    assert [problem.split(":")[0] for problem in raised.value.problems] == [
        "PIPELINE_CACHE_MAX_BYTES",
        "PIPELINE_MAIL_FROM",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PIPELINE_SMTP_URL", "http://user:hunter2@host"),
        ("PIPELINE_PUSHGATEWAY_URL", "user:hunter2@host:9091"),
        ("PIPELINE_STORE", "gs://hunter2"),
        ("PIPELINE_REPORT_BASE_URL", "ftp://hunter2"),
    ],
)
def test_a_wrong_address_is_refused_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as raised:
        load_settings()
    assert name in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_printing_settings_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_SMTP_URL", "smtp://user:hunter2@host")
    monkeypatch.setenv("PIPELINE_PUSHGATEWAY_URL", "http://user:hunter2@host")
    settings = load_settings()
    assert "hunter2" not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("store", "archive"),
    [
        ("/data/store", "/data/store-archive"),
        ("/data/store/", "/data/store-archive"),
        ("s3://bucket/store", "s3://bucket/store-archive"),
        ("s3://bucket", ""),
        ("s3://bucket/", ""),
    ],
)
def test_training_sets_go_beside_the_store(monkeypatch: pytest.MonkeyPatch, store: str, archive: str) -> None:
    monkeypatch.setenv("PIPELINE_STORE", store)
    assert load_settings().archive == archive


@pytest.mark.parametrize(
    ("store", "archive"),
    [("/data/store", "/data/store/sets"), ("/data/store", "/data/store"), ("s3://b/s", "s3://b/s/a/")],
)
def test_training_sets_cannot_go_among_the_pages(monkeypatch: pytest.MonkeyPatch, store: str, archive: str) -> None:
    monkeypatch.setenv("PIPELINE_STORE", store)
    monkeypatch.setenv("PIPELINE_ARCHIVE", archive)
    with pytest.raises(ConfigError, match=r"PIPELINE_ARCHIVE: found .*, in the store; allowed: a place outside of it"):
        load_settings()
