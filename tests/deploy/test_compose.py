"""docker-compose.yml without a Docker engine: its form by the specification's schema, its promises by reading it."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pipeline.config import Settings, load_settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
AIRFLOW = {name: service for name, service in SERVICES.items() if name.startswith("airflow-")}
SECRETS: dict[str, str] = runpy.run_path(str(ROOT / "deploy" / "make-env.py"))["random_values"]()

each_service = pytest.mark.parametrize("name", SERVICES)


def environment(name: str) -> dict[str, str]:
    """The variables of one service."""
    variables: dict[str, str] = SERVICES[name].get("environment", {})
    return variables


def dependencies(name: str) -> dict[str, str]:
    """The services one service waits for, each with its condition."""
    return {target: wait["condition"] for target, wait in SERVICES[name].get("depends_on", {}).items()}


def is_one_shot(name: str) -> bool:
    """Whether another service waits for this one to end."""
    return any(dependencies(other).get(name) == "service_completed_successfully" for other in SERVICES)


def mounts(name: str) -> list[tuple[str, str]]:
    """Source and target of each volume of one service."""
    return [(source, target) for source, target, *_ in (v.split(":") for v in SERVICES[name].get("volumes", []))]


def test_it_follows_the_compose_specification() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    errors = jsonschema.Draft202012Validator(schema).iter_errors(COMPOSE)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_the_schema_finds_a_misspelt_key() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    broken = {"services": {"s": {"image": "x:1", "heathcheck": {}}}}
    assert not jsonschema.Draft202012Validator(schema).is_valid(broken)


def test_every_variable_is_required_and_has_no_default() -> None:
    references = re.findall(r"(?<!\$)\$(?!\$)(\{[^}]*\}|\w+)", TEXT)
    assert references
    for reference in references:
        assert re.fullmatch(r"\{[A-Z0-9_]+:\?[^}]+\}", reference), reference


def test_make_env_writes_exactly_the_variables_that_are_used() -> None:
    assert set(re.findall(r"\$\{([A-Z0-9_]+)", TEXT)) == set(SECRETS)


def test_no_secret_is_written_down() -> None:
    secret = re.compile(r"PASSWORD$|PASS$|SECRET|_KEY|FERNET|_CONN$")
    values = {
        f"{name}.{key}": value for name in SERVICES for key, value in environment(name).items() if secret.search(key)
    }
    assert values
    for key, value in values.items():
        assert "${" in value, key


@each_service
def test_every_port_is_open_to_this_machine_only(name: str) -> None:
    assert "network_mode" not in SERVICES[name]
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port), port


def test_no_two_services_share_a_port() -> None:
    ports = [port.split(":")[1] for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == len(set(ports))


@each_service
def test_every_image_is_pinned(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].rpartition(":")
    assert image
    assert tag != "latest"
    assert "build" in SERVICES[name] or re.search(r"\d+\.\d+", tag), tag


@each_service
def test_no_service_has_rights_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not {"privileged", "cap_add", "devices", "pid", "ipc"} & set(service)
    # PostgreSQL's entry point starts as root to take over its volume, and then steps down.
    assert service.get("cap_drop") == ["ALL"] or name == "postgres"
    assert not any("docker.sock" in source for source, _ in mounts(name))


@each_service
def test_everything_mounted_is_in_the_repository_and_read_only(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        if not source.startswith("."):
            continue
        assert volume.endswith(":ro"), volume
        # The data are each installation's own: make-env.py makes that folder.
        assert source == "./data" or (ROOT / source).exists(), source


def test_named_volumes_are_declared_and_used() -> None:
    named = {source for name in SERVICES for source, _ in mounts(name) if not source.startswith(".")}
    assert named == set(COMPOSE["volumes"])


@each_service
def test_dependencies_exist_and_can_reach_their_condition(name: str) -> None:
    for target, condition in dependencies(name).items():
        assert target in SERVICES
        if condition == "service_healthy":
            assert "healthcheck" in SERVICES[target], target
        else:
            assert condition == "service_completed_successfully"
            assert SERVICES[target]["restart"] == "no", target


@each_service
def test_a_service_that_stays_has_a_health_check_and_comes_back(name: str) -> None:
    if is_one_shot(name):
        assert "healthcheck" not in SERVICES[name]
    else:
        assert {"test", "interval", "timeout", "retries"} <= set(SERVICES[name]["healthcheck"])
        assert SERVICES[name]["restart"] == "unless-stopped"


def test_airflow_is_whole() -> None:
    commands = {name: service["command"][-1] for name, service in AIRFLOW.items() if not is_one_shot(name)}
    assert sorted(commands.values()) == ["api-server", "dag-processor", "scheduler", "triggerer"]


@pytest.mark.parametrize("name", AIRFLOW)
def test_all_of_airflow_shares_one_configuration(name: str) -> None:
    own = {"AIRFLOW_ADMIN_PASSWORD"} if name == "airflow-init" else set()
    shared = environment("airflow-scheduler")
    assert {key: value for key, value in environment(name).items() if key not in own} == shared


def test_airflow_has_everything_it_needs_to_work_in_several_containers() -> None:
    variables = environment("airflow-scheduler")
    assert variables["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://airflow-api-server:8080/execution/"
    assert variables["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert variables["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] == "False"
    assert variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].startswith("postgresql+psycopg2://")
    for key in ("AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__API__SECRET_KEY", "AIRFLOW__CORE__FERNET_KEY"):
        assert variables[key].startswith("${")


def test_airflow_knows_every_option_that_is_set() -> None:
    """A misspelt AIRFLOW__ variable is ignored in silence. Reads Airflow's own list, without importing Airflow."""
    airflow = find_spec("airflow")
    assert airflow is not None
    assert airflow.submodule_search_locations
    listing = Path(airflow.submodule_search_locations[0]) / "config_templates" / "config.yml"
    sections = yaml.safe_load(listing.read_text())
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    for variable in {*environment("airflow-scheduler"), *re.findall(r"AIRFLOW__\w+", dockerfile)}:
        if variable.startswith("AIRFLOW__"):
            _, section, option = variable.lower().split("__")
            assert option in sections[section]["options"], variable


