"""A new champion and the one before it on the same rows: what is found, what is done about it, and that once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import OutletUnavailable
from pipeline.results import ProbationResult, Watch
from pipeline.retrain.beside import answered
from pipeline.retrain.champion import conclusion
from pipeline.retrain.champion.promotion import move_of
from pipeline.retrain.champion.registry import CHAMPION, Registry
from pipeline.steps import nightly, probation, standing, telling
from pipeline.steps import retraining as retrain_steps
from pipeline.steps.probation import watch_champion
from tests.retrain.conftest import _empty_database, tracking_uri, world  # noqa: F401  (fixtures)
from tests.retrain.world import FIRST, World
from tests.servers.smtp import Flavour, SmtpServer
from tests.servers.webhook import Webhook

pytestmark = pytest.mark.slow

QUICK, IGNORANT = "tests.retrain.trainers:quick", "tests.retrain.trainers:ignorant"
NOW = datetime(2026, 1, 4, 9, tzinfo=UTC)
NOTIFY = {"email": ["team@example.com"]}


def silent(_: str) -> None:
    pass


def version_of(world: World, trainer: str, number: int, **retrain: Any) -> str:
    world.write_monitor(trainer=trainer, **retrain)
    result = retrain_steps.retrain(world.night(number), "tested", progress=silent)
    assert result.lineage is not None
    return result.lineage.version


@pytest.fixture
def bad(world: World) -> World:
    """Version 1 learnt something; version 2, which learnt nothing, was promoted by hand after the night of the 4th."""
    return planted(world)


def planted(world: World, **retrain: Any) -> World:
    world.write_nights(0, 0, 0, 0, 0, 0, 0)
    assert version_of(world, QUICK, 3, notify=NOTIFY) == "1"
    assert version_of(world, IGNORANT, 4, notify=NOTIFY) == "2"
    retrain_steps.promote(world.night(4), "2", NOW)
    world.write_monitor(trainer=QUICK, notify=NOTIFY, **retrain)
    return world


def champion(world: World) -> str:
    found = Registry("people", world.night(1).tracking_uri).at(CHAMPION)
    assert found is not None
    return found.number


def watched(world: World, number: int) -> Watch:
    found = watch_champion(world.night(number), silent).probation
    assert found is not None
    return found


def labels(world: World, number: int) -> Path:
    return world.project.root / f"data/labels/dt={FIRST + timedelta(days=number - 1)}/part-0.parquet"


def change(world: World) -> str:
    """The mail about the champion as it lies in the store."""
    return (world.store / "people" / "retraining" / "champion.eml").read_text(encoding="utf-8")


def test_a_champion_that_is_worse_is_rolled_back_by_itself_with_the_evidence(bad: World) -> None:
    before = standing.reference(bad.night(5), bad.night(5).cache()).digest

    found = watched(bad, 5)

    assert (found.version, found.against, found.since, found.nights) == ("2", "1", FIRST + timedelta(days=4), 1)
    assert (found.rows, found.labelled_rows, found.decision, found.done) == (400, 400, "worse", "rolled_back")
    assert found.loss is not None
    assert found.loss.loss == "log_loss"
    assert found.loss.low > 0
    assert found.main is not None
    assert found.main.name == "roc_auc"
    assert "worse beyond the noise" in found.sentence
    assert champion(bad) == "1"
    assert standing.reference(bad.night(5), bad.night(5).cache()).digest != before
    said = change(bad)
    assert "Subject: [people] rolled back to version 1: version 2 was worse in its probation" in said
    assert "both answered 400 rows of 1 night" in " ".join(said.split()).lower()
    assert "rolled back in its probation since" in (bad.store / "people" / "index.html").read_text(encoding="utf-8")
    assert bad.night(5).retraining_on(date(2026, 1, 4)).since == "rolled back in its probation"  # type: ignore[union-attr]


def test_again_is_no_second_step_back(bad: World) -> None:
    first = watched(bad, 5)

    assert watched(bad, 5) == first
    assert watch_champion(bad.night(6), silent).probation is None
    assert champion(bad) == "1"
