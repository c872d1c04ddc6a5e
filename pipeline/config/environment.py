"""What is special about Nightjar's environment variables: one per chat channel, and addresses that hold secrets."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource, PydanticBaseSettingsSource

CHANNEL_PREFIX = "PIPELINE_CHANNEL_"


def channel_variable(channel: str) -> str:
    """The variable that holds a channel's URL: `team-chat` is told through `PIPELINE_CHANNEL_TEAM_CHAT`."""
    return CHANNEL_PREFIX + channel.upper().replace("-", "_")


class ChannelSource(PydanticBaseSettingsSource):
    """Gathers every `PIPELINE_CHANNEL_<NAME>` of the environment and of `.env` into the setting `channels`."""

    def __init__(self, settings: type[Any], *sources: PydanticBaseSettingsSource) -> None:
        super().__init__(settings)
        self._sources = [source for source in sources if isinstance(source, EnvSettingsSource)]

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Not used: this source gives one setting as a whole."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The URLs by variable; a source named earlier wins."""
        found: dict[str, SecretStr] = {}
        for source in reversed(self._sources):
            for name, value in source.env_vars.items():
                if name.upper().startswith(CHANNEL_PREFIX) and value:
                    found[name.upper()] = SecretStr(value)
        return {"channels": found}


def reveal(value: SecretStr | None) -> str | None:
    """The secret itself, to hand it to what needs it."""
    return value.get_secret_value() if value else None


def require_scheme(variable: str, value: str | None, schemes: tuple[str, ...]) -> None:
    """Refuse an address of another kind; it may hold a password, so the message does not repeat it."""
    if value is None:
        return
    if "" in schemes and "://" not in value and "\0" not in value:
        return
    if not any(scheme and value.startswith(scheme) for scheme in schemes) or not _has_host(value):
        allowed = " or ".join("a local path" if scheme == "" else scheme + "..." for scheme in schemes)
        raise ValueError(f"{variable}: allowed: {allowed}")


def _has_host(address: str) -> bool:
    """Whether it names a server or bucket, and nothing that no address has: spaces, line ends, a port out of range."""
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and parts.port != 0 and not re.search(r"[\s\x00-\x1f\x7f]", address)
    except ValueError:
        return False
