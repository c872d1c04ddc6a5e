"""moto's S3 as the stack's server sees its callers: signed requests only, each account under its policy.

Accounts are made through the calls of RustFS's administration that deploy/set-up-s3.py uses; moto's IAM keeps them.
What moto does not know of a policy, its conditions, no policy of ours has. Its arguments: host, port, and the two keys
of the root account.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto import settings
from moto.core.responses import ActionAuthenticatorMixin
from moto.iam.access_control import IAMPolicyStatement
from moto.iam.models import AccessKey, iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

ACCOUNT = "123456789012"
ADMINISTRATION = "/rustfs/admin/v3/"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def _matches(pattern: str, text: str) -> re.Match[str] | None:
    """As AWS matches: `*` is anything, and a dot is a dot, which moto takes for any letter."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text)


class Accounts:
    """Users of moto's IAM with keys that were chosen elsewhere."""

    def __init__(self, root_key: str, root_secret: str) -> None:
        self._root = Credentials(root_key, root_secret)
        self._iam = iam_backends[ACCOUNT]["aws"]
        self.put(root_key, root_secret)
        self.bind(root_key, "root", EVERYTHING)

    def put(self, key: str, secret: str) -> None:
        user = self._iam.create_user("us-east-1", key)
        access = AccessKey(key, "AKIA", ACCOUNT)
        access.access_key_id, access.secret_access_key = key, secret
        user.access_keys.append(access)

    def bind(self, key: str, name: str, policy: dict[str, Any]) -> None:
        self._iam.put_user_policy(key, name, json.dumps(policy))

    def has(self, key: str) -> bool:
        return any(user.name == key for user in self._iam.list_users("/", None, None))

    def is_roots(self, method: str, url: str, headers: dict[str, str], body: bytes) -> bool:
        """Whether a request carries the signature that the root account gives it."""
        said = headers.get("Authorization", "")
        signed = re.search(r"SignedHeaders=([^,]+), *Signature=(\w+)", said)
        if signed is None or f"Credential={self._root.access_key}/" not in said:
            return False
        kept = {name: value for name, value in headers.items() if name.lower() in signed[1].split(";")}
        request = AWSRequest(method=method, url=url, data=body, headers=kept)
        request.context["timestamp"] = headers["X-Amz-Date"]
        signer = S3SigV4Auth(self._root, "s3", "us-east-1")
        return bool(
            signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request) == signed[2]
        )


class Server:
    """The administration's calls, and moto for all others."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._policies: dict[str, dict[str, Any]] = {}
        self._s3 = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/health":
            return self._answer(start_response, HTTPStatus.OK)
        if not environ["PATH_INFO"].startswith(ADMINISTRATION):
            return self._s3(environ, start_response)  # type: ignore[no-any-return]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = {k[5:].replace("_", "-").title(): v for k, v in environ.items() if k.startswith("HTTP_")}
        headers["Content-Type"] = environ.get("CONTENT_TYPE", "")
        url = f"http://{environ['HTTP_HOST']}{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
        if not self._accounts.is_roots(environ["REQUEST_METHOD"], url, headers, body):
            return self._answer(start_response, HTTPStatus.FORBIDDEN)
        query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        call = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO'].removeprefix(ADMINISTRATION)}"
        return self._answer(start_response, self._administer(call, query, body))

    def _administer(self, call: str, query: dict[str, str], body: bytes) -> HTTPStatus:
        match call:
            case "GET user-info":
                return HTTPStatus.OK if self._accounts.has(query["accessKey"]) else HTTPStatus.NOT_FOUND
            case "PUT add-user":
                self._accounts.put(query["accessKey"], json.loads(body)["secretKey"])
            case "PUT add-canned-policy":
                self._policies[query["name"]] = json.loads(body)
            case "PUT set-user-or-group-policy":
                self._accounts.bind(query["userOrGroup"], "own", self._policies[query["policyName"]])
            case _:
                return HTTPStatus.NOT_IMPLEMENTED
        return HTTPStatus.OK

    def _answer(self, start_response: Any, status: HTTPStatus) -> Iterable[bytes]:
        start_response(f"{status.value} {status.phrase}", [("Content-Type", "application/json")])
        return io.BytesIO(b"{}")


def main() -> None:
    """Serve until ended."""
    host, port, root_key, root_secret = sys.argv[1:]
    IAMPolicyStatement._match = staticmethod(_matches)
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    ActionAuthenticatorMixin.request_count = 0
    run_simple(host, int(port), Server(Accounts(root_key, root_secret)), threaded=True)


if __name__ == "__main__":
    main()
