"""A night as Prometheus gauges: the text of `gauges.prom`, and pushing it to a Pushgateway.

The text holds no moment of its own making, so that a night run twice gives the same bytes; the moment of success is
added when it is pushed. A push replaces the whole group of the monitor, so columns that are gone leave no stale
series; a failure replaces only its own gauge, so that the last good numbers survive it.
"""

from __future__ import annotations

import base64
import hashlib
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from http.client import HTTPException
from typing import get_args
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from pipeline.errors import ConfigError, OutletRefused, OutletUnavailable
from pipeline.publish.facts.night import NightView
from pipeline.publish.facts.verdict import decisive_share
from pipeline.publish.facts.words import clip
from pipeline.results import ColumnDrift, Hold, QualityResult, Severity, Status
from pipeline.storage.retries import with_retries

PREFIX = "model_monitor_"
JOB = "nightjar"
MAX_COLUMNS = 1000
MAX_LABEL = 200
TIMEOUT_SECONDS = 20.0
_TRY_AGAIN = (408, 425, 429)
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]


class Gauges:
    """Collects gauges for the library to write; it does the escaping of label values."""

    def __init__(self) -> None:
        self._families: list[GaugeMetricFamily] = []

    def add(self, name: str, meaning: str, values: Sequence[tuple[Labels, float]]) -> None:
        """One gauge with one series for each set of labels; without any series it is left out."""
        if values:
            family = GaugeMetricFamily(PREFIX + name, meaning, labels=list(values[0][0]))
            for labels, value in values:
                family.add_metric(list(labels.values()), value)
            self._families.append(family)

    def one(self, name: str, meaning: str, value: float) -> None:
        """One gauge with a single series."""
        self.add(name, meaning, [({}, value)])

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Called by the registry."""
        yield from self._families

    def text(self) -> bytes:
        """The gauges in the Prometheus text format, in the order they were added."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)


def exposition(view: NightView) -> bytes:
    """The night's gauges in the Prometheus text format; equal results give equal bytes."""
    gauges = Gauges()
    _add_verdict(gauges, view)
    _add_drift(gauges, view)
    _add_quality(gauges, view.quality)
    snapshots = {"reference": view.pair.reference, "production": view.pair.production}
    gauges.add("rows", "Rows of the snapshot.", [({"snapshot": name}, snap.rows) for name, snap in snapshots.items()])
    _add_performance(gauges, view)
    return gauges.text()


