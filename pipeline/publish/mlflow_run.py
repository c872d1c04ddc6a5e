"""One MLflow run per monitor and date, in the experiment `monitoring/<monitor>`, found again by its tag `monitor_key`.

A rerun updates the run. MLflow cannot change or delete everything, so:

- a metric with the same value is left alone; a changed one gets a later point, and the run shows that;
- a metric that the night no longer has gets the value NaN;
- a parameter keeps its first value; a different one is the tag `changed.<parameter>`;
- an input stays; the tags `snapshot.reference` and `snapshot.production` say which data the numbers are about.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.config.drift_policy import AlarmPolicy
from pipeline.config.monitor import PerformancePolicy
from pipeline.publish.facts.night import NightView
from pipeline.results import PerformanceResult, Snapshot
from pipeline.storage.mlflow_client import experiment_id, open_store
from pipeline.storage.scratch import temporary_folder
from pipeline.wording import clip, count

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

log = logging.getLogger(__name__)

KEY_TAG = "monitor_key"
ENVIRONMENT_TAG = "environment"
SCORE_PREFIX = "score/"
IMPORTANCE_PREFIX = "importance/"
MAX_METRIC_NAME = 250
_REVISION_TAG = "nightjar.revision"
_CHANGED_PREFIX = "changed."
_METRICS_PER_BATCH = 1_000
_DIGEST_LENGTH = 32  # MLflow allows 36 characters
_MAX_TEXT = 5_000
# Allowed in MLflow's names as they are; `:` stands for the start of an escaped byte, so it is escaped too.
_PLAIN = re.compile(r"[\w\-. ]", re.ASCII)

T = TypeVar("T")


def log_night(view: NightView, files: Mapping[str, bytes], tracking_uri: str | None) -> str:
    """Record a night, or bring its record up to date; the id of its run.

    Args:
        view: the results.
        files: artifacts by name, such as `drift_report.html`.
        tracking_uri: None for what MLflow's own variables say.

    Raises:
        OutletUnavailable: MLflow could not be reached or failed; trying again later can help.
        OutletRefused: MLflow said no, such as for a missing permission or a deleted experiment.
    """
    with open_store(tracking_uri) as client:
        experiment = experiment_id(client, f"monitoring/{view.monitor.name}")
        run = _find_run(client, experiment, view) or _only_run(client, experiment, view)
        _log_parameters_and_tags(client, run, view)
        _log_metrics(client, run, view)
        _log_inputs(client, run, view)
        _log_files(client, run, files)
        client.set_terminated(run.info.run_id, "FINISHED")
        return str(run.info.run_id)


def metrics(view: NightView) -> dict[str, float]:
    """Every number of the night by metric name. Shares are fractions in [0, 1], scores in the unit of their method."""
    found: dict[str, float] = {
        "drift_share": view.drift.drift_share,
        "decisive_drift_share": view.drift.decisive_share,
        "columns_compared": view.drift.evaluated,
        "columns_drifted": len(view.drift.drifted_columns),
        "columns_not_evaluable": len(view.drift.columns) - view.drift.evaluated,
        "rows/reference": view.pair.reference.rows,
        "rows/production": view.pair.production.rows,
        "rows/labelled": view.performance.labelled_rows,
        "quality/passed_share": view.quality.passed_share,
        "quality/expectations": len(view.quality.outcomes),
        "quality/failed_critical": view.quality.failed("critical"),
        "quality/failed_warning": view.quality.failed("warning"),
        "quality/failed_info": view.quality.failed("info"),
    }
    if view.drift.weighted_drift_share is not None:
        found["weighted_drift_share"] = view.drift.weighted_drift_share
    if view.drift.alarms is not None:
        found["drift.chance"] = view.drift.alarms.chance
    for prefix, values in (("performance/", view.performance.realised), ("reference/", view.performance.reference)):
        found |= {metric_name(prefix, name): value for name, value in values.items()}
    found |= _performance_metrics(view.performance)
    for column in view.drift.columns:
        if column.score is not None:
            found[metric_name(SCORE_PREFIX, column.name)] = column.score
        if column.importance is not None:
            found[metric_name(IMPORTANCE_PREFIX, column.name)] = column.importance
    return found


def _performance_metrics(performance: PerformanceResult) -> dict[str, float]:
    """Intervals, estimates, the last nights together, and the verdict; what is not known is left out."""
    guessed = {} if performance.estimated is None else performance.estimated.metrics
    sources = {"performance": performance.intervals, "reference": performance.reference_intervals, "estimated": guessed}
    found: dict[str, float] = {metric_name("estimated/", name): estimate.value for name, estimate in guessed.items()}
    for nights, span in performance.spans.items():
        prefix = metric_name("performance_nights_", nights)
        sources[prefix] = span.metrics
        found |= {metric_name(f"{prefix}/", name): estimate.value for name, estimate in span.metrics.items()}
    for source, values in sources.items():
        for end in ("low", "high"):
            ends = {name: getattr(estimate, end) for name, estimate in values.items()}
            found |= {metric_name(f"{source}_{end}/", name): value for name, value in ends.items() if value is not None}
    if performance.coverage is not None:
        found["label_coverage"] = performance.coverage
    verdict = performance.verdict
    if verdict is not None:
        judged = {
            "judged": None if verdict.value is None else verdict.value.value,
            "judged_limit": verdict.limit,
            "judged_reference": None if verdict.before is None else verdict.before.value,
        }
        found |= {name: value for name, value in judged.items() if value is not None}
        found |= {"degraded": float(performance.degraded), "breaches": float(len(verdict.breaches))}
    if performance.estimated is not None:
        found["estimator_withdrawn"] = float(performance.estimated.status == "withdrawn")
    return found


def parameters(view: NightView) -> dict[str, str]:
    """How the night was judged: what the monitor file asks for."""
    policy = view.monitor.drift
    overrides = {name: rule.model_dump(exclude_none=True) for name, rule in sorted(policy.columns.items())}
    return {
        "drift_limit": str(view.drift.limit),
        "drift_share_by": policy.share,
        "drift_critical": clip(", ".join(policy.critical), _MAX_TEXT) or "none",
        "quality_suite": view.quality.suite,
        "numerical_method": _method(policy.numerical.method, policy.numerical.threshold),
        "categorical_method": _method(policy.categorical.method, policy.categorical.threshold),
        "column_methods": clip(json.dumps(overrides, ensure_ascii=False), _MAX_TEXT) if overrides else "none",
        "label_delay_days": str(view.monitor.performance.label_delay_days),
        **({} if policy.alarms is None else {"drift_alarms": _alarms(policy.alarms)}),
        **_performance_parameters(view.monitor.performance),
    }


def _alarms(policy: AlarmPolicy) -> str:
    """`1 in 365 nights, window 7, against the reference and the last quiet night`."""
    against = " and ".join("the reference" if item == "reference" else item.words for item in policy.against)
    return f"1 in {policy.per_nights} nights, window {policy.window}, against {against}"


def _performance_parameters(policy: PerformancePolicy) -> dict[str, str]:
    """When the model counts as worse than it may be."""
    floors = ", ".join(f"{name} {value}" for name, value in sorted(policy.floors.items()))
    return {
        "label_window_days": str(policy.window_days),
        "performance_main": policy.main,
        "performance_floors": floors or "none",
        "performance_max_drop": "none" if policy.max_drop is None else str(policy.max_drop),
        "performance_trend_nights": str(policy.trend_nights),
        "performance_on": ", ".join(policy.on) or "none",
    }


def tags(view: NightView) -> dict[str, str]:
    """The decision, and what it is about."""
    used = Counter(column.method for column in view.drift.columns if column.method and column.score is not None)
    found = {
        KEY_TAG: _key(view),
        "monitor": view.monitor.name,
        "run_date": view.run_date.isoformat(),
        **({} if view.environment is None else {ENVIRONMENT_TAG: view.environment}),
        "status": view.decision.status,
        "retrain": str(view.decision.retrain).lower(),
        "reason": view.decision.reason,
        "drift_decided_by": view.drift.decisive,
        "methods_used": ", ".join(f"{method} {number}" for method, number in sorted(used.items())) or "none",
        "snapshot.reference": view.pair.reference.digest,
        "snapshot.production": view.pair.production.digest,
        **_performance_tags(view),
        "mlflow.source.name": "nightjar",
        "mlflow.source.type": "JOB",
    }
    return {name: clip(value, _MAX_TEXT) for name, value in found.items()}


def _performance_tags(view: NightView) -> dict[str, str]:
    """The verdict on performance, and what it is about; nothing where none was given."""
    verdict = view.performance.verdict
    if verdict is None:
        return {}
    return {
        "causes": ", ".join(view.decision.causes) or "none",
        "performance_verdict": verdict.status,
        "performance_sentence": verdict.sentence,
        "performance_metric": verdict.metric or "none",
        "performance_basis": verdict.basis or "none",
    }


def metric_name(prefix: str, name: str) -> str:
    """A name from data as MLflow allows it: `score/<name>`, other characters as `:` and two hex digits per UTF-8 byte.

    Different names stay different; the one without a character is `:`. A name that had to be cut ends in `::` and a
    digest of the whole; every other one can be read back, as `urllib.parse.unquote` does with `%` for `:`.
    """
    escaped = "".join(char if _PLAIN.match(char) else _escape(char) for char in name)
    if not name:
        escaped = ":"
    elif not escaped.strip(". "):  # MLflow reads names as paths, and databases ignore spaces at the end
        escaped = "".join(map(_escape, name))
    elif escaped.endswith(" "):
        escaped = escaped[:-1] + _escape(" ")
    if len(prefix + escaped) > MAX_METRIC_NAME:
        digest = "::" + hashlib.sha256(name.encode()).hexdigest()[:16]
        escaped = escaped[: MAX_METRIC_NAME - len(prefix) - len(digest)] + digest
    return prefix + escaped


def _escape(char: str) -> str:
    return "".join(f":{byte:02X}" for byte in char.encode())


def _method(method: str, threshold: float | None) -> str:
    return method if threshold is None else f"{method}, threshold {threshold}"


def _key(view: NightView) -> str:
    return f"{view.monitor.name}/{view.run_date}"


def _find_run(client: MlflowClient, experiment: str, view: NightView) -> Run | None:
    """The night's run; the oldest of several. A run that somebody deleted is not found and stays deleted."""
    runs = _runs(client, experiment, view)
    if not runs:
        return None
    if len(runs) > 1:
        log.warning(
            "%s have the tag %s=%s: taking the oldest, %s; delete the others",
            *(count(len(runs), "MLflow run"), KEY_TAG, _key(view), runs[0].info.run_id),
        )
    return runs[0]


