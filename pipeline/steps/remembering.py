"""What is remembered of a monitor's nights and retrainings, and made again from these where that is missing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from pydantic import ValidationError

from pipeline.steps.night import Workspace

if TYPE_CHECKING:
    from pipeline.publish.facts.history import PastNight
    from pipeline.publish.facts.retraining import PastRetraining


def nights_of(workspace: Workspace) -> tuple[PastNight, ...]:
    """What is remembered of all published nights of a monitor, oldest first."""
    found = remembered(workspace)
    return recall(workspace, ()) if found is None else found


def retrainings_of(workspace: Workspace) -> tuple[PastRetraining, ...]:
    """What is remembered of all published retrainings of a monitor, oldest first."""
    from pipeline.publish.facts.retraining import Retrainings

    content = workspace.store.read_page(f"{workspace.retraining_place}/history.json")
    try:
        if content is not None:
            return Retrainings.model_validate_json(content).retrainings
    except ValidationError:
        pass  # written by a version that remembered something else
    return _recall_retrainings(workspace)


def remembered(workspace: Workspace) -> tuple[PastNight, ...] | None:
    """What is remembered of nights; None where nothing is, or by a version that remembered something else."""
    from pipeline.publish.facts.history import History

    content = workspace.store.read_page(f"{workspace.name}/history.json")
    try:
        return None if content is None else History.model_validate_json(content).nights
    except ValidationError:
        return None


def recall(workspace: Workspace, known: Collection[PastNight]) -> tuple[PastNight, ...]:
    """All published nights: as known, the last one of a date, or else from their own files."""
    from pipeline.publish.facts.history import PastNight

    by_day = {night.run_date: night for night in known}
    newest = {night.run_date for night in list(known)[-1:]}  # not published yet, as it is about to be
    found = (by_day.get(day) or workspace.on(day).read(PastNight) for day in sorted({*workspace.nights(), *newest}))
    return tuple(night for night in found if night is not None)


def remember(workspace: Workspace, nights: Sequence[PastNight]) -> None:
    """Remember all nights, in place of what was remembered."""
    from pipeline.publish.facts.history import History

    workspace.store.write_page(f"{workspace.name}/history.json", History(nights=tuple(nights)).to_json())


def _recall_retrainings(workspace: Workspace) -> tuple[PastRetraining, ...]:
    from pipeline.publish.facts import retraining as facts

    found = (workspace.retraining_on(day) for day in workspace.retrainings())
    return tuple(facts.remember(result) for result in found if result is not None)


def remember_retrainings(workspace: Workspace) -> None:
    """Remember all retrainings, read from themselves: they are few."""
    from pipeline.publish.facts.retraining import Retrainings

    found = Retrainings(retrainings=_recall_retrainings(workspace))
    if found.retrainings:
        workspace.store.write_page(f"{workspace.retraining_place}/history.json", found.to_json())
