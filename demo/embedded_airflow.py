"""A real Airflow on this machine for as long as a `with` block lasts: SQLite, LocalExecutor, scheduler, REST API.

    with EmbeddedAirflow(home, dags, environment={"PIPELINE_STORE": ...}, progress=print) as airflow:
        airflow.wait_for_dags("nightly_churn", "retrain_churn")
        run_id = airflow.trigger("nightly_churn", {"run_date": "2026-01-14"})
        state = airflow.wait_run("nightly_churn", run_id)

It listens on loopback alone, shares nothing with an Airflow that may be installed or configured here, runs nothing by
the clock (only what is triggered or backfilled), and leaves no process behind. Standard library only.
"""

from __future__ import annotations

import base64
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

from demo.airflow_client import POLL_SECONDS, AirflowClient, AirflowFailed, repeat
from pipeline.wording import seconds

DAGS = Path(__file__).resolve().parent.parent / "dags"
LOOPBACK = "127.0.0.1"
# Below the range from which Linux takes ports for outgoing connections, so that none is taken in between.
PORTS = range(20_000, 32_000)
START_ATTEMPTS = 3
START_SECONDS = 180.0
MIGRATE_SECONDS = 300.0
STOP_SECONDS = 10.0
KILL_SECONDS = 5.0
TAIL_CHARACTERS = 3_000
COMPONENTS = {
    "api-server": ("api-server",),
    "dag-processor": ("dag-processor",),
    "scheduler": ("scheduler", "--skip-serve-logs"),  # its log server has a fixed port, and nobody asks it here
}


class EmbeddedAirflow(AirflowClient):
    """Starts when its `with` block begins and is gone when it ends, whatever happens in between.

    Args:
        home: a folder of its own for the database, the logs and the configuration.
        dags_folder: the DAG files. What they import is installed, or on the caller's own `PYTHONPATH`.
        environment: variables for Airflow and the tasks on top of the caller's own, such as `PIPELINE_STORE`.
            Every `AIRFLOW*` variable of the caller is left out, as it speaks of another Airflow.
        progress: takes a line of text whenever there is something to tell.
        parallelism: how many tasks run at the same time.
    """

    def __init__(
        self,
        home: Path,
        dags_folder: Path = DAGS,
        *,
        environment: Mapping[str, str] | None = None,
        progress: Callable[[str], None] = lambda line: None,
        parallelism: int = 2,
    ) -> None:
        super().__init__(progress)
        self._home = home.resolve()
        self._dags_folder = dags_folder.resolve()
        self._extra = dict(environment or {})
        self._parallelism = parallelism
        self._secrets = _make_secrets()
        self._port = 0
        self._components: dict[str, subprocess.Popen[bytes]] = {}
        self._signals: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._end_on_signals()
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def url(self) -> str:
        """Where the web interface and the REST API are; nobody has to log in."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def log_folder(self) -> Path:
        """What Airflow and the tasks wrote."""
        return self._home / "logs"

    @property
    def environment(self) -> dict[str, str]:
        """All variables of Airflow's processes; with them a command of `airflow` works on this one."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "_AIRFLOW"))}
        return own | self._surroundings() | self._configuration() | self._extra

    def airflow(self, *arguments: str, timeout: float = 120.0) -> str:
        """Run a command of Airflow's own command line, such as `airflow("dags", "list")`; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            env=self.environment,
            cwd=self._home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode != 0:
            output = (done.stdout + done.stderr).strip()[-TAIL_CHARACTERS:]
            raise AirflowFailed(f"airflow {' '.join(arguments)} ended with code {done.returncode}\n{output}")
        return done.stdout

    def backfill(self, dag_id: str, first: str, last: str) -> list[str]:
        """Start a run for each date from `first` to `last` (both included), one after the other; their run ids."""
        before = {run.run_id for run in self.list_runs(dag_id)}
        command = ("backfill", "create", "--dag-id", dag_id, "--max-active-runs", "1")
        dates = ("--from-date", first, "--to-date", f"{last}T23:59")
        # A transaction that read before the scheduler wrote cannot wait for SQLite; Airflow undoes such a backfill.
        repeat(lambda: self.airflow(*command, *dates), lambda error: "database is locked" in str(error))
        return [run.run_id for run in self.list_runs(dag_id) if run.run_id not in before]

    def task_log(self, dag_id: str, run_id: str, task_id: str) -> str:
        """What the last try of a task wrote, one JSON document per line."""
        folder = self.log_folder / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={task_id}"
        tries = sorted(folder.glob("attempt=*.log"), key=lambda path: int(path.stem.removeprefix("attempt=")))
        return tries[-1].read_text(encoding="utf-8", errors="replace") if tries else ""

    # Start and stop

    def _start(self) -> None:
        self.log_folder.mkdir(parents=True, exist_ok=True)
        self._progress("Airflow: preparing its database")
        self._migrate()
        for attempt in range(1, START_ATTEMPTS + 1):
            self._port = _free_port()
            self._progress("Airflow: starting the API server, the DAG processor and the scheduler")
            for name, arguments in COMPONENTS.items():
                self._components[name] = self._spawn(name, arguments)
            try:
                self._wait(self._is_healthy, "Airflow to be ready", START_SECONDS)
                break
            except AirflowFailed as error:
                if attempt == START_ATTEMPTS or "address already in use" not in str(error).lower():
                    raise
                self._stop_components()
        self._progress(f"Airflow: ready at {self.url}")

    def _migrate(self) -> None:
        self._components["db"] = self._spawn("db", ("db", "migrate"))
        deadline = time.monotonic() + MIGRATE_SECONDS
        while not _has_exited(self._components["db"]):
            if time.monotonic() > deadline:
                raise AirflowFailed(f"the database was not ready after {seconds(MIGRATE_SECONDS)}\n{self._tail('db')}")
            time.sleep(POLL_SECONDS)
        code = self._components.pop("db").wait()
        if code != 0:
            raise AirflowFailed(f"airflow db migrate ended with code {code}\n{self._tail('db')}")

    def _spawn(self, name: str, arguments: Iterable[str]) -> subprocess.Popen[bytes]:
        with self._log(name).open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "airflow", *arguments],
                env=self.environment,
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _is_healthy(self) -> bool:
        health = self._request("GET", "/api/v2/monitor/health")
        return all(health[name]["status"] == "healthy" for name in ("metadatabase", "scheduler", "dag_processor"))

    def _stop(self) -> None:
        try:
            if self._components:
                self._progress("Airflow: stopping")
            self._stop_components()
        finally:
            for number, handler in self._signals.items():
                signal.signal(number, handler)
            self._signals = {}

    def _stop_components(self) -> None:
        """Ask politely, wait a bounded time, then kill: also when the wait is interrupted."""
        components, self._components = self._components, {}
        try:
            for process in components.values():
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            while time.monotonic() < deadline and not all(map(_has_exited, components.values())):
                time.sleep(POLL_SECONDS / 5)
        finally:
            _kill_sessions(components.values())
            for process in components.values():
                process.wait()

    def _end_on_signals(self) -> None:
        """A terminal that is closed or a job that is cancelled ends the block, and so Airflow, as Ctrl-C does."""

        def end(number: int, frame: FrameType | None) -> NoReturn:
            raise SystemExit(128 + number)

        if threading.current_thread() is threading.main_thread():
            self._signals = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}

    # Configuration

    def _surroundings(self) -> dict[str, str]:
        """What every program reads, with what Airflow needs in front."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        direct = ",".join(filter(None, [LOOPBACK, os.environ.get("NO_PROXY"), os.environ.get("no_proxy")]))
        return {
            "AIRFLOW_HOME": str(self._home),
            "NO_PROXY": direct,  # tasks talk to the API server through a client that reads the proxy variables
            "no_proxy": direct,
            "PATH": path,
        }

    def _configuration(self) -> dict[str, str]:
        """Airflow's settings as variables, which win over any file."""
        return {
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__HOST": LOOPBACK,
            "AIRFLOW__API__PORT": str(self._port),
            "AIRFLOW__API__SECRET_KEY": self._secrets["api"],
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": self._secrets["jwt"],
            "AIRFLOW__CORE__DAGS_FOLDER": str(self._dags_folder),
            "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "5",  # nobody waits five minutes here
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__FERNET_KEY": self._secrets["fernet"],
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": str(self._parallelism),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "10",
            "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self._home / 'airflow.db'}",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.log_folder),
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",  # it often looks just before a task has ended
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
            # A task that ends just as its supervisor looks holds its slot until the next heartbeat: 5 s by default.
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        }

    def _require_alive(self) -> None:
        for name, process in self._components.items():
            if _has_exited(process):
                raise AirflowFailed(f"airflow {name} ended by itself\n{self._tail(name)}")

    def _log(self, name: str) -> Path:
        return self.log_folder / f"{name}.log"

    def _tail(self, name: str) -> str:
        text = self._log(name).read_text(encoding="utf-8", errors="replace") if self._log(name).exists() else ""
        return f"{self._log(name)}:\n{text[-TAIL_CHARACTERS:].strip()}"


