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
SECRETS: dict[str, dict[str, str]] = COMPOSE["secrets"]
CHOICES = {
    "COMPOSE_PROJECT_NAME",
    "NIGHTJAR_HOST",
    "NIGHTJAR_BIND",
    "NIGHTJAR_TLS",
    "NIGHTJAR_EXECUTOR",
    "NIGHTJAR_JSON_LOGS",
    "NIGHTJAR_TASKS",
    "NIGHTJAR_WORKERS",
    "PIPELINE_ENVIRONMENT",
    "PIPELINE_AIRFLOW_TEAMS",
}
"""What an installation may choose: no secret, each with a default."""

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
    """Source and target of each volume of one service; without a name it is a container's own, and has no source."""
    said = [v if ":" in v else f":{v}" for v in SERVICES[name].get("volumes", [])]
    return [(source, target) for source, target, *_ in (v.split(":") for v in said)]


def networks(name: str) -> set[str]:
    """The networks of one service."""
    return set(SERVICES[name].get("networks", ()))


def secrets_of(name: str) -> dict[str, str]:
    """Where each secret of one service lies in its container, by the secret's name."""
    given = [
        {"source": s, "target": f"/run/secrets/{s}"} if isinstance(s, str) else s
        for s in SERVICES[name].get("secrets", [])
    ]
    return {secret["source"]: secret["target"] for secret in given}


def everything_said(name: str) -> str:
    """Command and environment of one service, as text."""
    return json.dumps([SERVICES[name].get("command"), SERVICES[name].get("environment")])


def test_it_follows_the_compose_specification() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    errors = jsonschema.Draft202012Validator(schema).iter_errors(COMPOSE)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_the_schema_finds_a_misspelt_key() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    broken = {"services": {"s": {"image": "x:1", "heathcheck": {}}}}
    assert not jsonschema.Draft202012Validator(schema).is_valid(broken)


def test_every_variable_is_a_choice_with_a_default() -> None:
    references = re.findall(r"(?<!\$)\$(?!\$)(\{[^}]*\}|\w+)", TEXT)
    assert {re.fullmatch(r"\{([A-Z0-9_]+):-[^}]*\}", reference)[1] for reference in references} == CHOICES  # type: ignore[index]


def test_every_secret_is_a_file_that_somebody_reads_and_nobody_else_has() -> None:
    """A service is given a secret only where its command or environment names the file, or a program looks there."""
    by_themselves = {
        "proxy": {"operator_password", "reader_password"},
        "airflow-scheduler": {"mlflow_airflow_credentials"},
        "airflow-worker": {"mlflow_airflow_credentials"},
        "set-up-s3": set(SECRETS),
        "set-up-mlflow": {"mlflow_admin_password", "mlflow_airflow_password"},
        "postgres": {"airflow_database_password", "mlflow_database_password"},
    }
    for secret, source in SECRETS.items():
        assert source == {"file": f".secrets/{secret}"}
        assert any(secret in secrets_of(name) for name in SERVICES), secret
    for name in SERVICES:
        said = everything_said(name)
        for secret, target in secrets_of(name).items():
            assert secret in SECRETS
            assert target in said or secret in by_themselves.get(name, set()), f"{name} does not read {secret}"
        named = set(re.findall(r"/run/secrets/([\w.]+)", said))
        assert named <= set(secrets_of(name)), name


def test_no_secret_is_in_a_variable() -> None:
    secret = re.compile(r"PASSWORD$|PASS$|SECRET|_KEY(_ID)?$|FERNET|_CONN$|TOKEN")
    for name in SERVICES:
        assert not [key for key in environment(name) if secret.search(key) and not key.endswith(("_FILE", "_CMD"))], (
            name
        )
    assert not re.search(r"--password[= ]", TEXT)


ROOTS = {"s3_root_access_key", "s3_root_secret_key"}


