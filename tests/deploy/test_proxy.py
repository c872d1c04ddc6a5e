"""deploy/proxy/Caddyfile in Debian's Caddy: TLS, who gets where, and what a browser is told."""

from __future__ import annotations

import base64
import http.client
import os
import re
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.loopback import LoopbackServer, QuietHandler, serving_thread
from tests.servers.processes import LOOPBACK, free_port, require, wait_until

ROOT = Path(__file__).parents[2]
CADDYFILE = ROOT / "deploy" / "proxy" / "Caddyfile"
RUNBOOKS = ROOT / "docs" / "runbooks"
PASSWORDS = {"operator": "password-of-the-operator", "reader": "password-of-the-reader"}
SITES = dict(re.findall(r"\{\$(\w+):[\w-]+:(\d+)\}", CADDYFILE.read_text()))
PARTS = sorted(set(SITES) - {"NIGHTJAR_HOST"})

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Proxy:
    """A running Caddy, and the port of each part behind it."""

    ports: dict[str, int]
    authority: Path

    def ask(
        self, part: str, path: str = "/", account: str | None = None, password: str | None = None
    ) -> tuple[int, str, dict[str, str]]:
        """Status, body and headers of a GET over TLS, whose certificate is checked."""
        trust = ssl.create_default_context(cafile=self.authority)
        connection = http.client.HTTPSConnection("localhost", self.ports[part], context=trust, timeout=30)
        headers = {}
        if account is not None:
            word = f"{account}:{PASSWORDS.get(account, '') if password is None else password}"
            headers["Authorization"] = f"Basic {base64.b64encode(word.encode()).decode()}"
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode(), dict(response.getheaders())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The proxy in front of one part that says what it is asked."""
    caddy = require("caddy", "caddy")
    folder = tmp_path_factory.mktemp("proxy")

    class Part(QuietHandler):
        def do_GET(self) -> None:
            said = f"{self.path} of {self.headers['Host']} over {self.headers.get('X-Forwarded-Proto')}"
            self.answer(200, {"Content-Type": "text/plain", "Server": "part/1.0"}, said.encode())

    def hashed(password: str) -> str:

        done = subprocess.run(
            [caddy, "hash-password"], input=f"{password}\n", capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    part = LoopbackServer(Part)
    ports = {name: free_port() for name in PARTS}
    text = CADDYFILE.read_text()
    for block in re.findall(r"^https://.*?^\}", text, re.MULTILINE | re.DOTALL):
        (name,) = re.findall(r"reverse_proxy \{\$(\w+):", block)
        text = text.replace(block, re.sub(r":\d+ \{", f":{ports[name]} {{", block, count=1))
    (folder / "Caddyfile").write_text(text)
    environment = {
        **{name: part.url.removeprefix("http://") for name in PARTS},
        "RUNBOOKS": str(RUNBOOKS),
        "OPERATOR_HASH": hashed(PASSWORDS["operator"]),
        "READER_HASH": hashed(PASSWORDS["reader"]),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "HOME": str(folder),
        "PATH": os.environ["PATH"],
    }
    authority = folder / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    command = [caddy, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with serving_thread(part), (folder / "log").open("wb") as log:
        running = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            found = Proxy(ports, authority)
            wait_until(lambda: authority.exists() and _answers(found), "Caddy answers", timeout=30)
            yield found
        finally:
            running.terminate()
            running.wait(timeout=20)


def _answers(proxy: Proxy) -> bool:
    try:
        return proxy.ask("AIRFLOW")[0] == 200
    except OSError:
        return False


def test_what_has_a_sign_in_of_its_own_is_passed_on_as_it_was_asked(proxy: Proxy) -> None:
    for part in ("AIRFLOW", "MLFLOW", "S3", "GRAFANA"):
        status, body, _ = proxy.ask(part, "/some/where?x=1")
        assert (status, body) == (200, f"/some/where?x=1 of localhost:{proxy.ports[part]} over https")


@pytest.mark.parametrize("part", ["PROMETHEUS", "PUSHGATEWAY", "ALERTMANAGER", "MAILPIT"])
def test_the_parts_are_for_operators(proxy: Proxy, part: str) -> None:
    assert proxy.ask(part)[0] == 401
    assert proxy.ask(part, account="reader")[0] == 401
    assert proxy.ask(part, account="operator", password="wrong")[0] == 401
    assert proxy.ask(part, account="operator")[0] == 200


def test_pages_are_for_readers_too_and_for_nobody_else(proxy: Proxy) -> None:
    assert proxy.ask("REPORTS")[0] == 401
    assert proxy.ask("REPORTS", account="stranger", password="")[0] == 401
    for account in PASSWORDS:
        assert proxy.ask("REPORTS", account=account)[0] == 200


def test_a_folder_is_its_page_and_is_never_listed(proxy: Proxy) -> None:
    _, body, _ = proxy.ask("REPORTS", "/churn/2026-01-14/", account="reader")
    assert body.startswith("/churn/2026-01-14/index.html of ")


def test_a_browser_is_told_to_show_no_page_in_a_frame_and_guess_no_type(proxy: Proxy) -> None:
    for part in PARTS:
        _, _, headers = proxy.ask(part, account="operator")
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Server" not in headers
        assert "Alt-Svc" not in headers  # HTTP/3 has no port
    _, _, headers = proxy.ask("REPORTS", account="reader")
    assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"


def test_runbooks_are_beside_the_dashboards_that_lead_to_them_and_nothing_else_is(proxy: Proxy) -> None:
    name = "NightjarNeverRan.md"
    status, body, headers = proxy.ask("GRAFANA", f"/runbooks/{name}")
    assert (status, body) == (200, (RUNBOOKS / name).read_text())
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    for wrong in ("/runbooks/", "/runbooks/../README.md", "/runbooks/%2e%2e/README.md", "/runbooks/..%2fREADME.md"):
        status, body, _ = proxy.ask("GRAFANA", wrong)
        assert status in (200, 400, 404), wrong
        assert "Nightjar" not in body, wrong


def test_plain_http_gets_nothing(proxy: Proxy) -> None:
    connection = http.client.HTTPConnection(LOOPBACK, proxy.ports["REPORTS"], timeout=30)
    connection.request("GET", "/")
    assert connection.getresponse().status == 400
    connection.close()
