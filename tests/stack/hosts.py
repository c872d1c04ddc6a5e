"""A host of its own for each service, and a network for each of the stack's, on this machine: Linux's own namespaces.

Needs root. Names begin with `nj`, and go with `down`.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.stack.compose import Service


@dataclass(frozen=True)
class Hosts:
    """The hosts of all services, and where their names are kept."""

    services: Mapping[str, Service]
    folder: Path

    @property
    def _numbers(self) -> dict[str, int]:
        names = dict.fromkeys(name for service in self.services.values() for name in service.networks)
        return {name: place for place, name in enumerate(names, 1)}

    def namespace(self, service: str) -> str:
        """The name that `ip netns exec` knows a host by."""
        return f"nj-{service}"

    def names_file(self, service: str) -> Path:
        """What a host knows of others: those alone that it shares a network with."""
        return self.folder / f"hosts-{service}"

    def address(self, network: str, service: str) -> str:
        """Of a service in a network."""
        return f"10.88.{self._numbers[network]}.{list(self.services).index(service) + 10}"

    def up(self) -> None:
        """Make hosts, networks and the lists of names; this machine itself is in the network `front`."""
        self.down()
        for number in self._numbers.values():
            _ip("link", "add", f"njb{number}", "type", "bridge")
            _ip("link", "set", f"njb{number}", "up")
        for place, (name, service) in enumerate(self.services.items()):
            _ip("netns", "add", self.namespace(name))
            _ip("-n", self.namespace(name), "link", "set", "lo", "up")
            for network in service.networks:
                self._connect(name, place, network)
            self.names_file(name).write_text(self._names(service))
        if front := self._numbers.get("front"):
            _ip("addr", "add", f"10.88.{front}.1/24", "dev", f"njb{front}")

    def _connect(self, name: str, place: int, network: str) -> None:
        number, host = self._numbers[network], self.namespace(name)
        outer, inner = f"njv{number}-{place}", f"net{number}"
        _ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", host)
        _ip("link", "set", outer, "master", f"njb{number}", "up")
        _ip("-n", host, "addr", "add", f"{self.address(network, name)}/24", "dev", inner)
        _ip("-n", host, "link", "set", inner, "up")

    def _names(self, service: Service) -> str:
        lines = ["127.0.0.1 localhost"]
        for name, other in self.services.items():
            shared = [network for network in service.networks if network in other.networks]
            lines += [f"{self.address(network, name)} {name}" for network in shared[:1]]
        return "\n".join(lines) + "\n"

    def processes(self, service: str) -> list[int]:
        """What runs on a host."""
        found = subprocess.run(["ip", "netns", "pids", self.namespace(service)], capture_output=True, check=True)
        return [int(pid) for pid in found.stdout.split()]

    def kill(self, service: str) -> None:
        """End all that runs on a host at once, as when a container is killed."""
        for pid in self.processes(service):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def down(self) -> None:
        """Remove what `up` made, as far as it is there."""
        for name in self.services:
            _ip("netns", "del", self.namespace(name), check=False)
        for number in self._numbers.values():
            _ip("link", "del", f"njb{number}", check=False)


def _ip(*arguments: str, check: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=check, capture_output=not check)
