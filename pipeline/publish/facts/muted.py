"""That a monitor is muted, until when and why: the same on every page, in the digest and in what a step says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from pipeline.config import Mute
from pipeline.publish.facts.night import NightView
from pipeline.results import RetrainResult
from pipeline.wording import clip

_MOST = 260


def standing_words(mutes: Iterable[Mute], day: date | None) -> str:
    """`muted until 2026-02-14: we repair the source`; empty where nothing holds on a day or comes after it.

    Args:
        mutes: all that is known of a monitor.
        day: of the newest night, None before the first one.
    """
    found = [mute for mute in mutes if day is None or mute.until >= day]
    if not found:
        return ""
    last = max(found, key=lambda mute: (day is not None and mute.covers(day), mute.until))
    return clip(last.words_at(day or last.first), _MOST)


def night_line(view: NightView) -> str:
    """What a mute means for the mail and the messages about a night, in a sentence; empty where it is not muted."""
    mute = view.muted
    if mute is None:
        return ""
    words = clip(mute.words_at(view.run_date), _MOST)
    if view.held_back:
        return f"{words[:1].upper()}{words[1:]}. Mail and messages about this night are held back."
    why = "its data is broken" if view.decision.status == "data_broken" else "a part of it could not be measured"
    return f"{words[:1].upper()}{words[1:]}. People are told of this night all the same, as {why}."


def not_sent(mute: Mute) -> str:
    """What stands where something would have been sent."""
    return f"not sent: muted until {mute.until}"


def holds_back(mute: Mute | None, result: RetrainResult) -> bool:
    """Whether a retraining is not told: one that broke is told all the same."""
    return mute is not None and result.status not in ("failed", "quality_failed")
