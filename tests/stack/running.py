"""The services of docker-compose.yml as processes of this machine, each on a host of its own, in the order it says."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.processes import stop
from tests.stack.compose import ROOT, Service
from tests.stack.hosts import Hosts
from tests.stack.programs import CHECKOUT, command_of, health_of, image_environment

_OWN = ("/opt/nightjar/deploy", "/docker-entrypoint-initdb.d", "/var/lib/postgresql")
"""Mounts that the checkout, or a program's own folder, stands for."""


class NotUp(AssertionError):
    """A service ended or is not well in time; the message has the end of its log."""


@dataclass
class Stack:
    """All services, their files below `folder`; `programs` is where Python's programs of the image are."""

    services: dict[str, Service]
    folder: Path
    programs: Path
    checkout: dict[str, Path]
    """What to mount in place of a folder of the checkout, such as `./data`."""
    hosts: Hosts = field(init=False)
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _reached: dict[str, str] = field(default_factory=dict)
    _new_folders: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hosts = Hosts(self.services, self.folder)

    def up(self, seconds: float) -> None:
        """Start all, each as soon as what it waits for is there.

        Raises:
            NotUp: one ended, or was not well after so many seconds.
        """
        self._new_folders = [path for path in self._mount_points() if not path.exists()]
        self.hosts.up()
        self.wait(seconds)

    def wait(self, seconds: float) -> None:
        """Start what does not run, and wait until all are well.

        Raises:
            NotUp: as `up` does.
        """
        deadline = time.monotonic() + seconds
        while missing := [name for name in self.services if name not in self._reached]:
            for name in missing:
                self._go_on(self.services[name])
            if time.monotonic() > deadline:
                raise NotUp("\n".join(f"{name}: {self.log(name)[-1500:]}" for name in missing))
            time.sleep(1)

    def _go_on(self, service: Service) -> None:
        name = service.name
        if name not in self._running:
            if all(self._reached.get(other) == wanted for other, wanted in service.waits_for.items()):
                self._running[name] = self._start(service)
            return
        code = self._running[name].poll()
        if code == 0 and service.ends:
            self._reached[name] = "service_completed_successfully"
        elif code is not None:
            raise NotUp(f"{name} ended with {code}: {self.log(name)[-3000:]}")
        elif not service.ends and self.inside(name, *health_of(service)).returncode == 0:
            self._reached[name] = "service_healthy"

    def kill(self, name: str) -> None:
        """End a service at once, with all that it started; `wait` starts it again."""
        self.hosts.kill(name)
        self._running.pop(name).wait()
        self._reached.pop(name, None)

    def stop(self, name: str, seconds: float) -> None:
        """Ask a service to end, as `docker compose stop` does, and wait so long for it; `wait` starts it again."""
        process = self._running.pop(name)
        process.terminate()
        process.wait(seconds)
        self._reached.pop(name, None)

    def down(self) -> None:
        """End all processes and remove hosts and networks."""
        for process in reversed(self._running.values()):
            stop(process)
        self.hosts.down()
        for path in self._new_folders:
            with suppress(OSError):
                path.rmdir()

    def _mount_points(self) -> list[Path]:
        """Folders of this machine that something is mounted on, the deepest first."""
        targets = {Path(target) for service in self.services.values() for target in service.volumes}
        folders = {folder for target in targets | {Path("/run/secrets")} for folder in (target, *target.parents)}
        return sorted(folders, key=lambda path: -len(path.parts))

    def log(self, name: str) -> str:
        """All that a service said."""
        path = self.folder / f"log-{name}"
        return path.read_text(errors="replace") if path.exists() else "(not started)"

    def own(self, name: str) -> Path:
        """A folder for one service: what its image would keep in itself."""
        path = self.folder / "own" / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def inside(
        self, name: str, *command: str, with_volumes: bool = False, seconds: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on the host of a service, as `docker compose exec` would; volumes where it needs them."""
        script = [*self._place(self.services[name], with_volumes=with_volumes), shlex.join(command)]
        return subprocess.run(
            [*self._on(name), "\n".join(script)],
            env=self._environment(self.services[name]), capture_output=True, text=True, check=False, timeout=seconds,
        )  # fmt: skip

    def _start(self, service: Service) -> subprocess.Popen[bytes]:
        script = [*self._place(service), f"exec {shlex.join(command_of(service, self.own(service.name)))}"]
        with (self.folder / f"log-{service.name}").open("ab") as log:
            return subprocess.Popen(
                [*self._on(service.name), "\n".join(script)],
                env=self._environment(service), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def _on(self, name: str) -> list[str]:
        return ["ip", "netns", "exec", self.hosts.namespace(name), "unshare", "--uts", "bash", "-euc"]

    def _environment(self, service: Service) -> dict[str, str]:
        path = os.pathsep.join([str(self.programs), *map(str, Path("/usr/lib/postgresql").glob("*/bin")), os.defpath])
        sbin = "/usr/local/sbin:/usr/sbin:/sbin"
        return {
            "PATH": f"{path}:{sbin}", "HOME": "/home/nightjar", "LANG": "C.UTF-8",
            **image_environment(service), **service.environment,
        }  # fmt: skip

    def _place(self, service: Service, *, with_volumes: bool = True) -> list[str]:
        """Lines of a shell that give the process the files of its container, seen by nobody else."""
        lines = [
            f"hostname {service.name}",
            "mount --make-rprivate /",
            f"mount --bind {self.hosts.names_file(service.name)} /etc/hosts",
            "for place in /opt /home /run/secrets; do mkdir -p $place; mount -t tmpfs none $place; done",
            f"mkdir -p {CHECKOUT} /opt/airflow /home/nightjar",
            f"mount --bind {ROOT} {CHECKOUT}",
        ]
        for secret, target in service.secrets.items():
            lines += [f"mkdir -p {Path(target).parent}", f"cp {self.folder / 'secrets' / secret} {target}"]
        for target, source in service.volumes.items() if with_volumes else ():
            if not target.startswith(_OWN):
                lines += [f"mkdir -p {target}", f"mount --bind {self._mounted(source)} {target}"]
        return [*lines, f"cd {CHECKOUT if service.image == 'nightjar' else self.own(service.name)}"]

    def _mounted(self, source: str) -> Path:
        path = self.checkout.get(source, ROOT / source) if source.startswith(".") else self.folder / "volumes" / source
        path.mkdir(parents=True, exist_ok=True)
        return path
