"""deploy/set-up-s3.py and its policies: what each account of the stack may do, on an S3 API that asks."""

from __future__ import annotations

import runpy
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.servers.processes import LOOPBACK, free_port, request, require, wait_until
from tests.servers.s3_accounts import run_s3_with_accounts

ROOT = Path(__file__).parents[2]
SET_UP: dict[str, Any] = runpy.run_path(str(ROOT / "deploy" / "set-up-s3.py"))
MAKE_SECRETS: dict[str, Any] = runpy.run_path(str(ROOT / "deploy" / "make-secrets.py"))
REPORTS: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["reports"]
REGION = "us-east-1"
KEPT = (
    "nightjar/store/churn/2026-01-14/index.html",
    "nightjar/store/churn/2026-01-14/drift.json",
    "nightjar/store/_evidently/0123.js",
    "nightjar/store/churn/.labelled/2026-01-14.json",
    "nightjar/store/.format",
    "nightjar/store/churn/model.parquet",
    "nightjar/store-archive/churn/0123.parquet",
    "nightjar/mlflow/1/artifacts/model.skops",
    "snapshots/churn/2026-01-14.parquet",
)
"""An object of each kind, as bucket and key."""
MAY_READ = {
    "airflow": {*KEPT} - {"nightjar/mlflow/1/artifacts/model.skops"},
    "mlflow": {"nightjar/mlflow/1/artifacts/model.skops"},
    "reports": {
        "nightjar/store/churn/2026-01-14/index.html",
        "nightjar/store/churn/2026-01-14/drift.json",
        "nightjar/store/_evidently/0123.js",
    },
    "producer": {"snapshots/churn/2026-01-14.parquet"},
}
MAY_WRITE = {
    "airflow": {key for key in KEPT if key.startswith(("nightjar/store/", "nightjar/store-archive/"))},
    "mlflow": {"nightjar/mlflow/1/artifacts/model.skops"},
    "reports": set(),
    "producer": {"snapshots/churn/2026-01-14.parquet"},
}

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Server:
    """The S3 API, set up, with the secrets of its accounts."""

    url: str
    secrets: Path
    keys: dict[str, tuple[str, str]]

    def client(self, account: str) -> Any:
        """A client that signs as the account does."""
        key, secret = self.keys[account]
        return boto3.session.Session(key, secret, region_name=REGION).client(
            "s3", endpoint_url=self.url, config=Config(proxies={}, retries={"total_max_attempts": 1})
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("s3-accounts")
    secrets = folder / "secrets"
    MAKE_SECRETS["write_secrets"](secrets, {})
    root = ((secrets / "s3_root_access_key").read_text(), (secrets / "s3_root_secret_key").read_text())
    with run_s3_with_accounts(folder, *root) as url:
        keys = {name: (key, secret) for name, key, secret in SET_UP["accounts"](secrets)}
        found = Server(url, secrets, {"root": root, **keys})
        list(SET_UP["create_buckets"](found.client("root")))
        administration = SET_UP["Administration"](url, *root, REGION)
        made = list(SET_UP["set_up_accounts"](administration, secrets))
        assert made == [f"account {name}: created" for name in sorted(MAY_READ)]
        again = list(SET_UP["set_up_accounts"](administration, secrets))
        assert again == [f"account {name}: already there" for name in sorted(MAY_READ)]
        for place in KEPT:
            bucket, _, key = place.partition("/")
            found.client("root").put_object(Bucket=bucket, Key=key, Body=place.encode())
        yield found


def allowed(call: Callable[[], object]) -> bool:
    """Whether the server did it; anything but a denial raises."""
    try:
        call()
    except ClientError as error:
        assert error.response["Error"]["Code"] in ("AccessDenied", "403"), error
        return False
    return True


@pytest.mark.parametrize("account", sorted(MAY_READ))
def test_each_account_reads_and_writes_its_own_and_nothing_else(server: Server, account: str) -> None:
    client = server.client(account)
    for place in KEPT:
        bucket, _, key = place.partition("/")
        read = partial(client.get_object, Bucket=bucket, Key=key)
        write = partial(client.put_object, Bucket=bucket, Key=key, Body=place.encode())
        assert allowed(read) == (place in MAY_READ[account]), place
        assert allowed(write) == (place in MAY_WRITE[account]), place
    assert not allowed(lambda: client.delete_object(Bucket="nightjar", Key="elsewhere"))
    assert not allowed(lambda: client.create_bucket(Bucket="another"))


def test_whoever_does_not_sign_or_signs_with_another_key_gets_nothing(server: Server) -> None:
    assert request("GET", f"{server.url}/nightjar/store/churn/2026-01-14/index.html").status == 403
    stranger = Server(server.url, server.secrets, {"stranger": (server.keys["reports"][0], "another-secret")})
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        stranger.client("stranger").get_object(Bucket="nightjar", Key=KEPT[0].partition("/")[2])


def test_only_the_root_account_makes_accounts(server: Server) -> None:
    from urllib.error import HTTPError

    administration = SET_UP["Administration"](server.url, *server.keys["airflow"], REGION)
    with pytest.raises(HTTPError, match="403"):
        administration.put_account("another", "secret-of-another")


@pytest.fixture(scope="module")
def pages(server: Server) -> Iterator[str]:
    """The reports service as docker-compose.yml starts it, in front of this server."""
    rclone = require("rclone", "rclone")
    address = f"{LOOPBACK}:{free_port()}"
    command = [rclone, *(f"--addr={address}" if word.startswith("--addr=") else word for word in REPORTS["command"])]
    environment = REPORTS["environment"] | {
        "RCLONE_S3_ENDPOINT": server.url,
        "AWS_SHARED_CREDENTIALS_FILE": str(server.secrets / "s3_reports"),
        "RCLONE_CONFIG": "/dev/null",
        "HOME": str(server.secrets),
    }
    running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _is_up(f"http://{address}/"), "rclone answers", timeout=30)
        yield f"http://{address}"
    finally:
        running.terminate()
        running.wait(timeout=20)


def _is_up(url: str) -> bool:
    try:
        return request("GET", url).status > 0
    except OSError:
        return False


def test_the_reports_service_hands_out_pages_and_nothing_of_nightjars_own(server: Server, pages: str) -> None:
    page = request("GET", f"{pages}/churn/2026-01-14/index.html")
    assert (page.status, page.body) == (200, KEPT[0].encode())
    assert request("GET", f"{pages}/churn/.labelled/2026-01-14.json").status == 404
    assert request("GET", f"{pages}/.format").status == 404
    with pytest.raises(IncompleteRead):  # listed, and kept by the policy when it is to be read
        request("GET", f"{pages}/churn/model.parquet")
    assert request("GET", f"{pages}/../mlflow/1/artifacts/model.skops").status >= 400
    assert request("PUT", f"{pages}/churn/2026-01-14/index.html", body=b"another").status >= 400
