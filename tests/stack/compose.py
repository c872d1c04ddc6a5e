"""docker-compose.yml as Docker Compose would read it, with the defaults of its choices."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_CHOICE = re.compile(r"(?<!\$)\$\{(\w+):-([^}]*)\}")
_SECRETS = "/run/secrets"


@dataclass(frozen=True)
class Service:
    """What the stack says of one service."""

    name: str
    image: str
    command: list[str]
    environment: dict[str, str]
    networks: list[str]
    secrets: dict[str, str]
    """Where each lies in the container, by its name."""
    volumes: dict[str, str]
    """What is mounted, by where: a folder of the checkout, or a volume's name."""
    health: list[str] | None
    waits_for: dict[str, str]
    """Other services, and what has to be true of them."""
    ends: bool
    """Whether it does something once, and is over."""


def services(profiles: Collection[str] = (), choices: Mapping[str, str] | None = None) -> dict[str, Service]:
    """All services by name, but those of a profile, which have to be asked for; what has a `scale`, so often."""
    chosen = choices or {}
    text = _CHOICE.sub(lambda found: chosen.get(found[1], found[2]), (ROOT / "docker-compose.yml").read_text())
    known = yaml.safe_load(text.replace("$$", "$"))["services"]
    wanted = {name: said for name, said in known.items() if set(said.get("profiles", profiles)) <= set(profiles)}
    return {copy: _service(copy, said) for name, said in wanted.items() for copy in _copies(name, said)}


def _copies(name: str, said: dict[str, Any]) -> list[str]:
    return [f"{name}-{number}" for number in range(1, said["scale"] + 1)] if "scale" in said else [name]


def _service(name: str, said: dict[str, Any]) -> Service:
    secrets = [
        {"source": item, "target": f"{_SECRETS}/{item}"} if isinstance(item, str) else item
        for item in said.get("secrets", [])
    ]
    # One without a name is this container's own.
    volumes = [(item if ":" in item else f"own-of-{name}:{item}").split(":") for item in said.get("volumes", [])]
    return Service(
        name=name,
        image=said["image"].partition(":")[0],
        command=said.get("command", []),
        environment={key: str(value) for key, value in said.get("environment", {}).items()},
        networks=said["networks"],
        secrets={item["source"]: item["target"] for item in secrets},
        volumes={target: source for source, target, *_ in volumes},
        health=said["healthcheck"]["test"][1:] if "healthcheck" in said else None,
        waits_for={other: wait["condition"] for other, wait in said.get("depends_on", {}).items()},
        ends=said.get("restart") == "no",
    )
