"""One night as people read it: every page, mail and gauge takes its facts and its words from here.

Words that appear in more than one place are made once, so that the subject of a mail, the head of a page and
a message in a log never disagree. Nothing here reads a clock: equal results give equal words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import ClassVar

from pipeline.config import Monitor, Mute
from pipeline.publish.facts.alarms import chance_line
from pipeline.publish.facts.expected import expected_line
from pipeline.publish.facts.history import PastNight, remember
from pipeline.publish.facts.incidents import Standing
from pipeline.publish.facts.next_step import next_step
from pipeline.publish.facts.performance import is_judged, performance_words
from pipeline.publish.facts.retraining import PastRetraining
from pipeline.publish.facts.together import together_line, warning_words
from pipeline.publish.facts.verdict import (
    State,
    drifted_words,
    is_stale,
    ranked,
    retraining_words,
)
from pipeline.publish.facts.words import actor, failure_line, quality_words
from pipeline.results import (
    ColumnDrift,
    ColumnType,
    Decision,
    DriftResult,
    Kept,
    LabelledDay,
    PerformanceResult,
    ProbationResult,
    QualityResult,
    SnapshotPair,
    TogetherResult,
)
from pipeline.wording import clip, count, share


class Runs(Kept):
    """Who else has a record of a night: the ids of its runs in Airflow and in MLflow, None where there is none.

    `retrains`: whoever ran it without Airflow starts the retraining that it asks for. `missing`: outlets without it.
    """

    file: ClassVar[str] = "runs"

    airflow: str | None = None
    mlflow: str | None = None
    retrains: bool = False
    missing: tuple[str, ...] = ()

    @property
    def starts(self) -> bool:
        """Whether something starts the retraining that the night asks for: Airflow's task behind it, or a command."""
        return self.airflow is not None or self.retrains


