"""What OpenLineage is told of a published night: names, types, sizes, counts and verdicts, and no value from a row.

Events are the same for the same night, but for their time: the id of the run follows from job and date, so a night that
is run or told again makes no second run.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Literal

import pipeline
from pipeline.config import Monitor
from pipeline.publish.facts.night import NightView
from pipeline.results import QualityResult, Snapshot

Event = dict[str, Any]
Kind = Literal["START", "COMPLETE", "FAIL"]

_PRODUCER = f"urn:nightjar:{pipeline.__version__}"
_SPEC = "https://openlineage.io/spec"
_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_RUN_FACET = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunFacet"
_SEVERITIES = {"critical": "error", "warning": "warn", "info": "warn"}


def event_of(view: NightView, results_uri: str, kind: Kind, moment: datetime) -> Event:
    """An event about a night.

    Args:
        view: the night's results.
        results_uri: where they lie: a path or an s3:// address.
        kind: what happened.
        moment: when, in UTC.
    """
    return {
        **_event(view.monitor, view.environment, view.run_date, kind, moment, nightjar_verdict=_verdict(view)),
        "inputs": list(_inputs(view)),
        "outputs": [{**_named(results_uri), "facets": {"dataSource": _source(results_uri)}}],
    }


def failure_of(monitor: Monitor, environment: str | None, run_date: date, task: str, moment: datetime) -> Event:
    """A night that broke before it was published, without the words of what broke: they may quote an address.

    Args:
        monitor: whose night.
        environment: what this installation is.
        run_date: of the night.
        task: the step that broke.
        moment: when, in UTC.
    """
    words = f"{task} broke: the log of the night says why"
    error = _facet("1-0-1/ErrorMessageRunFacet", message=words, programmingLanguage="Python")
    return {
        **_event(monitor, environment, run_date, "FAIL", moment, errorMessage=error),
        "inputs": [],
        "outputs": [],
    }


def _event(
    monitor: Monitor, environment: str | None, run_date: date, kind: Kind, moment: datetime, **facets: Any
) -> Event:
    space, name = namespace(environment), f"nightly_{monitor.name}"
    return {
        "eventType": kind,
        "eventTime": moment.isoformat(),
        "producer": _PRODUCER,
        "schemaURL": _EVENT,
        "run": {"runId": run_id(space, name, run_date), "facets": {**_run(run_date), **facets}},
        "job": {"namespace": space, "name": name, "facets": _job(monitor)},
    }


def identity(event: Event) -> str:
    """What tells an event from others, whenever it was made."""
    said = {key: value for key, value in event.items() if key != "eventTime"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def namespace(environment: str | None) -> str:
    """Of the jobs: as OpenLineage's own variable says, else by the installation."""
    named = f"nightjar-{environment}" if environment else "nightjar"
    return os.environ.get("OPENLINEAGE_NAMESPACE") or named


def run_id(job_namespace: str, job: str, run_date: date) -> str:
    """The same for the same night, whoever runs it and how often."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"nightjar:{job_namespace}/{job}/{run_date}"))


def _job(monitor: Monitor) -> dict[str, Any]:
    kind = {"processingType": "BATCH", "integration": "NIGHTJAR", "jobType": "JOB"}
    owners = [{"name": monitor.owner}]
    return {
        "jobType": _facet("2-0-4/JobTypeJobFacet", **kind),
        "ownership": _facet("1-0-1/OwnershipJobFacet", owners=owners),
    }


def _run(run_date: date) -> dict[str, Any]:
    begins = f"{run_date}T00:00:00Z"
    ends = f"{run_date + timedelta(days=1)}T00:00:00Z"
    return {
        "nominalTime": _facet("1-0-1/NominalTimeRunFacet", nominalStartTime=begins, nominalEndTime=ends),
        "processing_engine": _facet("1-1-1/ProcessingEngineRunFacet", version=pipeline.__version__, name="nightjar"),
    }


def _verdict(view: NightView) -> dict[str, Any]:
    return {
        "_producer": _PRODUCER,
        "_schemaURL": _RUN_FACET,
        "status": view.decision.status,
        "driftShare": view.drift.drift_share,
        "retrain": view.decision.retrain,
        "page": view.link(),
    }


def _inputs(view: NightView) -> Iterator[dict[str, Any]]:
    """Each location once: what is production and something else, too, has the assertions."""
    pair = view.pair
    sides = [side for side in (pair.reference, pair.labels, pair.labelled, pair.production) if side is not None]
    for snapshot in {side.uri: side for side in sides}.values():
        found = _input(snapshot)
        if snapshot.uri == pair.production.uri:
            found["inputFacets"]["dataQualityAssertions"] = _assertions(view.quality)
        yield found


def _input(snapshot: Snapshot) -> dict[str, Any]:
    fields = [{"name": field.name, "type": field.type} for field in snapshot.fields]
    read = {"rowCount": snapshot.rows, "size": snapshot.size, "fileCount": len(snapshot.objects)}
    return {
        **_named(snapshot.uri),
        "facets": {
            "schema": _facet("1-2-0/SchemaDatasetFacet", fields=fields),
            "dataSource": _source(snapshot.uri),
            "version": _facet("1-0-1/DatasetVersionDatasetFacet", datasetVersion=snapshot.digest),
        },
        "inputFacets": {"inputStatistics": _facet("1-0-0/InputStatisticsInputDatasetFacet", **read)},
    }


def _assertions(quality: QualityResult) -> dict[str, Any]:
    """Of each expectation its kind, its column, how severe it is, and whether it passed: no limit and no figure."""
    found = [
        {
            "assertion": outcome.expectation,
            "success": outcome.passed,
            "severity": _SEVERITIES[outcome.severity],
            **({} if outcome.column is None else {"column": outcome.column}),
        }
        for outcome in quality.outcomes
    ]
    return _facet("1-1-0/DataQualityAssertionsDatasetFacet", assertions=found)


def _named(uri: str) -> dict[str, str]:
    """A place by OpenLineage's rules: `s3://bucket` and the key, `file` and the path."""
    space, name = _split(uri)
    return {"namespace": space, "name": name}


def _source(uri: str) -> dict[str, Any]:
    return _facet("1-0-1/DatasourceDatasetFacet", name=_split(uri)[0], uri=uri if "://" in uri else f"file://{uri}")


def _split(uri: str) -> tuple[str, str]:
    scheme, found, rest = uri.partition("://")
    if not found:
        return "file", uri.rstrip("/") or "/"
    host, _, path = rest.partition("/")
    return f"{scheme}://{host}", path.rstrip("/") or "/"


def _facet(place: str, **content: Any) -> dict[str, Any]:
    """A facet of the specification, such as `1-0-1/NominalTimeRunFacet`."""
    url = f"{_SPEC}/facets/{place}.json#/$defs/{place.partition('/')[2]}"
    return {"_producer": _PRODUCER, "_schemaURL": url, **content}
