"""What is remembered of a retraining and what people did to it since."""

from __future__ import annotations

from pipeline.publish.facts.retraining import remember
from pipeline.publish.facts.retraining_words import command, drift_words, next_step
from tests.publish import samples
from tests.publish.retrainings import retraining


def test_a_version_that_was_rolled_back_is_no_promotion() -> None:
    back = remember(retraining().model_copy(update={"since": "rolled back"}))
    assert not back.promoted
    assert back.headline == "promoted version 3, rolled back since"
    assert back.sign == "absent"


def test_a_version_that_did_not_stand_its_probation_says_so() -> None:
    result = retraining().model_copy(update={"since": "rolled back in its probation"})
    back = remember(result)
    assert not back.promoted
    assert back.headline == "promoted version 3, rolled back in its probation since"
    assert back.meaning(follows=True) == "It was worse in its probation, and the champion before it is back."
    assert next_step(samples.monitor(), result).endswith(
        "it was worse in its probation, and the champion before it is back."
    )
    assert command(samples.monitor(), result) is None


def test_the_drift_share_is_told_once() -> None:
    night = "9 of 18 columns drifted (50%), over the limit of 30%"
    old = retraining().model_copy(update={"night_reason": None, "drift_share": 0.5, "reason": night, "forced": False})
    assert drift_words(old) == ""
    by_hand = old.model_copy(update={"reason": "requested by hand"})
    assert drift_words(by_hand) == "50% of the columns had drifted"
