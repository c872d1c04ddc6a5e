"""Which program of this machine stands for which image, and what the image itself would have set."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

from tests.stack.compose import ROOT, Service

CHECKOUT = "/opt/nightjar"
"""Where the image has the code, and a service of the stack finds this checkout."""
STANDS_FOR = {
    "prom/pushgateway": "prometheus-pushgateway",
    "prom/prometheus": "prometheus",
    "prom/alertmanager": "prometheus-alertmanager",
    "rclone/rclone": "rclone",
    "caddy": None,  # its command names a shell
    "nightjar": None,
    "valkey/valkey": None,
}
"""Programs of Debian that are what the image has."""
_AS_POSTGRES = "setpriv --reuid=postgres --regid=postgres --clear-groups"


def needed() -> list[str]:
    """Programs that have to be installed."""
    return [*filter(None, STANDS_FOR.values()), "caddy", "ip", "nc", "setpriv"]


def command_of(service: Service, folder: Path) -> list[str]:
    """What runs for a service; `folder` is its own."""
    if service.image in STANDS_FOR:
        program = STANDS_FOR[service.image]
        # Redis is what Valkey began as, and Debian has it.
        return [
            *([program] if program else []),
            *(word.replace("valkey-server", "redis-server") for word in service.command),
        ]
    if service.image == "postgres":
        return ["bash", "-euc", _postgres(folder)]
    stand_in = {"rustfs/rustfs": "s3", "axllent/mailpit": "mail", "grafana/grafana": "grafana"}[service.image]
    return [sys.executable, str(ROOT / "tests" / "stack" / f"{stand_in}.py"), str(folder)]


def image_environment(service: Service) -> dict[str, str]:
    """What the image sets, beside what the stack does."""
    if service.image != "nightjar":
        return {"XDG_DATA_HOME": "/data", "XDG_CONFIG_HOME": "/tmp/config"}
    dockerfile = re.sub(r"\\\n", "", (ROOT / "deploy" / "Dockerfile").read_text())
    (said,) = re.findall(r"^ENV (.+)$", dockerfile, re.MULTILINE)
    return dict(word.split("=", 1) for word in shlex.split(said)) | {"PYTHONPATH": f"{CHECKOUT}:{CHECKOUT}/dags"}


def health_of(service: Service) -> list[str]:
    """The health check, where a stand-in has another one than the image."""
    other = {"rustfs/rustfs": ["nc", "-z", "127.0.0.1", "9000"], "axllent/mailpit": ["nc", "-z", "127.0.0.1", "1025"]}
    return other.get(service.image) or service.health or []


def _postgres(folder: Path) -> str:
    """What the image's entry point does with an empty volume, and then the server."""
    data = folder / "data"
    server = f"{_AS_POSTGRES} pg_ctl -D {data} -w"
    return f"""
        if [ ! -d {data} ]; then
            chown postgres {folder}
            {_AS_POSTGRES} initdb -D {data} -U postgres --auth=scram-sha-256 --pwfile="$POSTGRES_PASSWORD_FILE"
            echo "host all all all scram-sha-256" >> {data}/pg_hba.conf
            {server} -l {data}/start.log -o "-h 127.0.0.1 -k {folder}" start
            PGHOST=127.0.0.1 PGPASSWORD="$(cat "$POSTGRES_PASSWORD_FILE")" \\
                sh {CHECKOUT}/deploy/postgres/create-databases.sh
            {server} stop
        fi
        exec {_AS_POSTGRES} postgres -D {data} -h '*' -k {folder}
    """