def push(text: bytes, monitor: str, gateway_url: str, now: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Replace the monitor's group at the gateway with `text` and the moment of success.

    Args:
        text: what `exposition` made.
        gateway_url: http(s), with user and password where the gateway asks for them.
        now: Unix time in seconds.
        sleep: waits so many seconds between attempts.

    Raises:
        OutletUnavailable: no connection, or the gateway kept failing, after retries.
        OutletRefused: the gateway does not accept the gauges or the credentials.
    """
    gauges = Gauges()
    gauges.one("last_success_timestamp_seconds", "When a night was last published and pushed.", now)
    send("PUT", text + gauges.text(), f"monitor/{monitor}", gateway_url, sleep)


def push_failure(
    monitor: str, gateway_url: str, task: str, now: float, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Record that a step broke, leaving every other gauge of the monitor as it is.

    The next success replaces the whole group and so clears it. Arguments and errors are those of `push`; `task` is
    the step's name.
    """
    gauges = Gauges()
    meaning = "When a night last broke, and at which step."
    gauges.add("last_failure_timestamp_seconds", meaning, [({"task": clip(task, MAX_LABEL)}, now)])
    send("POST", gauges.text(), f"monitor/{monitor}", gateway_url, sleep)


def _add_verdict(gauges: Gauges, view: NightView) -> None:
    status = view.decision.status
    states = [({"status": state}, float(state == status)) for state in get_args(Status)]
    gauges.add("status", "The verdict: 1 for the state the model is in, 0 for the others.", states)
    gauges.one("retraining_requested", "Whether the night asked for a retraining run.", view.decision.retrain)
    holds = [({"reason": hold}, float(hold == view.decision.hold)) for hold in get_args(Hold)]
    gauges.add("retraining_held", "Why retraining is held: 1 for the reason, 0 for the others.", holds)
    gauges.one("data_stale", "Whether the newest data was older than the monitor allows.", view.stale)
    gauges.one("run_date_timestamp_seconds", "Start of the day whose data was judged, UTC.", midnight(view.run_date))


def _add_drift(gauges: Gauges, view: NightView) -> None:
    drift = view.drift
    gauges.one("drift_share_ratio", "Drifted columns as a fraction of the evaluated ones.", drift.drift_share)
    if drift.weighted_drift_share is not None:
        meaning = "The same, with each column counted by how much the champion relies on it."
        gauges.one("weighted_drift_share_ratio", meaning, drift.weighted_drift_share)
    meaning = "The one of these shares that is held against the limit."
    gauges.one("decisive_drift_share_ratio", meaning, decisive_share(drift))
    gauges.one("drift_limit_ratio", "Drift share over which retraining is due.", drift.limit)
    gauges.one("columns_drifted", "Columns past their threshold.", len(drift.drifted_columns))
    gauges.one("columns_evaluated", "Columns with a drift score.", drift.evaluated)
    gauges.one("columns_not_evaluable", "Columns for which no score could be computed.", len(view.not_evaluable))
    columns = [(column_label(item.name), item) for item in view.ranked if item.status == "evaluated"][:MAX_COLUMNS]
    scores = [({"column": label, "method": item.method or ""}, _score(item)) for label, item in columns]
    gauges.add("column_drift_score", "Drift score, in the unit of its method.", scores)
    drifted = [({"column": label}, float(item.drifted)) for label, item in columns]
    gauges.add("column_drifted", "Whether the column is past its threshold.", drifted)
    weights = [({"column": label}, item.importance) for label, item in columns if item.importance is not None]
    gauges.add("column_importance_ratio", "How much the champion relies on the column, of all it relies on.", weights)


def _add_quality(gauges: Gauges, quality: QualityResult) -> None:
    gauges.one("quality_passed", "The gate: 1 unless a critical expectation failed.", quality.passed)
    totals = [
        ({"outcome": outcome, "severity": severity}, _outcomes(quality, outcome == "passed", severity))
        for severity in get_args(Severity)
        for outcome in ("passed", "failed")
    ]
    gauges.add("quality_expectations", "Expectations by outcome and severity.", totals)


def _add_performance(gauges: Gauges, view: NightView) -> None:
    if view.performance.status != "measured":
        return
    sources = {"realised": view.performance.realised, "reference": view.performance.reference}
    values = [
        ({"metric": column_label(metric), "source": source}, value)
        for source, metrics in sources.items()
        for metric, value in metrics.items()
    ]
    gauges.add("performance", "Model performance on labelled rows.", values)


def column_label(name: str) -> str:
    """A column's name as a label value: as it is, unless its length or an unpaired surrogate makes it unusable.

    A shortened name ends with a digest of the whole, so that two of them never become one series.
    """
    plain = name.encode("utf-8", "backslashreplace").decode()
    if len(plain) <= MAX_LABEL:
        return plain
    digest = hashlib.sha256(plain.encode()).hexdigest()[:16]
    return f"{plain[: MAX_LABEL - len(digest) - 1]}\u2026{digest}"


def _outcomes(quality: QualityResult, passed: bool, severity: str) -> float:
    return sum(1 for item in quality.outcomes if item.passed == passed and item.severity == severity)


def _score(column: ColumnDrift) -> float:
    return column.score if column.score is not None else 0.0


def midnight(day: date) -> float:
    """The start of a day in UTC, as Unix time."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def send(method: str, text: bytes, group: str, gateway_url: str, sleep: Callable[[float], None]) -> None:
    """Send gauges to a group of the job: PUT replaces the whole group, POST the gauges of the same names.

    Args:
        group: the rest of the grouping key, as in `monitor/churn`.

    The other arguments and the errors are those of `push`.
    """
    parts = _split(gateway_url)
    address = _without_credentials(parts)
    url = f"{address.rstrip('/')}/metrics/job/{JOB}/{group}"
    request = urllib.request.Request(url, data=text, method=method)  # noqa: S310  (Settings allows http and https)
    request.add_header("Content-Type", _CONTENT_TYPE)
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_header("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
    with_retries(sleep)(_send_once, request, address)


def _send_once(request: urllib.request.Request, address: str) -> None:
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            answer.read()
    except urllib.error.HTTPError as error:
        with error:
            said = clip(error.read(500).decode("utf-8", "replace").strip(), 300)
        if error.code >= 500 or error.code in _TRY_AGAIN:
            raise OutletUnavailable(
                f"the Pushgateway at {address} answered {error.code} ({said}): see its log; the gauges are not lost, "
                "run the step again"
            ) from None
        raise OutletRefused(
            f"the Pushgateway at {address} refused the gauges with {error.code} ({said}): "
            "check PIPELINE_PUSHGATEWAY_URL and its credentials"
        ) from None
    except (OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise OutletUnavailable(
            f"the Pushgateway at {address} cannot be reached ({reason or type(error).__name__}): "
            "check that it runs and PIPELINE_PUSHGATEWAY_URL"
        ) from None


def _split(gateway_url: str) -> SplitResult:
    """The address in parts; what is wrong with it is not repeated, as it may hold a piece of the password."""
    try:
        parts = urlsplit(gateway_url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            [
                "PIPELINE_PUSHGATEWAY_URL: found no host and port in it; allowed: http://user:password@host:9091, "
                "with special characters in user and password percent-encoded"
            ]
        )
    return parts


def _without_credentials(parts: SplitResult) -> str:
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