def _runs(client: MlflowClient, experiment: str, view: NightView) -> list[Run]:
    """The runs of the night, the oldest first."""
    query = f"tags.{KEY_TAG} = '{_key(view)}'"
    found = client.search_runs([experiment], query, order_by=["attributes.start_time ASC"])
    return [run for run in found if is_of(run, view.environment)]


def is_of(run: Run, environment: str | None) -> bool:
    """Whether a run is of this installation, and not of another with the same monitor and the same MLflow.

    One without a name is taken for the same: before it was named, or where it lost its name, no second run is made.
    """
    named = run.data.tags.get(ENVIRONMENT_TAG)
    return named is None or environment is None or named == environment


def _only_run(client: MlflowClient, experiment: str, view: NightView) -> Run:
    """A new run. MLflow's client asks again where an answer is lost, and the server then makes one for each request: of
    those the oldest stays. Nobody else makes any meanwhile, see `RunStore.alone_outlet`.
    """
    made = _create_run(client, experiment, view)
    all_made = _runs(client, experiment, view) or [made]
    for left in all_made[1:]:
        client.delete_run(left.info.run_id)
    return all_made[0]


def _create_run(client: MlflowClient, experiment: str, view: NightView) -> Run:
    named = {} if view.environment is None else {ENVIRONMENT_TAG: view.environment}
    return client.create_run(experiment, run_name=str(view.run_date), tags={KEY_TAG: _key(view), **named})


