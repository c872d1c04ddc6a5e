"""What is remembered of a retraining and what people did to it since."""

from __future__ import annotations

from pipeline.publish.facts.retraining import remember
from tests.publish.retrainings import retraining


def test_a_version_that_was_rolled_back_is_no_promotion() -> None:
    back = remember(retraining().model_copy(update={"since": "rolled back"}))
    assert not back.promoted
    assert back.headline == "promoted version 3, rolled back since"
    assert back.sign == "absent"
