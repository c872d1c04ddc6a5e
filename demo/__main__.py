"""`python -m demo`: nearly four weeks of nights of a made-up churn model through a real Airflow, and what came of them.

On the 14th night the model is called degraded: its own scores say that it can hardly tell the new customers apart. The
retraining that this asks for cannot know them yet, as their labels are not there; when these come, they show a model
that is worse than a coin. The nights of the cooldown are held. The retraining of the 21st night learns from the labels
that came meanwhile, beats the champion, and becomes the new reference: the 22nd night is quiet. Then somebody promotes
the old version by mistake: it is on probation beside the one before it, and when the first labels are there, four
nights later, it is rolled back, and nobody had to do anything.

The first nights run by the command line while Airflow starts, so that there is something to look at; so do those of the
cooldown and the last ones. Everything lands where it would by default: data in `data/churn`, results in `var/store`,
MLflow in `var/mlflow.db`. Run again, it goes through the same nights again and publishes the same files.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from io import StringIO
from pathlib import Path

from demo import churn
from demo.embedded_airflow import EmbeddedAirflow
from pipeline import own_process
from pipeline.cli import main as nightjar
from pipeline.config import Settings, load_settings
from pipeline.publish.facts.verdict import share_words
from pipeline.results import Decision, DriftResult, ProbationResult, QualityResult, SnapshotPair
from pipeline.steps import retraining as retrain_steps
from pipeline.steps.night import open_night
from pipeline.storage.run_store import RunStore
from pipeline.wording import count, seconds

MONITOR = "churn"
NIGHTLY, RETRAIN = f"nightly_{MONITOR}", f"retrain_{MONITOR}"
NIGHT_SECONDS = 900.0
LABEL_DELAY_DAYS = 3  # as monitors/churn.yaml says
WHILE_IT_STARTS = 3  # nights, before the labels of the first of them come
OLD_VERSION = "1"  # what the first retraining promoted, before it could know the new customers
AIRFLOW_HOME = Path(__file__).resolve().parent.parent / "var" / "airflow"
COMMAND = Path(sys.executable).with_name("nightjar")
_STARTED = time.monotonic()


@dataclass(frozen=True)
class Told:
    """One line of the table: a night as it was published."""

    run_date: date
    shows: str
    rows: int
    quality: str
    drift: str
    decision: str
    page: str


def say(line: str) -> None:
    """Progress, with the seconds since the start."""
    print(f"{seconds(time.monotonic() - _STARTED):>8}  {line}", flush=True)


def main() -> int:
    """Run the demo; 0 when every night ended as it should."""
    if not COMMAND.exists():
        raise SystemExit(f"{COMMAND} is missing: the demo runs Nightjar as it is installed; use `make demo`")
    settings = load_settings(os.environ)
    data = churn.write(labels_through=churn.FIRST_NIGHT - timedelta(days=1))  # they come as the nights go
    made = f"{count(data.reference_rows, 'reference row')} and {count(len(data.nights), 'night')}"
    say(f"made {made} in {_short(data.root)}")
    shutil.rmtree(AIRFLOW_HOME, ignore_errors=True)
    at_first, until_drift = data.nights[:WHILE_IT_STARTS], data.nights[WHILE_IT_STARTS:14]
    cooldown, loop, mistake = data.nights[14:20], data.nights[20:22], data.nights[22:]
    with ThreadPoolExecutor(1) as beside:
        first = beside.submit(_run_while_it_starts, at_first, settings)
        with EmbeddedAirflow(AIRFLOW_HOME, progress=say) as airflow:
            airflow.wait_for_dags(NIGHTLY, RETRAIN)
            told = first.result()
            told += [_run_night(airflow, data, night, settings) for night in until_drift]
            retrained = _wait_for_retraining(airflow, until_drift[-1])
            told += _run_by_command(data, cooldown, settings)
            for night in loop:
                _serve([night])
                told.append(_run_night(airflow, data, night, settings))
                retrained += _wait_for_retraining(airflow, night)
    told += _by_mistake(data, mistake, settings)
    _print_table(told)
    _print_retraining(retrained)
    _print_look_around(settings, told)
    return 0


def _run_while_it_starts(nights: Sequence[churn.Night], settings: Settings) -> list[Told]:
    """The first nights, in a process of their own: their pages are there before Airflow is."""
    told = []
    with (
        tempfile.TemporaryFile("w+") as steps,
        subprocess.Popen([COMMAND, *_backfill(nights)], stdout=subprocess.PIPE, stderr=steps, text=True) as running,
    ):
        for night, _ in zip(nights, running.stdout or (), strict=False):
            told.append(_read(night, RunStore(settings.store)))
            _say_night(told[-1])
            if len(told) == 1:
                say(f"the first page is there: {told[0].page}")
        if running.wait() or len(told) < len(nights):
            steps.seek(0)
            raise SystemExit(f"the first nights ended with {running.returncode}\n{steps.read()}")
    return told


def _backfill(nights: Sequence[churn.Night]) -> list[str]:
    first, last = str(nights[0].run_date), str(nights[-1].run_date)
    return ["backfill", MONITOR, "--from", first, "--to", last, "--retrain"]


def _command(*arguments: str) -> None:
    """A command of `nightjar` in this process, which so imports once for all of them what takes seconds."""
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = nightjar(list(arguments))
    if code:
        raise SystemExit(f"nightjar {' '.join(arguments)} ended with {code}\n{said.getvalue()}")


def _by_mistake(data: churn.ChurnData, nights: Sequence[churn.Night], settings: Settings) -> list[Told]:
    """A planted bad promotion, which its probation undoes."""
    say(f"somebody promotes the old model: nightjar promote {MONITOR} {OLD_VERSION}")
    _command("promote", MONITOR, OLD_VERSION)
    told = _run_by_command(data, nights, settings)
    found = open_night(MONITOR, nights[-1].run_date).read(ProbationResult)
    if found is None or found.probation is None or found.probation.done != "rolled_back":
        raise SystemExit(f"the probation of version {OLD_VERSION} did not end with a rollback: {found}")
    say(f"nobody had to act: {found.probation.sentence}")
    return told


def _serve(nights: Sequence[churn.Night]) -> None:
    """The champion scores nights before the next one comes: what a serving platform does after a promotion."""
    churn.rescore(nights, partial(retrain_steps.score, open_night(MONITOR, nights[0].run_date)))


def _bring_labels(data: churn.ChurnData, night: churn.Night) -> None:
    """The labels that are there on a night: those of three days ago come to the others."""
    due = night.run_date - timedelta(days=LABEL_DELAY_DAYS)
    for earlier in data.nights:
        if earlier.run_date == due:
            churn.bring_labels(data.root, earlier)


def _run_by_command(data: churn.ChurnData, nights: Sequence[churn.Night], settings: Settings) -> list[Told]:
    """The nights of the cooldown: the same steps without Airflow, in seconds."""
    first, last = nights[0].run_date, nights[-1].run_date
    say(f"the nights {first} to {last} without Airflow: nightjar run {MONITOR} --date ...")
    _serve(nights)
    told = []
    for night in nights:
        _bring_labels(data, night)
        _command(*_backfill([night]))
        told.append(_read(night, RunStore(settings.store)))
        _say_night(told[-1])
    return told


def _run_night(airflow: EmbeddedAirflow, data: churn.ChurnData, night: churn.Night, settings: Settings) -> Told:
    _bring_labels(data, night)
    run_id = airflow.trigger(NIGHTLY, {"run_date": str(night.run_date)}, run_id=f"demo__{night.run_date}")
    state = airflow.wait_run(NIGHTLY, run_id, timeout=NIGHT_SECONDS)
    told = _read(night, RunStore(settings.store))
    expected = "failed" if told.decision.startswith("data broken") else "success"
    if state != expected:
        states = airflow.task_states(NIGHTLY, run_id)
        raise SystemExit(f"the night of {night.run_date} ended {state}: {states}; logs in {airflow.log_folder}")
    _say_night(told)
    return told


def _say_night(told: Told) -> None:
    say(f"{told.run_date}  {told.shows:13} {told.drift:>4} drift  {told.decision}")


def _read(night: churn.Night, store: RunStore) -> Told:
    published = store.read_night(MONITOR, night.run_date)
    if published is None:
        raise SystemExit(f"the night of {night.run_date} was not published; see {AIRFLOW_HOME / 'logs'}")
    pair = SnapshotPair.model_validate_json(published["snapshots.json"])
    quality = QualityResult.model_validate_json(published["quality.json"])
    drift = DriftResult.model_validate_json(published["drift.json"])
    decision = Decision.model_validate_json(published["decision.json"])
    return Told(
        run_date=night.run_date,
        shows=night.shows,
        rows=pair.production.rows,
        quality=f"{count(len(quality.outcomes) - len(quality.failures))}/{count(len(quality.outcomes))}",
        drift=share_words(drift)[0],
        decision=_words(decision),
        page=_short(Path(store.night_uri(MONITOR, night.run_date, "index.html"))),
    )


def _words(decision: Decision) -> str:
    words = decision.status.replace("_", " ")
    if decision.retrain:
        return f"{words}, retraining requested"
    held = decision.status in ("drifted", "degraded") and decision.hold
    return f"{words}, held: {str(decision.hold).replace('_', ' ')}" if held else words


def _wait_for_retraining(airflow: EmbeddedAirflow, night: churn.Night) -> list[tuple[str, str, str]]:
    """Run id, state and result of the retraining that a night asked for, if it did."""
    run_id = f"retrain__{MONITOR}__{night.run_date}"
    if run_id not in {run.run_id for run in airflow.list_runs(RETRAIN)}:
        return []
    say(f"waiting for {run_id}")
    state = airflow.wait_run(RETRAIN, run_id, timeout=NIGHT_SECONDS)
    words = str(airflow.result(RETRAIN, run_id, "retrain") or "")
    say(words)
    return [(run_id, state, words)]


def _print_table(told: list[Told]) -> None:
    print(f"\n{'night':12}{'shows':15}{'rows':>6}  {'quality':>7}  {'drift':>5}  {'decision':32}report")
    for line in told:
        print(
            f"{line.run_date!s:12}{line.shows:15}{count(line.rows):>6}  {line.quality:>7}  {line.drift:>5}  "
            f"{line.decision:32}{line.page}"
        )


def _print_retraining(retrained: list[tuple[str, str, str]]) -> None:
    print()
    for run_id, state, words in retrained:
        print(f"{run_id}: {state}. {words}")
    if not retrained:
        print("no retraining run")


def _print_look_around(settings: Settings, told: list[Told]) -> None:
    last = told[-1]
    print(f"""
Look around:
  the pages          {_short(Path(settings.store))}/index.html, or this night's: {last.page}
  a mail             {last.page.replace("index.html", "summary.eml")}
  the gauges         {last.page.replace("index.html", "gauges.prom")}
  MLflow             .venv/bin/mlflow server --backend-store-uri {settings.embedded_mlflow_uri}
  one more night     .venv/bin/nightjar run {MONITOR} --date {last.run_date}
  your own model     README.md, 'Add your own model in five minutes'""")


def _short(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    own_process.run(main)
