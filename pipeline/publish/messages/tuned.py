"""What is proposed for a wanted rate of alarms, why, and what it costs: for the terminal."""

from __future__ import annotations

from pipeline.publish.messages.backtest import summary
from pipeline.results import Tuned
from pipeline.wording import count, once_in


def text(found: Tuned) -> str:
    """The proposal in a sentence, the nights under it beside the nights as they are, and what was not proposed."""
    nights, wanted = found.backtest, count(found.per_nights, "quiet night")
    lines = [
        f"{found.monitor}, {nights.first} to {nights.last}: for at most one alarm in {wanted}",
        "",
        _proposal(found),
        *_basis(found),
        "",
        *summary(nights),
        "",
        *(f"known since, and not counted as quiet: {first}..{last}" for first, last in found.known),
        *(f"not proposed: {why}" for why in found.rejected),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _proposal(found: Tuned) -> str:
    if found.proposal == "as_it_is":
        return "Proposed: nothing. The file as it is keeps that rate."
    if found.proposal == "none":
        return "Proposed: nothing, as nothing that was tried holds."
    if found.proposal == "limit":
        return "Proposed: another limit of the drift share."
    if found.proposal == "thresholds":
        many = sum(key[:2] == ("drift", "columns") for key, _ in found.changes)
        return f"Proposed: other thresholds for {count(many, 'column')}."
    if found.proposal == "budget":
        return "Proposed: a budget of alarms, which states its rate without these nights (docs/alarms.md)."
    return "Proposed: more nights before a retraining. Alarms stay as many as they are."


def _basis(found: Tuned) -> list[str]:
    quiet = count(found.quiet_nights, "quiet night")
    if found.chance is not None:
        rare = once_in(found.chance, beside=(found.per_nights,))
        return [f"By {quiet}, and if nights to come are like them, an alarm comes {rare} or less, on average."]
    if found.quiet_nights >= found.needed:
        return []
    few = f"From {quiet} nobody can tell whether fixed thresholds or a limit keep that rate"
    able = f"they can tell one in {count(found.quiet_nights + 1)}"
    return [f"{few}: that takes {count(found.needed)} at least ({able})."]
