"""The champion and what goes with it, on a real registry; a crash at every step of a promotion and a rollback."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError, ModelTampered, StoreBusy
from pipeline.retrain.champion import promotion
from pipeline.retrain.champion.promotion import (
    Occasion,
    champion_of,
    move_of,
    promote,
    roll_back,
    settle,
    was_undone,
)
from pipeline.retrain.champion.registry import CHALLENGER, CHAMPION, PREVIOUS, Entry, Registry, Version
from pipeline.retrain.model import model_files
from pipeline.storage.lease import Lease

ALIASES = (CHAMPION, CHALLENGER, PREVIOUS)


class Crash(BaseException):
    """The process ends here."""


@pytest.fixture
def registry(tracking_uri: str) -> Registry:
    return Registry("people", tracking_uri)


def register(registry: Registry, folder: Path, day: str) -> Version:
    """A version with a file instead of a model."""
    model = folder / day / "model"
    model.mkdir(parents=True)
    (model / "MLmodel").write_text(f"model of {day}")
    tags = {
        "run_date": day,
        "training_uri": f"/training/{day}.parquet",
        "training_sha256": day * 2,
        "model_sha256": model_files.digest(model_files.listing(model)),
    }
    run_id, source = registry.record(Entry(f"people/{day}", model, {"rows": "1"}, {"roc_auc": 0.9}, tags))
    return registry.register(run_id, source, {"retrain_key": f"people/{day}", **tags}, b"{}")


def three(registry: Registry, folder: Path) -> list[Version]:
    return [register(registry, folder, f"2026-01-0{number}") for number in (1, 2, 3)]


def state(registry: Registry) -> dict[str, str]:
    found = {name: registry.at(name) for name in ALIASES}
    return {name: version.number for name, version in found.items() if version is not None}


def outcome(registry: Registry, number: str) -> str | None:
    version = registry.version(number)
    assert version is not None
    return version.tags.get("outcome")


def test_versions_are_found_by_key_number_and_alias(registry: Registry, tmp_path: Path) -> None:
    first, second, _ = three(registry, tmp_path)

    assert registry.find("people/2026-01-02") == second
    assert registry.find("people/2026-01-09") is None
    assert registry.version("1") == first
    assert registry.version("99") is None
    assert registry.version("not a number") is None
    assert registry.at(CHAMPION) is None
    assert registry.numbers() == ["1", "2", "3"]
    assert Registry("nobody", registry.tracking_uri).at(CHAMPION) is None


def test_a_run_without_a_version_was_left_by_a_killed_process_and_goes(registry: Registry, tmp_path: Path) -> None:
    folder = tmp_path / "left"
    folder.mkdir()
    left, _ = registry.record(Entry("people/2026-01-01", folder, {}, {}, {}))

    version = register(registry, tmp_path, "2026-01-01")

    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=registry.tracking_uri)
    assert client.get_run(left).info.lifecycle_stage == "deleted"
    assert client.get_run(str(version.run_id)).info.status == "FINISHED"


def test_promotions_and_rollbacks_move_the_champion_and_its_reference_with_it(
    registry: Registry, tmp_path: Path
) -> None:
    first, second, third = three(registry, tmp_path)
    for version in (first, second, third):
        promote(registry, version, Lease())
    assert state(registry) == {CHAMPION: "3", PREVIOUS: "2"}

    change = roll_back(registry, Lease())

    assert (change.event, change.version, change.previous_version) == ("rolled_back", "2", "3")
    assert change.training_uri == "/training/2026-01-02.parquet"
    assert state(registry) == {CHAMPION: "2", PREVIOUS: "1"}
    assert outcome(registry, "3") == "rolled_back"


def test_rolling_back_twice_goes_two_back_and_then_no_further(registry: Registry, tmp_path: Path) -> None:
    for version in three(registry, tmp_path):
        promote(registry, version, Lease())

    roll_back(registry, Lease())
    roll_back(registry, Lease())

    assert state(registry) == {CHAMPION: "1"}
    with pytest.raises(ConfigError, match="version 1 is the first champion"):
        roll_back(registry, Lease())
    assert state(registry) == {CHAMPION: "1"}


def test_a_rollback_that_names_the_version_it_steps_back_from_is_done_once(registry: Registry, tmp_path: Path) -> None:
    for version in three(registry, tmp_path):
        promote(registry, version, Lease())

    first = roll_back(registry, Lease(), "3")
    again = roll_back(registry, Lease(), "3")

    assert (first.event, first.version) == ("rolled_back", "2")
    assert (again.event, again.version, again.previous_version) == ("unchanged", "2", "3")
    assert state(registry) == {CHAMPION: "2", PREVIOUS: "1"}
    with pytest.raises(ConfigError, match="version 1 is not the champion, so nothing to roll back; version 2 is"):
        roll_back(registry, Lease(), "1")
    with pytest.raises(ConfigError, match="version 9 is not the champion"):
        roll_back(registry, Lease(), "9")


def test_every_move_has_a_number_and_says_who_made_it_and_why(registry: Registry, tmp_path: Path) -> None:
    first, second, _ = three(registry, tmp_path)
    promote(registry, first, Lease(), Occasion("retraining", after=date(2026, 1, 1)))
    promote(registry, second, Lease())
    roll_back(registry, Lease(), "2", Occasion("probation"))

    champion = registry.at(CHAMPION)
    move = move_of(champion)
    assert move is not None
    assert (move.number, move.event, move.by, move.previous_version) == (3, "rolled_back", "probation", "2")
    assert outcome(registry, "2") == "failed_probation"
    promote(registry, second, Lease())
    again = registry.at(CHAMPION)
    assert again is not None
    assert was_undone(again)
    assert champion is not None
    assert not was_undone(champion)


def test_an_old_version_that_is_promoted_again_can_be_rolled_back_too(registry: Registry, tmp_path: Path) -> None:
    first, second, _ = three(registry, tmp_path)
    for version in (first, second, first):
        promote(registry, version, Lease())
    assert state(registry) == {CHAMPION: "1", PREVIOUS: "2"}

    assert [roll_back(registry, Lease()).version for _ in range(2)] == ["2", "1"]
    with pytest.raises(ConfigError):
        roll_back(registry, Lease())


def known_on(registry: Registry, day: int) -> str | None:
    found = champion_of(registry, date(2026, 1, day))
    return None if found is None else found.number


def test_a_night_knows_only_champions_that_were_trained_for_earlier_dates(registry: Registry, tmp_path: Path) -> None:
    for version in three(registry, tmp_path):
        promote(registry, version, Lease())

    assert [known_on(registry, day) for day in (1, 2, 3, 4)] == [None, "1", "2", "3"]


def test_champions_that_were_promoted_back_and_forth_end_the_search(registry: Registry, tmp_path: Path) -> None:
    first, second, _ = three(registry, tmp_path)
    for version in (first, second, first, second):
        promote(registry, version, Lease())

    assert [known_on(registry, day) for day in (1, 2, 3)] == [None, "1", "2"]


def test_without_a_champion_there_is_nothing_to_roll_back(registry: Registry) -> None:
    with pytest.raises(ConfigError, match="there is no champion"):
        roll_back(registry, Lease())


def test_promoting_the_champion_changes_nothing(registry: Registry, tmp_path: Path) -> None:
    first = register(registry, tmp_path, "2026-01-01")
    promote(registry, first, Lease())

    assert promote(registry, first, Lease()).event == "unchanged"
    assert state(registry) == {CHAMPION: "1"}


def test_a_deleted_version_is_passed_over(registry: Registry, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    for version in three(registry, tmp_path):
        promote(registry, version, Lease())
    client = MlflowClient(tracking_uri=registry.tracking_uri)
    client.delete_registered_model_alias("people", PREVIOUS)
    client.delete_model_version("people", "2")

    assert roll_back(registry, Lease()).version == "1"


def test_files_that_were_changed_are_not_promoted_and_not_rolled_back_to(registry: Registry, tmp_path: Path) -> None:
    first, second, _ = three(registry, tmp_path)
    promote(registry, first, Lease())
    promote(registry, second, Lease())
    path = Path(first.source.removeprefix("file://")) / "MLmodel"
    path.write_text("another model")

    with pytest.raises(ModelTampered, match="version 1: its files are not the ones"):
        roll_back(registry, Lease())
    assert state(registry) == {CHAMPION: "2", PREVIOUS: "1"}
    path.unlink()
    path.parent.rmdir()
    with pytest.raises(ModelTampered, match="its files are gone"):
        promote(registry, first, Lease())


def test_who_lost_the_lease_moves_nothing(registry: Registry, tmp_path: Path) -> None:
    first = register(registry, tmp_path, "2026-01-01")
    lost = Lease()
    lost.lose()

    with pytest.raises(StoreBusy):
        promote(registry, first, lost)
    assert state(registry) == {}


def crash_at_change(registry: Registry, number: int, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
    """End the process at the registry's n-th change from now on, before or after it is made."""
    changes = 0

    def wrapped(change: Any) -> Any:
        def made(*arguments: Any) -> None:
            nonlocal changes
            changes += 1
            if changes == number and not after:
                raise Crash
            change(*arguments)
            if changes == number:
                raise Crash

        return made

    monkeypatch.setattr(registry, "tag", wrapped(registry.tag))
    monkeypatch.setattr(registry, "point", wrapped(registry.point))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("action", ["promote", "roll_back"])
