"""Give the S3 server of docker-compose.yml its buckets and an account for each service: `python deploy/set-up-s3.py`.

Each account may do what deploy/s3/policies/<account>.json says, a policy as AWS writes them; what is there already
stays. Endpoint and region come from boto3's variables, all keys from /run/secrets. Accounts are made through RustFS's
administration (`/rustfs/admin/v3`), which is no part of S3: on AWS or MinIO make them there, with the same policies.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

BUCKETS = ("nightjar", "snapshots")
"""What Nightjar and MLflow write, and what producers of snapshots do."""
POLICIES = Path(__file__).parent / "s3" / "policies"
SECRETS = Path("/run/secrets")


def create_buckets(s3: Any) -> Iterator[str]:
    """Create the buckets that are missing; says of each which it was. Wrong keys or a refused connection raise."""
    from botocore.exceptions import ClientError

    for bucket in BUCKETS:
        try:
            s3.head_bucket(Bucket=bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] != "404":
                raise
            s3.create_bucket(Bucket=bucket)
            yield f"bucket {bucket}: created"
        else:
            yield f"bucket {bucket}: already there"


def accounts(secrets: Path) -> Iterator[tuple[str, str, str]]:
    """Name, access key and secret key of each account that has a policy and a credentials file."""
    for policy in sorted(POLICIES.glob("*.json")):
        file = ConfigParser()
        file.read_string((secrets / f"s3_{policy.stem}").read_text(encoding="ascii"))
        keys = file["default"]
        yield policy.stem, keys["aws_access_key_id"], keys["aws_secret_access_key"]


class Administration:
    """RustFS's administration, signed with the server's own keys."""

    def __init__(self, endpoint: str, access_key: str, secret_key: str, region: str) -> None:
        from botocore.auth import S3SigV4Auth
        from botocore.credentials import Credentials

        self._url = f"{endpoint.rstrip('/')}/rustfs/admin/v3"
        self._signer = S3SigV4Auth(Credentials(access_key, secret_key), "s3", region)

    def has_account(self, access_key: str) -> bool:
        """Whether an account with this access key is there."""
        try:
            self._ask("GET", "user-info", {"accessKey": access_key})
        except HTTPError as error:
            if error.code != 404:
                raise
            return False
        return True

    def put_account(self, access_key: str, secret_key: str) -> None:
        """Create an account."""
        self._ask("PUT", "add-user", {"accessKey": access_key}, {"secretKey": secret_key, "status": "enabled"})

    def put_policy(self, name: str, policy: dict[str, Any], access_key: str) -> None:
        """Create or replace a policy, and have the account be under it alone."""
        self._ask("PUT", "add-canned-policy", {"name": name}, policy)
        bound = {"policyName": name, "userOrGroup": access_key, "isGroup": "false"}
        self._ask("PUT", "set-user-or-group-policy", bound)

    def _ask(self, method: str, call: str, query: dict[str, str], body: dict[str, Any] | None = None) -> None:
        from botocore.awsrequest import AWSRequest

        url = f"{self._url}/{call}?{urlencode(query)}"
        data = b"" if body is None else json.dumps(body).encode()
        request = AWSRequest(method=method, url=url, data=data, headers={"Content-Type": "application/json"})
        self._signer.add_auth(request)
        sent = Request(url, data=data, method=method, headers=dict(request.headers.items()))  # noqa: S310  # our own server
        with urlopen(sent, timeout=30) as answer:  # noqa: S310
            answer.read()


def set_up_accounts(administration: Administration, secrets: Path) -> Iterator[str]:
    """Create each account that is missing and give each its policy; says what was done."""
    for name, access_key, secret_key in accounts(secrets):
        was_there = administration.has_account(access_key)
        if not was_there:
            administration.put_account(access_key, secret_key)
        administration.put_policy(
            f"nightjar-{name}", json.loads((POLICIES / f"{name}.json").read_text(encoding="ascii")), access_key
        )
        yield f"account {name}: {'already there' if was_there else 'created'}"


def main() -> None:
    """Set the server up, and say what was done."""
    import boto3

    root = [(SECRETS / f"s3_root_{part}_key").read_text(encoding="ascii") for part in ("access", "secret")]
    region, endpoint = os.environ["AWS_DEFAULT_REGION"], os.environ["AWS_ENDPOINT_URL_S3"]
    s3 = boto3.client("s3", aws_access_key_id=root[0], aws_secret_access_key=root[1])
    for line in create_buckets(s3):
        print(line)
    try:
        for line in set_up_accounts(Administration(endpoint, root[0], root[1], region), SECRETS):
            print(line)
    except HTTPError as error:
        sys.exit(f"the S3 server's administration answered {error.code} {error.reason}: {error.url.partition('?')[0]}")


if __name__ == "__main__":
    main()