def _log_parameters_and_tags(client: MlflowClient, run: Run, view: NightView) -> None:
    from mlflow.entities import Param, RunTag

    run_id, known, wanted = run.info.run_id, run.data.params, parameters(view)
    new = [Param(name, value) for name, value in wanted.items() if name not in known]
    changed = {name: value for name, value in wanted.items() if known.get(name, value) != value}
    for name, value in changed.items():
        log.warning("MLflow keeps %s=%s of the run of %s; it is now %s", name, known[name], _key(view), value)
    all_tags = {**tags(view), **{_CHANGED_PREFIX + name: value for name, value in changed.items()}}
    client.log_batch(run_id, params=new, tags=[RunTag(name, value) for name, value in all_tags.items()])
    for name in run.data.tags:
        if name.startswith(_CHANGED_PREFIX) and name not in all_tags:
            client.delete_tag(run_id, name)


def _log_metrics(client: MlflowClient, run: Run, view: NightView) -> None:
    """Only what differs is written: equal points would pile up or be refused, depending on the database.

    All points are at step 0. Of two points the run shows the one with the later time, and at the same time the one
    with the higher value; so a correction gets a later time: midnight of the date plus one millisecond per revision.
    """
    from mlflow.entities import Metric

    known, wanted = run.data.metrics, metrics(view)
    gone = {name: math.nan for name in known if name not in wanted}
    changed = {
        name: float(value)
        for name, value in (wanted | gone).items()
        if name not in known or _differ(value, known[name])
    }
    if not changed:
        return
    # A tag without metrics is of a process that was killed in between.
    revision = int(run.data.tags.get(_REVISION_TAG, "-1")) + 1 if run.data.metrics else 0
    client.set_tag(run.info.run_id, _REVISION_TAG, str(revision))
    midnight = datetime(view.run_date.year, view.run_date.month, view.run_date.day, tzinfo=UTC)
    timestamp = int(midnight.timestamp() * 1_000) + revision
    points = [Metric(name, value, timestamp, 0) for name, value in changed.items()]
    for batch in _batches(points, _METRICS_PER_BATCH):
        client.log_batch(run.info.run_id, metrics=batch)


