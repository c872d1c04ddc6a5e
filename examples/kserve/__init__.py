"""Renders a KServe InferenceService for a new champion: an `after_promotion` hook, to copy and change.

In the monitor file:

    retrain:
      after_promotion: {call: examples.kserve:write_manifest}

In the environment:

    KSERVE_MANIFESTS_DIR    where manifests are written, such as a clone that Argo CD or Flux follows (default `build`
                            in the home)
    KSERVE_NAMESPACE        default `default`
    KSERVE_CANARY_PERCENT   of the traffic for a promoted model at first, 0 to 100 (default 10)
    KSERVE_ARTIFACTS_URI    where an MLflow server that proxies artifacts keeps them, such as s3://bucket/mlflow

A promoted model gets the canary's share, and KServe sends the rest to the model before it. When the canary is well, set
`canaryTrafficPercent` to 100. A rollback takes all traffic at once: the model is known, and somebody wants it back.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from pipeline.config.home import home
from pipeline.errors import OutletRefused
from pipeline.results import AliasChange

_STORED = ("s3://", "gs://", "hdfs://", "https://", "http://", "pvc://")
_PROXIED = "mlflow-artifacts:"


def write_manifest(change: AliasChange) -> Path:
    """Write `<monitor>.yaml` for the new champion; where to. Writing it again changes nothing."""
    folder = home() / os.environ.get("KSERVE_MANIFESTS_DIR", "build")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{change.monitor}.yaml"
    temporary = path.with_suffix(".yaml.new")
    temporary.write_text(render(change, os.environ), encoding="utf-8")
    temporary.replace(path)
    return path


def render(change: AliasChange, environ: Any) -> str:
    """The manifest as YAML."""
    percent = 100 if change.event == "rolled_back" else int(environ.get("KSERVE_CANARY_PERCENT", "10"))
    manifest = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": change.monitor.replace("_", "-").strip("-"),
            "namespace": environ.get("KSERVE_NAMESPACE", "default"),
            "labels": {"app.kubernetes.io/managed-by": "nightjar"},
            "annotations": {
                "nightjar/model": change.model_uri,
                "nightjar/run-date": change.run_date or "",
                "nightjar/training-sha256": change.training_sha256 or "",
            },
        },
        "spec": {
            "predictor": {
                "canaryTrafficPercent": percent,
                "model": {
                    "modelFormat": {"name": "mlflow"},
                    "protocolVersion": "v2",
                    "storageUri": storage_uri(change.model_source, environ.get("KSERVE_ARTIFACTS_URI")),
                },
            }
        },
    }
    return str(yaml.safe_dump(manifest, sort_keys=False))


def storage_uri(source: str, artifacts_uri: str | None) -> str:
    """The model's address for KServe's storage initializer, which cannot ask an MLflow server for files.

    Raises:
        OutletRefused: it lies where a cluster cannot reach it.
    """
    if source.startswith(_STORED):
        return source
    if source.startswith(_PROXIED) and artifacts_uri:
        path = source.removeprefix(_PROXIED).lstrip("/")
        return f"{artifacts_uri.rstrip('/')}/{path}"
    raise OutletRefused(
        f"{source}: KServe cannot fetch a model from there; let MLflow keep artifacts on an object store, and where it "
        "proxies them, set KSERVE_ARTIFACTS_URI to that store"
    )