def _make_secrets() -> dict[str, str]:
    """New ones each time: they protect nothing but the processes of this block from others on the machine."""
    fernet = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return {"api": secrets.token_hex(32), "jwt": secrets.token_hex(32), "fernet": fernet}


def _free_port() -> int:
    for _ in range(100):
        port = PORTS[secrets.randbelow(len(PORTS))]
        with socket.socket() as probe, suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise AirflowFailed(f"no free port among {PORTS.start} to {PORTS.stop}")


def _has_exited(process: subprocess.Popen[bytes]) -> bool:
    """Whether a process has ended, without reaping it: until then its id is given to no other process or session."""
    if process.returncode is not None:
        return True
    if sys.platform == "darwin":  # has no waitid before Python 3.13
        return process.poll() is not None
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _kill_sessions(leaders: Iterable[subprocess.Popen[bytes]]) -> None:
    """Kill whatever is left of the sessions that these processes lead.

    By session and not by process group, because Airflow puts each task into a group of its own.
    """
    sessions = {process.pid for process in leaders}
    deadline = time.monotonic() + KILL_SECONDS
    while (members := _members(sessions)) and time.monotonic() < deadline:
        for pid in members:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _members(sessions: set[int]) -> list[int]:
    """The living processes of some sessions."""
    found = []
    for pid in _all_processes():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) in sessions:
                found.append(pid)
    return found


def _all_processes() -> list[int]:
    """Every process that is not a zombie."""
    if Path("/proc/self/stat").exists():  # Linux, where `ps` may not be installed
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal() and _is_alive(entry)]
    listing = subprocess.run(["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=True).stdout
    return [int(pid) for pid, state in map(str.split, listing.splitlines()) if not state.startswith("Z")]


def _is_alive(entry: Path) -> bool:
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