@pytest.mark.parametrize(
    ("secret", "readers"),
    [
        *((root, {"s3", "set-up-s3"}) for root in sorted(ROOTS)),
        ("s3_airflow", {"airflow-scheduler", "airflow-worker", "airflow-dag-processor", "set-up-s3"}),
        ("s3_mlflow", {"mlflow", "set-up-s3"}),
        ("s3_reports", {"reports", "set-up-s3"}),
        ("s3_producer", {"set-up-s3"}),
        ("postgres_password", {"postgres"}),
        ("mlflow_admin_password", {"set-up-mlflow"}),
        ("mlflow_airflow_credentials", {"airflow-scheduler", "airflow-worker"}),
        ("airflow_broker_url", {"airflow-scheduler", "airflow-worker"}),
        ("broker_password", {"broker"}),
        ("airflow_jwt_secret", {"airflow-api-server", "airflow-scheduler"}),
        ("airflow_api_secret_key", {"airflow-api-server"}),
        ("airflow_admin_password", {"airflow-init"}),
        ("airflow_doctor_password", {"airflow-init"}),
        ("airflow_doctor_login", {"airflow-scheduler", "airflow-worker"}),
        ("grafana_admin_password", {"grafana"}),
        ("grafana_secret_key", {"grafana"}),
        ("operator_password", {"proxy"}),
    ],
)
def test_each_service_has_an_account_of_its_own(secret: str, readers: set[str]) -> None:
    assert {name for name in SERVICES if secret in secrets_of(name)} == readers


def test_each_account_of_the_store_has_a_policy() -> None:
    policies = {path.stem for path in (ROOT / "deploy" / "s3" / "policies").glob("*.json")}
    assert {f"s3_{name}" for name in policies} == {name for name in SECRETS if name.startswith("s3_")} - ROOTS


NIGHTS = {
    *("postgres", "airflow-api-server", "s3", "mlflow", "pushgateway", "mailpit", "broker"),
    *("prometheus", "alertmanager"),  # by a drill
}
REACHED = {
    "proxy": {
        *("airflow-api-server", "reports", "mlflow", "s3"),
        *("prometheus", "pushgateway", "alertmanager", "grafana", "mailpit"),
    },
    "airflow-init": {"postgres"},
    "airflow-api-server": {"postgres"},
    "airflow-scheduler": NIGHTS,
    "airflow-worker": NIGHTS,
    "airflow-dag-processor": {"postgres", "airflow-api-server", "s3", "pushgateway"},
    "airflow-triggerer": {"postgres", "airflow-api-server"},
    "mlflow": {"postgres", "s3"},
    "set-up-s3": {"s3"},
    "set-up-mlflow": {"mlflow"},
    "reports": {"s3"},
    "prometheus": {"pushgateway", "alertmanager", "node-exporter"},
    "grafana": {"prometheus", "loki"},
    "alloy": {"loki"},
    "alertmanager": {"mailpit"},
}
"""Who has to reach whom."""


def test_services_that_talk_share_a_network() -> None:
    for name, others in REACHED.items():
        for other in others:
            assert networks(name) & networks(other), f"{name} cannot reach {other}"


def test_what_holds_data_is_reached_by_those_alone_that_have_to() -> None:
    guarded_ones = (
        "postgres",
        "s3",
        "mlflow",
        "mailpit",
        "pushgateway",
        "reports",
        "grafana",
        "node-exporter",
        "broker",
        "loki",
    )
    for guarded in guarded_ones:
        near = {name for name in SERVICES if name != guarded and networks(name) & networks(guarded)}
        wanted = {name for name, others in REACHED.items() if guarded in others} | REACHED.get(guarded, set())
        # Beside each other in a network that both need: what one of them could say to the other is written here.
        beside = {
            "postgres": set(),
            "s3": set(),
            "mlflow": {*AIRFLOW, "set-up-s3"},  # by PostgreSQL and the store, which it needs itself
            "mailpit": set(),
            "pushgateway": {"alertmanager"},
            "reports": set(),
            "grafana": {"alloy"},
            "node-exporter": set(),
            "broker": set(),
            "loki": set(),
        }[guarded]
        assert near - wanted <= beside | {"proxy"}, guarded


def test_only_the_proxy_has_a_door_and_few_reach_the_world() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    open_ones = {name for name, network in COMPOSE["networks"].items() if not network.get("internal")}
    assert open_ones == {"front", "outside"}
    outside = {name for name in SERVICES if networks(name) & open_ones}
    assert outside == {"proxy", "airflow-scheduler", "airflow-worker", "alertmanager"}
    assert all(networks(name) for name in SERVICES), "a service without networks is in Compose's default one"


@each_service
def test_every_port_is_open_to_this_machine_only(name: str) -> None:
    assert "network_mode" not in SERVICES[name]
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"\$\{NIGHTJAR_BIND:-127\.0\.0\.1\}:(\d+):\1", port), port