@dataclass(frozen=True)
class NightView:
    """Everything that is told about one night of one monitor.

    `report_base_url` is where the run store can be read over HTTP, `mlflow_url` and `airflow_url` where people open
    those, `environment` the name of the installation. `history` holds other published nights in any order; those before
    this night are what it is compared with. `retraining` is what came of one of the same date
    and `runs` are its records elsewhere: the night's page links to both, while mails and gauges, which went out before,
    say nothing of them. `labelled` are the night's own predictions with the labels that have come so far.
    `retrainings` are those that the performance chart marks, in any order. `probation` is what was found after all
    that of versions that answer beside each other. `muted` is what holds back its mail and messages, see `held_back`;
    `incident` is where the night stands in one, None outside of any. `together`: None where the monitor does not ask
    for it.
    """

    monitor: Monitor
    pair: SnapshotPair
    quality: QualityResult
    drift: DriftResult
    performance: PerformanceResult
    decision: Decision
    report_base_url: str | None = None
    mlflow_url: str | None = None
    airflow_url: str | None = None
    environment: str | None = None
    history: tuple[PastNight, ...] = ()
    retraining: PastRetraining | None = None
    runs: Runs = field(default_factory=Runs)
    labelled: LabelledDay | None = None
    retrainings: tuple[PastRetraining, ...] = ()
    probation: ProbationResult | None = None
    together: TogetherResult | None = None
    muted: Mute | None = None
    incident: Standing | None = None

    @property
    def run_date(self) -> date:
        """The day whose data was judged."""
        return self.pair.run_date

    @property
    def tonight(self) -> PastNight:
        """The night as history will remember it."""
        return remember(
            self.pair,
            self.quality,
            self.drift,
            self.performance,
            self.decision,
            starts=self.runs.starts,
            labelled=self.labelled,
            probation=self.probation,
        )

    @property
    def before(self) -> tuple[PastNight, ...]:
        """Earlier nights, oldest first."""
        earlier = (night for night in self.history if night.run_date < self.run_date)
        return tuple(sorted(earlier, key=lambda night: night.run_date))

    @property
    def after(self) -> tuple[PastNight, ...]:
        """Later nights, oldest first; known only when an old night is written again."""
        later = (night for night in self.history if night.run_date > self.run_date)
        return tuple(sorted(later, key=lambda night: night.run_date))

    @property
    def so_far(self) -> tuple[PastNight, ...]:
        """Earlier nights and this one, oldest first."""
        return (*self.before, self.tonight)

    @property
    def headline(self) -> str:
        """The verdict in a line, such as `drifted: 9 of 18 columns (50%)`."""
        return self.tonight.headline

    @property
    def state(self) -> State:
        """What the night is shown as."""
        return self.tonight.state

    @property
    def stale(self) -> bool:
        """Whether the data is older than it should be."""
        return is_stale(self.quality)

    @property
    def broken(self) -> tuple[str, ...]:
        """The measurements that an error kept from an end."""
        measured = (self.quality, self.drift, self.performance, self.together)
        failures = (result.failure for result in measured if result is not None)
        return tuple(failure.part for failure in failures if failure is not None)

    @property
    def held_back(self) -> bool:
        """Whether nobody is told, as the monitor is muted: never where its data is broken, or it was not measured."""
        return self.muted is not None and self.decision.status != "data_broken" and not self.broken

    @property
    def subject(self) -> str:
        """Monitor, headline, date and what happens to the model: the page's title, and the subject of a first mail."""
        return self.tonight.subject(self.monitor.name)

    @property
    def mail_subject(self) -> str:
        """The mail's subject: within an incident that of the night which names it, as an answer.

        Mail programs that go by the subject, as Gmail does, then show one thread. A night that is worse than all before
        it of the incident says so in a subject of its own, which the next ones answer.
        """
        naming = None if self.incident is None else self.incident.naming
        if naming is None or naming.run_date == self.run_date:
            return self.subject
        return f"Re: {naming.subject(self.monitor.name)}"

    @property
    def incident_line(self) -> str:
        """Where the night stands in an incident; empty where it is the first of one, or in none."""
        return "" if self.incident is None else self.incident.line

    @property
    def consequence(self) -> str:
        """What the verdict means for the model, in a few words."""
        calm = {
            "data_broken": "nothing is retrained",
            "stale": "the newest data is older than it should be",
            "degraded": "the model is worse than it may be",
            "drifted": "no retraining is asked for",
            "too_few_rows": "nothing can be told from chance",
        }
        if self.together is not None and self.together.changed:
            calm["healthy"] = warning_words(self.together)
        words = retraining_words(self.decision, self.runs.starts) or calm.get(self.state, "nothing to do")
        return words[0].upper() + words[1:]

    @property
    def became(self) -> str:
        """The same with what came of it since: of the retraining, if there was one, and of a champion on probation."""
        moved = self.tonight.probation.outcome if self.tonight.probation is not None else ""
        if moved and self.state == "healthy":
            return moved[:1].upper() + moved[1:]
        return f"{self._retrained}; {moved}" if moved else self._retrained

    @property
    def _retrained(self) -> str:
        if self.retraining is None or self.decision.status not in ("drifted", "degraded"):
            return self.consequence
        if self.decision.retrain and not self.runs.starts:  # a person has done what was due
            return f"Retraining {self.retraining.headline}"
        return f"{self.consequence}, {self.retraining.headline}"

    @property
    def meaning(self) -> str:
        """What the retraining since means for the champion, in a sentence; empty where there was none."""
        follows = self.monitor.snapshots.follows_champion
        return "" if self.retraining is None else self.retraining.meaning(follows=follows)

    @property
    def ranked(self) -> tuple[ColumnDrift, ...]:
        """All columns: drifted ones first, then those closest to their threshold, those without a score last."""
        return ranked(self.drift.columns)

    @property
    def not_evaluable(self) -> tuple[ColumnDrift, ...]:
        """Columns without a score, in the order of the data."""
        return tuple(item for item in self.drift.columns if item.status == "not_evaluable")

    @property
    def uncompared(self) -> tuple[ColumnType, ...]:
        """Columns of production that nobody asked to compare and that are of no kind, or on no list; not those that the
        monitor sets aside by name: id, label, model version and ignored ones. None where drift was not measured.
        """
        if self.drift.failure or not self.drift.columns:
            return ()
        roles = self.monitor.columns
        known = {item.name for item in self.drift.columns} | {roles.id, roles.label, roles.model_version, *roles.ignore}
        return tuple(field for field in self.pair.production.fields if field.name not in known)

    @property
    def changed(self) -> tuple[str, ...]:
        """What changed, in three lines: drift, quality, performance and volume; below drift what people expected of it,
        what chance explains, and what columns did together.

        Broken or stale data comes first, then how well the model does, where there is a verdict on that.
        """
        performance, drift, rows = performance_words(self.performance), drift_words(self), rows_words(self)
        quality = quality_words(self.quality)
        blamed = (item for item in self.quality.failures if not self.quality.passed or item.check == "freshness")
        first = next(blamed, None) if self.stale or not self.quality.passed else None
        if first is not None:
            quality = f"{quality}: {failure_line(first, 100)}"
        if is_judged(self.performance):
            rest = f"{quality}; {rows}"
            lines = (quality, performance, f"{drift}; {rows}") if first else (performance, drift, rest)
        else:
            rest = f"{performance}; {rows}"
            lines = (quality, drift, rest) if first else (drift, quality, rest)
        place = (2 if is_judged(self.performance) else 1) + bool(first)
        explained = chance_line(self.drift, self.pair.production.rows)
        below = filter(None, (expected_line(self.drift), explained, together_line(self.together)))
        return (*lines[:place], *below, *lines[place:])

    @property
    def next_step(self) -> str:
        """What happens next and who acts, in a sentence or two."""
        return next_step(self)

    @property
    def command(self) -> str | None:
        """The command line that goes with `next_step`, where a person has to act."""
        if (self.decision.retrain and self.runs.starts) or self.state in ("healthy", "too_few_rows"):
            return None
        verb = "run" if self.state in ("data_broken", "stale") else "retrain"
        return f"python -m pipeline {verb} {self.monitor.name} --date {self.run_date}"

    @property
    def owner(self) -> str:
        """Who is responsible for the model, on one line."""
        return clip(self.monitor.owner, 120)

    @property
    def actor(self) -> str:
        """Who has to act: the owner, if anybody knows who that is."""
        return actor(self.monitor)

    @property
    def retraining_run(self) -> str:
        """The id that this night's retraining has in Airflow, whether or not it was requested."""
        return f"retrain__{self.monitor.name}__{self.run_date}"

    def link(self, name: str = "index.html") -> str | None:
        """Address of a file of this night for readers elsewhere; None when no base URL is set."""
        return self._address(f"{self.monitor.name}/{self.run_date}/{name}")

    def incident_link(self) -> str | None:
        """Address of its incident's page for readers elsewhere; None without one, or when no base URL is set."""
        return None if self.incident is None else self._address(f"{self.monitor.name}/{self.incident.page}")

    def monitor_link(self) -> str | None:
        """Address of the monitor's page for readers elsewhere; None when no base URL is set."""
        return self._address(f"{self.monitor.name}/index.html")

    def _address(self, path: str) -> str | None:
        return f"{self.report_base_url.rstrip('/')}/{path}" if self.report_base_url else None


def drift_words(view: NightView) -> str:
    """The drift share against the limit and the night before, with the strongest columns."""
    text, drifted = drifted_words(view.drift), view.drift.drifted_columns
    if view.before and view.drift.evaluated and not view.drift.too_few_rows:
        last = view.before[-1]
        text += f"; {'too few rows' if last.few else last.share_words} {before_words(view)}"
    if drifted:
        text += "; most: " + ", ".join(clip(item.name, 40) for item in drifted[:3])
    return text


def rows_words(view: NightView) -> str:
    """Production rows, against the night before where there is one."""
    rows = view.pair.production.rows
    text = count(rows, "row")
    if not view.before or not view.before[-1].rows:
        return text
    change = rows / view.before[-1].rows - 1
    if abs(change) < 0.005:
        return f"{text}, as many as {before_words(view)}"
    return f"{text}, {share(abs(change))} {'more' if change > 0 else 'fewer'} than {before_words(view)}"


def before_words(view: NightView) -> str:
    """`the night before`, or the date of the last night where days lie between."""
    last = view.before[-1].run_date
    return "the night before" if view.run_date - last <= timedelta(days=1) else f"on {last}"