def test_the_pipeline_knows_and_accepts_every_variable_that_is_set() -> None:
    prefix = "PIPELINE_"
    values = {
        k.removeprefix(prefix).lower(): v for k, v in environment("airflow-scheduler").items() if k.startswith(prefix)
    }
    assert set(values) <= set(Settings.model_fields)
    settings = Settings.model_validate(values)
    assert settings.store == "s3://nightjar/store"
    assert {"store", "cache_dir", "pushgateway_url", "smtp_url", "mail_from"} <= set(values)


def test_what_is_mounted_lies_in_the_home_that_the_image_names() -> None:
    (home,) = re.findall(r"PIPELINE_HOME=(\S+)", (ROOT / "deploy" / "Dockerfile").read_text())
    mounted = {target for source, target in mounts("airflow-scheduler") if source.startswith(".")}
    assert mounted == {f"{home}/{folder}" for folder in ("monitors", "expectations", "data")}


@pytest.mark.parametrize("name", AIRFLOW)
def test_the_digest_and_the_channels_reach_every_part_of_airflow(name: str) -> None:
    assert AIRFLOW[name]["env_file"] == [{"path": ".env.notify", "required": False}]


def test_what_is_kept_for_the_channels_stays_out_of_git_and_of_the_image() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert any(fnmatch(".env.notify", pattern) for pattern in ignored if not pattern.startswith("!"))
    let_in = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert not any(fnmatch(".env.notify", pattern.removeprefix("!")) for pattern in let_in)


def test_the_file_for_the_channels_is_read_as_the_documentation_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "notifications.md").read_text()
    (block,) = re.findall(r"```sh\n# \.env\.notify\n(.*?)```", text, re.DOTALL)
    values = dict(re.findall(r"^(\w+)='(.*)'$", block, re.MULTILINE))
    for variable, value in values.items():
        monkeypatch.setenv(variable, value)
    settings = load_settings(values)
    assert settings.digest_to == ("lead@example.com", "ops@example.com")
    assert list(settings.channels) == ["PIPELINE_CHANNEL_TEAM_CHAT"]


def test_every_address_inside_names_a_service() -> None:
    inside = {
        host
        for name in SERVICES
        for value in environment(name).values()
        for host in re.findall(r"://([\w-]+):\d+", value)
    }
    inside |= {
        host
        for host, _ in re.findall(
            r"http://([\w-]+):(\d+)", json.dumps([s.get("healthcheck") for s in SERVICES.values()])
        )
    }
    assert inside - {"localhost", "127"} <= set(SERVICES)
    assert "@postgres/airflow" in environment("airflow-scheduler")["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    assert environment("mlflow")["PGHOST"] == "postgres"


def test_gauges_survive_a_restart_of_the_pushgateway() -> None:
    (file,) = [flag for flag in SERVICES["pushgateway"]["command"] if flag.startswith("--persistence.file=")]
    (folder,) = [target for _, target in mounts("pushgateway")]
    assert file.removeprefix("--persistence.file=").startswith(folder + "/")


def test_mlflow_asks_for_a_password_and_answers_to_its_own_names_only() -> None:
    command = SERVICES["mlflow"]["command"]
    assert "--app-name=basic-auth" in command
    assert "--allowed-hosts=mlflow:5000,localhost:*,127.0.0.1:*" in command


def compose_command() -> list[str] | None:
    """Docker Compose 2 or later, as Docker's plugin or on its own; no engine is needed to read a file."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            asked = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, check=False)
            if asked.returncode == 0 and not asked.stdout.startswith("1."):
                return command
    return None


def read_config(secrets: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Have Docker Compose read the file with these secrets, or skip."""
    command = compose_command()
    if command is None:
        pytest.skip("Docker Compose is not installed: the schema and the tests above stand in for it")
    env_file = folder / ".env.compose"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in secrets.items()))
    command += ["--file", str(ROOT / "docker-compose.yml"), "--env-file", str(env_file), "config", "--quiet"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_docker_compose_reads_it_with_the_secrets_of_make_env(tmp_path: Path) -> None:
    done = read_config(SECRETS, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_docker_compose_refuses_to_start_without_any_one_secret(tmp_path: Path) -> None:
    for missing in SECRETS:
        done = read_config({name: value for name, value in SECRETS.items() if name != missing}, tmp_path)
        assert done.returncode != 0
        assert f"required variable {missing} is missing" in done.stderr