def test_no_two_services_share_a_port() -> None:
    ports = [port.split(":")[-1] for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == len(set(ports))
    sites = re.findall(r"^https://\S+:(\d+) \{$", (ROOT / "deploy" / "proxy" / "Caddyfile").read_text(), re.MULTILINE)
    assert sorted(ports) == sorted(sites)


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
    assert not {"privileged", "devices", "pid", "ipc"} & set(service)
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert "mem_limit" in service
    assert not any("docker.sock" in source for source, _ in mounts(name))


@each_service
def test_everything_mounted_is_in_the_repository_and_read_only(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        if source == "/":
            assert name == "node-exporter", "all of this machine is seen by what tells of it alone"
            assert volume.endswith(":ro,rslave")
        if not source.startswith("."):
            continue
        assert volume.endswith(":ro"), volume
        # Data and certificates are each installation's own: make-secrets.py makes those folders.
        assert source in ("./data", "./certs") or (ROOT / source).exists(), source


def test_named_volumes_are_declared_and_used() -> None:
    named = {source for name in SERVICES for source, _ in mounts(name) if source and not source.startswith((".", "/"))}
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
    commands = {name: service["command"][1] for name, service in AIRFLOW.items() if not is_one_shot(name)}
    assert sorted(commands.values()) == ["api-server", "celery", "dag-processor", "scheduler", "triggerer"]


CELERY = {
    f"AIRFLOW__CELERY__{option}"
    for option in ("BROKER_URL_CMD", "WORKER_CONCURRENCY", "TASK_PUBLISH_MAX_RETRIES", "EXTRA_CELERY_CONFIG")
}
"""Options of Celery's provider, which is in the image alone: tests/stack/test_celery.py runs with them."""


@pytest.mark.parametrize("name", AIRFLOW)
def test_all_of_airflow_shares_one_configuration(name: str) -> None:
    own = {"AIRFLOW__API__SECRET_KEY_CMD", "AIRFLOW__API_AUTH__JWT_SECRET_CMD"}
    shared, there = (
        {
            key: value
            for key, value in environment(of).items()
            if key.startswith("AIRFLOW__") and key not in own | CELERY
        }
        for of in ("airflow-scheduler", name)
    )
    assert there == shared


def test_airflow_has_everything_it_needs_to_work_in_several_containers() -> None:
    variables = environment("airflow-scheduler")
    assert variables["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://airflow-api-server:8080/execution/"
    assert variables["AIRFLOW__CORE__EXECUTOR"] == "${NIGHTJAR_EXECUTOR:-LocalExecutor}"
    assert variables["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] == "False"
    for key in ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET"):
        assert variables[f"{key}_CMD"].startswith("cat /run/secrets/")


def test_airflow_knows_every_option_that_is_set() -> None:
    """A misspelt AIRFLOW__ variable is ignored in silence. Reads Airflow's own list, without importing Airflow."""
    airflow = find_spec("airflow")
    assert airflow is not None
    assert airflow.submodule_search_locations
    listing = Path(airflow.submodule_search_locations[0]) / "config_templates" / "config.yml"
    sections = yaml.safe_load(listing.read_text())
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    said = {variable for name in AIRFLOW for variable in environment(name)}
    unlisted = {"AIRFLOW__SCHEDULER__NUM_STUCK_IN_QUEUED_RETRIES"}  # tests/stack/test_celery.py sees what it does
    for variable in {*said, *re.findall(r"AIRFLOW__\w+", dockerfile)} - CELERY - unlisted:
        if variable.startswith("AIRFLOW__"):
            _, section, option = variable.removesuffix("_CMD").lower().split("__")
            assert option in sections[section]["options"], variable
            # A command is asked for the value of options alone that Airflow calls sensitive.
            assert not variable.endswith("_CMD") or sections[section]["options"][option]["sensitive"], variable


def test_the_pipeline_knows_and_accepts_every_variable_that_is_set() -> None:
    prefix = "PIPELINE_"
    values = {
        k.removeprefix(prefix).lower(): v for k, v in environment("airflow-scheduler").items() if k.startswith(prefix)
    }
    assert set(values) <= set(Settings.model_fields)
    values = {key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for key, value in values.items()}
    settings = Settings.model_validate(values)
    assert settings.environment == "production"
    assert settings.store == "s3://nightjar/store"
    assert {"store", "cache_dir", "pushgateway_url", "smtp_url", "mail_from"} <= set(values)


def test_a_worker_does_what_the_scheduler_would_and_can_sign_nothing() -> None:
    """The same variables, files and networks; a cache of its own, and time to end what it has begun."""
    signing = {"AIRFLOW__API_AUTH__JWT_SECRET_CMD"}
    scheduler, worker = environment("airflow-scheduler"), environment("airflow-worker")
    assert {key: value for key, value in worker.items() if key not in CELERY} == {
        key: value for key, value in scheduler.items() if key not in CELERY | signing
    }
    assert networks("airflow-worker") == networks("airflow-scheduler")
    assert dependencies("airflow-worker") == dependencies("airflow-scheduler") | {"broker": "service_healthy"}
    assert set(secrets_of("airflow-scheduler")) - set(secrets_of("airflow-worker")) == {"airflow_jwt_secret"}
    apart = {target for _, target in mounts("airflow-scheduler")} - {
        target for source, target in mounts("airflow-worker") if source
    }
    assert apart == {"/var/cache/nightjar"}
    assert ("", "/var/cache/nightjar") in mounts("airflow-worker")
    assert AIRFLOW["airflow-worker"]["stop_grace_period"] == "10m"


def test_by_default_the_workers_have_a_place_for_each_task_that_may_run() -> None:
    """A task that waits at the broker for ten minutes counts as lost."""
    (tasks,) = re.findall(r"NIGHTJAR_TASKS:-(\d+)", TEXT)
    (workers,) = re.findall(r"NIGHTJAR_WORKERS:-(\d+)", TEXT)
    assert int(tasks) == int(workers) * int(environment("airflow-worker")["AIRFLOW__CELERY__WORKER_CONCURRENCY"])


def test_what_is_mounted_lies_in_the_home_that_the_image_names() -> None:
    (home,) = re.findall(r"PIPELINE_HOME=(\S+)", (ROOT / "deploy" / "Dockerfile").read_text())
    mounted = {target for source, target in mounts("airflow-scheduler") if source.startswith(".")}
    assert mounted == {f"{home}/{folder}" for folder in ("monitors", "expectations", "data")}


@pytest.mark.parametrize("name", ["airflow-scheduler", "airflow-worker", "airflow-dag-processor"])
def test_the_digest_and_the_channels_reach_what_runs_dags(name: str) -> None:
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
    url = runpy.run_path(str(ROOT / "deploy" / "make-secrets.py"))["derived"]({"broker_password": "p"})
    inside.add(url["airflow_broker_url"]().rpartition("@")[2].split(":")[0])
    inside |= {
        host
        for host, _ in re.findall(
            r"http://([\w-]+):(\d+)", json.dumps([s.get("healthcheck") for s in SERVICES.values()])
        )
    }
    assert inside - {"localhost", "127"} <= set(SERVICES)
    proxied = re.findall(r"reverse_proxy \{\$\w+:([\w-]+):\d+\}", (ROOT / "deploy" / "proxy" / "Caddyfile").read_text())
    assert set(proxied) == REACHED["proxy"]


def test_gauges_survive_a_restart_of_the_pushgateway() -> None:
    (file,) = [flag for flag in SERVICES["pushgateway"]["command"] if flag.startswith("--persistence.file=")]
    (folder,) = [target for _, target in mounts("pushgateway")]
    assert file.removeprefix("--persistence.file=").startswith(folder + "/")


def test_mlflow_asks_for_a_password_and_answers_to_its_own_names_only() -> None:
    command = SERVICES["mlflow"]["command"][-1]
    assert "--app-name=basic-auth" in command
    assert "--allowed-hosts='mlflow:5000,localhost:*,127.0.0.1:*,${NIGHTJAR_HOST:-localhost}:5000'" in command


def test_grafana_finds_what_it_is_given_and_people_only_look() -> None:
    folder = ROOT / "deploy" / "grafana"
    mounted = {target: source for source, target in mounts("grafana")}
    (source,) = yaml.safe_load((folder / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((folder / "provisioning/dashboards/nightjar.yml").read_text())["providers"]
    assert source["url"] == "http://prometheus:9090"
    assert (source["editable"], provider["allowUiUpdates"]) == (False, False)
    assert mounted[provider["options"]["path"]] == "./deploy/grafana/dashboards"
    assert mounted["/etc/grafana/provisioning"] == "./deploy/grafana/provisioning"
    variables = environment("grafana")
    home = variables["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"].removeprefix(provider["options"]["path"] + "/")
    assert (folder / "dashboards" / home).is_file()
    assert variables["GF_USERS_AUTO_ASSIGN_ORG_ROLE"] == "Viewer"
    assert variables["GF_USERS_ALLOW_SIGN_UP"] == variables["GF_AUTH_ANONYMOUS_ENABLED"] == "false"


def test_a_profile_is_asked_for_and_nobody_waits_for_its_services() -> None:
    optional = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    assert optional == {
        "node-exporter": ["node"],
        "airflow-worker": ["celery"],
        "broker": ["celery"],
        "loki": ["loki"],
        "alloy": ["loki"],
    }
    always = set(SERVICES) - set(optional)
    assert not {target for name in always for target in dependencies(name)} & set(optional)


def test_logs_go_from_the_files_of_tasks_to_loki_and_to_grafana() -> None:
    """Neither program can be run here: what one of them says of the others is held against what they say themselves."""
    collector = (ROOT / "deploy/loki/config.alloy").read_text()
    config = yaml.safe_load((ROOT / "deploy/loki/loki.yml").read_text())
    (source,) = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/loki.yml").read_text())["datasources"]
    port = config["server"]["http_listen_port"]
    assert source["url"] == f"http://loki:{port}"
    assert f'"{source["url"]}/loki/api/v1/push"' in collector
    (logs,) = [target for source, target in mounts("alloy") if source == "airflow-logs"]
    assert f'"{logs}/dag_id=*/run_id=*/task_id=*/attempt=*.log"' in collector
    assert SERVICES["alloy"]["volumes"][1].endswith(":ro")
    (labels,) = re.findall(r"stage\.labels \{\s*values = \{([^}]*)\}", collector)
    assert re.findall(r"(\w+) =", labels) == ["level", "monitor", "step"]  # a stream for each combination, so no date
    assert config["compactor"]["retention_enabled"]
    assert config["limits_config"]["retention_period"] == "2160h"
    for name in ("loki", "alloy"):
        command = " ".join(SERVICES[name]["command"])
        (folder,) = [target for source, target in mounts(name) if source == "./deploy/loki"]
        (named,) = re.findall(rf"{folder}/(\S+)", command)
        assert (ROOT / "deploy/loki" / named).is_file()


def test_prometheus_scrapes_services_that_are_there_at_their_ports() -> None:
    jobs = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    fixed = [target for job in jobs for found in job.get("static_configs", []) for target in found["targets"]]
    assert {target.split(":")[0] for target in fixed} - {"localhost"} <= set(SERVICES)
    (node,) = [found for job in jobs for found in job.get("dns_sd_configs", [])]
    assert node["names"] == ["node-exporter"]
    assert f":{node['port']}/" in SERVICES["node-exporter"]["healthcheck"]["test"][-1]


def compose_command() -> list[str] | None:
    """Docker Compose 2 or later, as Docker's plugin or on its own; no engine is needed to read a file."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            asked = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, check=False)
            if asked.returncode == 0 and not asked.stdout.startswith("1."):
                return command
    return None


def read_config(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Have Docker Compose read the file with the secrets of make-secrets.py, or skip."""
    command = compose_command()
    if command is None:
        pytest.skip("Docker Compose is not installed: the schema and the tests above stand in for it")
    shutil.copy(ROOT / "docker-compose.yml", folder)
    runpy.run_path(str(ROOT / "deploy" / "make-secrets.py"))["write_secrets"](folder / ".secrets", {})
    return subprocess.run(
        [*command, "--project-directory", str(folder), "config", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_docker_compose_reads_it_with_the_secrets_of_make_secrets(tmp_path: Path) -> None:
    done = read_config(tmp_path, "--quiet")
    assert (done.returncode, done.stderr) == (0, "")


def test_docker_compose_shows_no_secret(tmp_path: Path) -> None:
    done = read_config(tmp_path)
    for secret in (tmp_path / ".secrets").iterdir():
        assert secret.read_text() not in done.stdout
