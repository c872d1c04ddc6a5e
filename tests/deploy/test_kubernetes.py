"""deploy/kubernetes without a cluster: its form by Kubernetes' own schemas, its promises by reading it."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from pipeline.config import Settings

ROOT = Path(__file__).parents[2]
MANIFESTS: dict[str, dict[str, Any]] = {
    path.name: yaml.safe_load(path.read_text()) for path in sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
}
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
VERSIONS = ("1.34", "1.37")

each_manifest = pytest.mark.parametrize("name", MANIFESTS)


def pod(name: str) -> dict[str, Any]:
    """What a manifest says of its pods."""
    spec: dict[str, Any] = MANIFESTS[name]["spec"]
    return spec["jobTemplate"]["spec"]["template"]["spec"] if "jobTemplate" in spec else spec


def container(name: str) -> dict[str, Any]:
    (only,) = pod(name)["containers"]
    found: dict[str, Any] = only
    return found


def check(manifest: dict[str, Any], version: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kubernetes_validate.validate(manifest, version, strict=True)


@each_manifest
@pytest.mark.parametrize("version", VERSIONS)
def test_it_follows_the_schema_of_kubernetes(name: str, version: str) -> None:
    check(MANIFESTS[name], version)


def test_the_schema_finds_a_misspelt_key() -> None:
    broken = yaml.safe_load((ROOT / "deploy" / "kubernetes" / "pod-template.yaml").read_text())
    broken["spec"]["containers"][0]["resource"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        check(broken, VERSIONS[-1])


def test_airflow_finds_its_container() -> None:
    assert container("pod-template.yaml")["name"] == "base"
    assert pod("pod-template.yaml")["restartPolicy"] == "Never"


@each_manifest
def test_a_pod_has_no_right_that_it_does_not_need(name: str) -> None:
    (user,) = re.findall(r"--uid (\d+)", DOCKERFILE)
    said, own = pod(name)["securityContext"], container(name)["securityContext"]
    assert (said["runAsNonRoot"], said["runAsUser"]) == (True, int(user))
    assert said["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert (own["allowPrivilegeEscalation"], own["readOnlyRootFilesystem"]) == (False, True)
    assert pod(name)["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod(name))
    assert not [volume for volume in pod(name)["volumes"] if "hostPath" in volume]
    assert {"memory", "ephemeral-storage"} <= set(container(name)["resources"]["limits"])


@each_manifest
def test_an_image_is_pinned_and_no_secret_is_in_a_variable(name: str) -> None:
    assert re.search(r":\d+\.\d+|@sha256:", container(name)["image"])
    secret = re.compile(r"PASSWORD|SECRET|_KEY|TOKEN|LOGIN$|SMTP_URL|CONN")
    assert not [item["name"] for item in container(name)["env"] if secret.search(item["name"])]
    assert not [item for item in container(name)["env"] if "valueFrom" in item]
    assert "envFrom" not in container(name)


@each_manifest
def test_what_is_written_has_a_volume_with_a_limit_and_all_else_is_read_only(name: str) -> None:
    volumes = {volume["name"]: volume for volume in pod(name)["volumes"]}
    for mount in container(name)["volumeMounts"]:
        volume = volumes[mount["name"]]
        assert mount.get("readOnly", False) == ("emptyDir" not in volume), mount
        assert "emptyDir" not in volume or volume["emptyDir"]["sizeLimit"]
    assert set(volumes) == {mount["name"] for mount in container(name)["volumeMounts"]}


@each_manifest
def test_the_pipeline_knows_every_variable_and_finds_what_is_mounted(name: str) -> None:
    variables = {item["name"]: item["value"] for item in container(name)["env"]}
    own = {key.removeprefix("PIPELINE_").lower(): value for key, value in variables.items() if "PIPELINE_" in key}
    settings = Settings.model_validate(own | {"cache_max_bytes": int(own["cache_max_bytes"])})
    assert settings.store.startswith("s3://")
    (home,) = re.findall(r"PIPELINE_HOME=(\S+)", DOCKERFILE)
    places = {mount["mountPath"] for mount in container(name)["volumeMounts"]}
    assert {str(settings.cache_dir), f"{home}/monitors", f"{home}/expectations", f"{home}/.env", "/tmp"} <= places
    assert str(Path(variables["AWS_SHARED_CREDENTIALS_FILE"]).parent) in places
