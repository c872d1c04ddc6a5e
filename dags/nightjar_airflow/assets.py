"""What other teams' DAGs can wait for: an asset for each monitor's nights, and one for its champion.

An event says what came of it in its `extra`, so that whoever waits needs no way to the run store.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Asset, AssetAlias, get_current_context


def nights(monitor: str) -> Asset:
    """Has an event for each night that is published, whatever its verdict."""
    return Asset(f"nightjar/{monitor}/night")


def champion(monitor: str) -> Asset:
    """Has an event for each version that becomes champion in Airflow."""
    return Asset(f"nightjar/{monitor}/champion")


def champions(monitor: str) -> AssetAlias:
    """Stands for `champion` in tasks that mostly change none: an asset of theirs would have an event each time."""
    return AssetAlias(f"nightjar/{monitor}/champion-changed")


def tell_night(monitor: str, said: dict[str, Any]) -> None:
    """What the event of the running task says, once the task has succeeded."""
    get_current_context()["outlet_events"][nights(monitor)].extra = said


def tell_champion(monitor: str, said: dict[str, Any]) -> None:
    """Give the running task an event of the champion, once it has succeeded."""
    get_current_context()["outlet_events"][champions(monitor)].add(champion(monitor), extra=said)