def test_a_crash_at_any_step_leaves_the_old_state_or_the_new_one(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str, step: int, after: bool
) -> None:
    """Whoever comes next settles the rest. The reference is looked up at the champion, so it is never another's."""
    first, second, third = three(registry, tmp_path)
    for version in (first, second):
        promote(registry, version, Lease())
    registry.point(CHALLENGER, third)
    old = state(registry)
    new = {CHAMPION: "3", PREVIOUS: "2"} if action == "promote" else {CHAMPION: "1", CHALLENGER: "3"}

    def act() -> None:
        if action == "promote":
            promote(registry, third, Lease())
        else:
            roll_back(registry, Lease())

    with monkeypatch.context() as patch:
        crash_at_change(registry, step, patch, after)
        with suppress(Crash):
            act()
    champion = registry.at(CHAMPION)
    assert champion is not None
    settle(registry)

    assert state(registry) == (new if champion.number == new[CHAMPION] else old)
    assert outcome(registry, champion.number) == "promoted"
    if champion.number != new[CHAMPION]:
        act()
    assert state(registry) == new
    champion = registry.at(CHAMPION)
    assert champion is not None
    assert champion.tags["training_uri"] == f"/training/{champion.tags['run_date']}.parquet"


def test_the_history_is_bounded(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promotion, "_DEEPEST", 1)
    for version in three(registry, tmp_path):
        promote(registry, version, Lease())

    assert roll_back(registry, Lease()).version == "2"
    with pytest.raises(ConfigError):
        roll_back(registry, Lease())
