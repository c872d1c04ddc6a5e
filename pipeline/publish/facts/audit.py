"""What a monitor still lacks for production: questions with an answer out of what was seen, and a level of maturity.

A level is reached where every question of it and of those below it has the answer yes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from pipeline.config import Monitor
from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.retraining import PastRetraining
from pipeline.results import QualityResult, Told
from pipeline.results.drill import Drill
from pipeline.wording import clip, count

MONTH, QUARTER = timedelta(days=31), timedelta(days=92)
LABELLED_NIGHTS = 30
LEVELS = ("not watched", "watched", "judged", "proven")
"""What a monitor is that has reached a level, by its number."""
FIT = 2
"""The level that a model in production should have."""
_TRAINED = ("promoted", "proposed", "rejected", "superseded")


@dataclass(frozen=True)
class Evidence:
    """What is known of a monitor.

    Attributes:
        monitor: as its file says.
        due: the run date that a night should be there of by now.
        nights: all that are published, oldest first.
        quality: what the suite found on the newest one.
        retrainings: all of them, oldest first.
        told: who was told of what.
        outlets: the ways on which people can be told.
        lacking: what those that are asked for lack.
        drill: the last one.
        now: when it is asked.
    """

    monitor: Monitor
    due: date
    now: datetime
    nights: Sequence[PastNight] = ()
    quality: QualityResult | None = None
    retrainings: Sequence[PastRetraining] = ()
    told: Sequence[Told] = ()
    outlets: Sequence[str] = ()
    lacking: Sequence[str] = ()
    drill: Drill | None = None


@dataclass(frozen=True)
class Answer:
    """A question, whether the answer is yes, what it rests on, and what to do where it is no."""

    level: int
    question: str
    passed: bool
    words: str
    advice: str = ""


@dataclass(frozen=True)
class Audit:
    """All answers about a monitor."""

    monitor: Monitor
    answers: tuple[Answer, ...] = field(default=())

    @property
    def level(self) -> int:
        """The highest level of which, and of all below it, every answer is yes; 0 where there is none."""
        missing = [answer.level for answer in self.answers if not answer.passed]
        return min(missing, default=len(LEVELS)) - 1

    @property
    def open(self) -> tuple[Answer, ...]:
        """The answers that are no."""
        return tuple(answer for answer in self.answers if not answer.passed)

    @property
    def words(self) -> str:
        """`level 1 of 3, watched; 4 of 11 are open`."""
        reached = f"level {self.level} of {count(len(LEVELS) - 1)}, {LEVELS[self.level]}"
        many, asked = len(self.open), count(len(self.answers))
        return f"{reached}; {count(many)} of {asked} {'is' if many == 1 else 'are'} open" if many else reached


def audit(found: Evidence) -> Audit:
    """The answers about a monitor, by level."""
    return Audit(found.monitor, tuple(ask(found) for ask in _QUESTIONS))


def _on_time(found: Evidence) -> Answer:
    newest = found.nights[-1].run_date if found.nights else None
    words = "no night is published" if newest is None else f"the newest is of {newest}"
    advice = f"one of {found.due} is due: see the DAG's last run, or `run {found.monitor.name} --date {found.due}`"
    return Answer(1, "Do nights run on time?", newest is not None and newest >= found.due, words, advice)


def _whole(found: Evidence) -> Answer:
    broken = found.nights[-1].broken if found.nights else ()
    words = f"broke: {', '.join(broken)}" if broken else "all of the newest night" if found.nights else "no night yet"
    advice = "see the night's page for why"
    return Answer(1, "Is everything measured?", bool(found.nights) and not broken, words, advice)


def _told(found: Evidence) -> Answer:
    words = "; ".join([*found.outlets, *found.lacking]) or "nobody is named"
    advice = "name addresses or channels under notify, and set their variables; `notify --test` tries them"
    return Answer(1, "Can somebody be told?", bool(found.outlets) and not found.lacking, words, advice)


def _gate(found: Evidence) -> Answer:
    outcomes = () if found.quality is None else found.quality.outcomes
    asked = [outcome for outcome in outcomes if outcome.check is None]
    critical = sum(outcome.severity == "critical" for outcome in asked)
    words = f"{count(critical)} of {count(len(asked), 'expectation')} of the suite would close the gate"
    advice = "give what must hold the severity critical in the suite"
    return Answer(1, "Is there data that it refuses?", critical > 0, words, advice)


def _labels(found: Evidence) -> Answer:
    recent = found.nights[-LABELLED_NIGHTS:]
    labelled = sum(bool(night.performance) or night.basis not in (None, "estimated") for night in recent)
    words = f"{count(labelled)} of the newest {count(len(recent), 'night')} {'has' if labelled == 1 else 'have'} some"
    if found.monitor.columns.label is None:
        words = "columns.label is not set"
    elif not labelled:
        words = "no night has any" if recent else "no night yet"
    advice = "say where labels come from (docs/labels.md); without any nobody knows whether the model works"
    return Answer(2, "Do labels come?", labelled > 0, words, advice)


def _objective(found: Evidence) -> Answer:
    judged = next((night for night in reversed(found.nights) if night.metric_limit is not None), None)
    words = "no night was held against one"
    if judged is not None:
        words = f"the night of {judged.run_date} was held against one"
    advice = "set performance.floors or performance.max_drop; a reference with labels, or a floor, is needed"
    return Answer(2, "Is there an objective?", judged is not None, words, advice)


def _budget(found: Evidence) -> Answer:
    alarms = found.monitor.drift.alarms
    words = "thresholds are fixed" if alarms is None else f"at most one in {count(alarms.per_nights, 'night')}"
    advice = "set drift.alarms (docs/alarms.md), or false alarms wear out who is told"
    return Answer(2, "Have false alarms a budget?", alarms is not None, words, advice)


def _reached(found: Evidence) -> Answer:
    sent = [one for one in found.told if one.sent and found.now - one.moment <= MONTH]
    words = "nothing was sent this month"
    if sent:
        last = max(sent, key=lambda one: one.moment)
        words = f"{count(len(sent), 'time')} this month, last on {last.moment.date()} by {last.outlet}"
    advice = "a way that nothing goes is not known to lead anywhere; `notify.when: always` tells of every night"
    return Answer(2, "Has somebody been reached this month?", bool(sent), words, advice)


def _described(found: Evidence) -> Answer:
    text = clip(found.monitor.description, 120)
    words = text or "description is not set"
    advice = "say in description what the model is for and what depends on it; docs/runbooks has the rest"
    return Answer(2, "Does whoever is woken learn what the model is for?", bool(text), words, advice)


def _retrained(found: Evidence) -> Answer:
    trained = [one for one in found.retrainings if one.status in _TRAINED]
    words = f"last on {trained[-1].run_date}: {trained[-1].headline}" if trained else "no version was trained"
    advice = f"train one before it is needed: `retrain {found.monitor.name} --date {found.due} --force`"
    return Answer(3, "Has retraining been done?", bool(trained), words, advice)


def _refused(found: Evidence) -> Answer:
    refused = [one for one in found.retrainings if one.status == "rejected"]
    words = f"it refused {count(len(refused), 'version')}, last on {refused[-1].run_date}" if refused else "never"
    advice = "a gate that has let everything through is not known to hold: look at what the last version was judged by"
    return Answer(3, "Has the gate refused a model?", bool(refused), words, advice)


def _drilled(found: Evidence) -> Answer:
    last = found.drill
    passed = last is not None and last.missed is None and found.now - last.moment <= QUARTER
    words = "no drill yet"
    if last is not None:
        words = f"the last one, on {last.moment.date()}, was {'passed' if last.missed is None else 'not passed'}"
    advice = f"see that a planted fault comes out where people are: `drill {found.monitor.name}`"
    return Answer(3, "Has a drill been passed this quarter?", passed, words, advice)


_QUESTIONS: tuple[Callable[[Evidence], Answer], ...] = (
    *(_on_time, _whole, _told, _gate),
    *(_labels, _objective, _budget, _reached, _described),
    *(_retrained, _refused, _drilled),
)
