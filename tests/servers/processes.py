"""Start another program on a free port of loopback, wait until it answers, and stop it by its own handle."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import pytest

LOOPBACK = "127.0.0.1"
# Below the range from which Linux takes ports for outgoing connections, so that none is taken in between.
PORTS = range(20_000, 32_000)
ATTEMPTS = 3
POLL_SECONDS = 0.05
STOP_SECONDS = 10.0
TAIL_CHARACTERS = 4_000
PORT_TAKEN = "address already in use"


class ServerFailed(RuntimeError):
    """A program did not start or did not answer in time; the message ends with what it wrote."""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read to its end."""

    status: int
    body: bytes


def require(program: str, package: str) -> str:
    """The path of an installed program; without it a test is skipped, except in CI, where it fails."""
    path = shutil.which(program)
    if path is None:
        message = f"{program} is not installed: apt-get install {package}"
        if os.environ.get("CI") == "true":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    return path


def free_port() -> int:
    """A port of loopback that nothing listens on at the moment."""
    for _ in range(100):
        port = PORTS[secrets.randbelow(len(PORTS))]
        with socket.socket() as probe, suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise ServerFailed(f"no free port among {PORTS.start} to {PORTS.stop}")


def request(
    method: str, url: str, *, body: bytes | None = None, content: str | None = None, timeout: float = 5.0
) -> Answer:
    """One HTTP request to a server on loopback, never through a proxy of the environment; `content`: type of `body`."""
    headers = {} if content is None else {"Content-Type": content}
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or LOOPBACK, parts.port, timeout=timeout)
    try:
        connection.request(method, parts._replace(scheme="", netloc="", fragment="").geturl() or "/", body, headers)
        response = connection.getresponse()
        return Answer(response.status, response.read())
    finally:
        connection.close()


def wait_until(condition: Callable[[], bool], what: str, *, timeout: float) -> None:
    """Return as soon as the condition holds; raise TimeoutError when it does not in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:g} s for {what}")
        time.sleep(POLL_SECONDS)


@contextmanager
def serving(
    command: Callable[[int], Sequence[str]],
    *,
    health: str,
    log: Path,
    env: Mapping[str, str] | None = None,
    timeout: float = 30.0,
) -> Iterator[str]:
    """Run the server that `command(port)` names until the block ends; yields its URL.

    `health` is the path that answers 200 once it is ready. `env` is added to the environment.
    It runs in the folder of `log`, which takes all it writes; the error shows the end of it when the start fails.
    """
    process, url = _start(command, health=health, log=log, env=env, timeout=timeout)
    try:
        yield url
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads its own session, and whatever it started, politely first."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(TimeoutError):
        wait_until(lambda: _exited(process), "the end of a process", timeout=STOP_SECONDS)
    with suppress(ProcessLookupError):  # the leader is not reaped yet, so the group is certainly still ours
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _start(
    command: Callable[[int], Sequence[str]],
    *,
    health: str,
    log: Path,
    env: Mapping[str, str] | None,
    timeout: float,
) -> tuple[subprocess.Popen[bytes], str]:
    for attempt in range(1, ATTEMPTS + 1):
        port = free_port()
        arguments = list(command(port))
        url = f"http://{LOOPBACK}:{port}"
        with log.open("wb") as output:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "COVERAGE_PROCESS_CONFIG": "", **(env or {})},  # not ours, so not measured
                cwd=log.parent,
                start_new_session=True,
            )
        try:
            wait_until(
                lambda process=process, url=url: _exited(process) or _answers(url + health),  # type: ignore[misc]
                f"{url}{health} to answer 200",
                timeout=timeout,
            )
            if not _exited(process):
                return process, url
        except BaseException as error:
            stop(process)
            if isinstance(error, TimeoutError):
                raise ServerFailed(f"{error}\n{_story(arguments, log)}") from None
            raise
        stop(process)
        if attempt == ATTEMPTS or PORT_TAKEN not in _tail(log).lower():
            break
    raise ServerFailed(f"ended with code {process.returncode} while starting\n{_story(arguments, log)}")


def _exited(process: subprocess.Popen[bytes]) -> bool:
    """Whether a process has ended, without reaping it: its id cannot be given to another one meanwhile."""
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return process.returncode is not None or os.waitid(os.P_PID, process.pid, flags) is not None


def _answers(url: str) -> bool:
    try:
        return request("GET", url, timeout=1).status == 200
    except (OSError, HTTPException):
        return False


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-TAIL_CHARACTERS:]


def _story(arguments: Sequence[str], log: Path) -> str:
    return f"command: {' '.join(arguments)}\noutput:\n{_tail(log).strip() or '(none)'}"
