"""The sections on a new champion on probation and a challenger in the shadow, on the page of a night."""

from __future__ import annotations

from pipeline.config import Monitor
from pipeline.publish import charts
from pipeline.publish.facts.night import NightView
from pipeline.publish.facts.performance import kind_of
from pipeline.publish.facts.probation import LOSSES, done_words, rollback_command, version_words
from pipeline.publish.facts.retraining import both_words
from pipeline.results import LossComparison, MetricComparison, Watch
from pipeline.wording import apart, clip, metric_name, signed

_MAX_NOTES = 50
_LOOKS = {"rolled_back": "worse", "proposed": "worse", "kept": "better"}
_DIRECTIONS = {"higher": "higher is better", "lower": "lower is better", "near_zero": "near 0 is better"}


def probation_parts(view: NightView) -> list[dict[str, object]]:
    """A section for each pair of versions; one with notes only, where a new champion has nobody beside it."""
    found = view.probation
    if found is None:
        return []
    watched = [_part(view.monitor, watch) for watch in (found.probation, found.shadow) if watch is not None]
    if not found.notes:
        return watched
    notes = [_sentence(note) for note in found.notes[:_MAX_NOTES]]  # of a champion that nothing can be told of
    return [{"kind": "probation", "title": "New champion on probation", "watched": False, "notes": notes}, *watched]


def next_of(view: NightView) -> dict[str, str] | None:
    """What belongs to the next step of the night: a champion that was undone, or is to be; None where neither is."""
    watch = None if view.probation is None else view.probation.probation
    if watch is None or watch.done not in ("rolled_back", "proposed"):
        return None
    said = done_words(view.monitor, watch)
    if watch.done == "rolled_back":
        said = f"{version_words(watch.version).capitalize()} was worse in its probation. {said}"
    return {"words": said, "command": rollback_command(view.monitor, watch) or ""}


def _part(monitor: Monitor, watch: Watch) -> dict[str, object]:
    shadow = watch.kind == "shadow"
    version, against = version_words(watch.version), version_words(watch.against)
    other = "the champion" if shadow else "the champion before it"
    verb = "answer" if watch.night < watch.until and watch.done != "rolled_back" else "answered"
    asked = "on" if watch.done == "not_possible" else f"both {verb} the rows of"
    notes = [_sentence(note) for note in watch.notes]
    return {
        "kind": watch.kind,
        "title": "Challenger in the shadow" if shadow else "New champion on probation",
        "about": f"{version.capitalize()} beside {against}, {other}: {asked} the nights from "
        f"{watch.since} to {min(watch.until, watch.night) if verb == 'answered' else watch.until}.",
        "watched": True,
        "sentence": _sentence(watch.sentence),
        "look": _LOOKS.get(watch.done, ""),
        "done": done_words(monitor, watch),
        "command": rollback_command(monitor, watch) or "",
        "answered": "" if watch.answered in watch.sentence else _sentence(watch.answered),
        "versions": (version.capitalize(), against.capitalize()),
        "rows": [*_main_row(watch.main), *_loss_row(watch.loss)],
        "loss": None if watch.loss is None else _loss(watch.loss, version, against),
        "notes": notes[:_MAX_NOTES],
        "more_notes": max(len(notes) - _MAX_NOTES, 0),
    }


def _sentence(words: str) -> str:
    words = clip(words, 600).strip().rstrip(".")
    return words[:1].upper() + words[1:]


def _main_row(main: MetricComparison | None) -> list[dict[str, str]]:
    if main is None:
        return []
    version, against = both_words(main.challenger, main.champion)
    name, note = metric_name(main.name), _DIRECTIONS[kind_of(main.name).better]
    return [{"name": name[:1].upper() + name[1:], "note": note, "version": version, "against": against}]


def _loss_row(loss: LossComparison | None) -> list[dict[str, str]]:
    if loss is None:
        return []
    version, against = both_words(loss.version, loss.against)
    note = "of a row in the mean, lower is better; decides"
    return [{"name": LOSSES[loss.loss].capitalize(), "note": note, "version": version, "against": against}]


def _loss(loss: LossComparison, version: str, against: str) -> dict[str, object]:
    """The chart, and the same in words."""
    held = "the rows are too few for an interval"
    if loss.low is not None and loss.high is not None:
        ends = " and ".join(apart(loss.low, loss.high, digits=2, write=signed))
        held = f"with 95% between {ends}, however often one looks"
    return {
        "title": f"{LOSSES[loss.loss].capitalize()} of {version} less that of {against}",
        "chart": charts.difference_chart(loss),
        "ends": (f"{version} better", f"{version} worse"),
        "words": f"In the mean {signed(loss.difference)} a row; {held}",
    }