def _differ(one: float, other: float) -> bool:
    return one != other and not (math.isnan(one) and math.isnan(other))


def _log_inputs(client: MlflowClient, run: Run, view: NightView) -> None:
    """Reference and production under digests of our own: MLflow's look at the first 10,000 rows only."""
    from mlflow.entities import DatasetInput, InputTag

    roles = {"reference": view.pair.reference, "production": view.pair.production}
    inputs = [
        DatasetInput(_dataset(role, snapshot), [InputTag("mlflow.data.context", role)])
        for role, snapshot in roles.items()
    ]
    client.log_inputs(run.info.run_id, inputs)


def _dataset(role: str, snapshot: Snapshot) -> Any:
    from mlflow.entities import Dataset

    profile = {"num_rows": snapshot.rows, "num_columns": len(snapshot.fields), "num_bytes": snapshot.size}
    return Dataset(
        name=role,
        digest=snapshot.digest[:_DIGEST_LENGTH],
        source_type="s3" if snapshot.uri.startswith("s3://") else "local",
        source=json.dumps({"uri": snapshot.uri}),
        profile=json.dumps(profile),
    )


def _log_files(client: MlflowClient, run: Run, files: Mapping[str, bytes]) -> None:
    with temporary_folder() as folder:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        client.log_artifacts(run.info.run_id, str(folder))


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
