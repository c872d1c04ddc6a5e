"""deploy/set-up-mlflow.py against a real MLflow server with sign-in, and the registry as the account it makes."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import OutletRefused
from pipeline.retrain.champion.registry import Entry, Registry
from tests.servers.mlflow import SignIn, run_mlflow

DEPLOY = Path(__file__).parents[2] / "deploy"
SCRIPT: dict[str, Any] = runpy.run_path(str(DEPLOY / "set-up-mlflow.py"))
PASSWORDS = {"mlflow_admin_password": "administrator-1", "mlflow_airflow_password": "of-the-tasks-1"}
SETTINGS = runpy.run_path(str(DEPLOY / "make-secrets.py"))["derived"](PASSWORDS)["mlflow_basic_auth.ini"]()
SIGN_IN = SignIn(
    SCRIPT["ADMINISTRATOR"],
    PASSWORDS["mlflow_admin_password"],
    SETTINGS.replace("postgresql+psycopg2:///?service=mlflow", "{database}"),
)

pytestmark = [
    pytest.mark.slow,
    # MLflow's sign-in, whose client lies in one module with its server, uses old names of its libraries.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_mlflow(tmp_path_factory.mktemp("mlflow"), SIGN_IN) as url:
        yield url


def sign_in(monkeypatch: pytest.MonkeyPatch, name: str, password: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", name)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)


@pytest.fixture
def accounts(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """MLflow's accounts, as their administrator, with the account of the tasks among them."""
    from mlflow.server import get_app_client

    sign_in(monkeypatch, SIGN_IN.name, SIGN_IN.password)
    found: Any = get_app_client("basic-auth", tracking_uri=server)
    SCRIPT["create_account"](found, PASSWORDS["mlflow_airflow_password"])
    return found


def test_the_account_is_made_once_and_is_given_what_was_there_before(server: str, accounts: Any) -> None:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(server)
    client.create_experiment("of an earlier installation")
    client.create_registered_model("model-of-an-earlier-installation")

    assert SCRIPT["create_account"](accounts, "another-password") == "account airflow: already there"
    handed = list(SCRIPT["hand_over"](accounts, client))
    assert "experiment of an earlier installation: handed over" in handed
    assert "registered model model-of-an-earlier-installation: handed over" in handed
    assert list(SCRIPT["hand_over"](accounts, client)) == []


def test_the_account_administers_nothing(server: str, accounts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.exceptions import MlflowException

    sign_in(monkeypatch, SCRIPT["ACCOUNT"], PASSWORDS["mlflow_airflow_password"])
    for call in (
        partial(accounts.create_user, "somebody", "else-1234567"),
        partial(accounts.update_user_admin, SCRIPT["ACCOUNT"], is_admin=True),
    ):
        with pytest.raises(MlflowException, match="403"):
            call()


def test_an_account_without_rights_beyond_its_own_retrains(
    server: str, accounts: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The server forbids such an account what is not there, so that nobody learns what is."""
    sign_in(monkeypatch, SCRIPT["ACCOUNT"], PASSWORDS["mlflow_airflow_password"])
    registry = Registry("people", server)
    assert registry.at("champion") is None
    assert registry.version("1") is None
    assert registry.numbers() == []
    assert registry.find("people/2026-01-14") is None

    (tmp_path / "model").mkdir()
    run_id, source = registry.record(Entry("people/2026-01-14", tmp_path / "model", {}, {}, {}))
    version = registry.register(run_id, source, {}, b"{}")
    registry.point("champion", version)
    assert registry.at("champion") == registry.version("1")


def test_a_model_that_is_kept_from_the_account_is_no_missing_one(
    server: str, accounts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracking import MlflowClient

    MlflowClient(server).create_registered_model("secret-model")
    accounts.grant_user_permission(SCRIPT["ACCOUNT"], "registered_model", "secret-model", "DENY")
    sign_in(monkeypatch, SCRIPT["ACCOUNT"], PASSWORDS["mlflow_airflow_password"])
    with pytest.raises(OutletRefused, match="403"):
        Registry("secret-model", server).at("champion")
