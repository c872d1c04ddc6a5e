"""Write the secrets of docker-compose.yml, random and different on every machine, as files into `.secrets/`.

    python3 deploy/make-secrets.py && docker compose up -d --build

The standard library is enough. Run again, it adds the files that are missing and changes none: the passwords are those
of the databases in the volumes. Values of an `.env.compose`, which earlier versions wrote, are taken over.

The folder is for its owner only; the files in it can be read by everybody who gets as far as them, as the users of
the containers they are mounted in have numbers of their own.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REGION = "us-east-1"
S3_ACCOUNTS = ("airflow", "mlflow", "reports", "producer")
"""Each with a policy of its own: deploy/s3/policies/."""


def _token(size: int = 32) -> str:
    return secrets.token_urlsafe(size)


def _fernet_key() -> str:
    """32 bytes in URL-safe base64, with its padding."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


RANDOM: dict[str, Callable[[], str]] = {
    "postgres_password": _token,
    "airflow_database_password": _token,
    "mlflow_database_password": _token,
    "airflow_admin_password": lambda: _token(18),
    "airflow_doctor_password": lambda: _token(18),
    "airflow_api_secret_key": _token,
    "airflow_jwt_secret": lambda: _token(64),  # signs with HS512, which wants 64 bytes
    "airflow_fernet_key": _fernet_key,
    "broker_password": _token,
    "mlflow_admin_password": lambda: _token(18),
    "mlflow_airflow_password": lambda: _token(18),
    "mlflow_flask_secret_key": _token,
    "grafana_admin_password": lambda: _token(18),
    "grafana_secret_key": _token,
    "s3_root_access_key": lambda: secrets.token_hex(10),
    "s3_root_secret_key": _token,
    "operator_password": lambda: _token(18),
    "reader_password": lambda: _token(18),
}
"""What is random by itself, one value a file."""

_EARLIER = {
    "POSTGRES_PASSWORD": "postgres_password",
    "AIRFLOW_DB_PASSWORD": "airflow_database_password",
    "MLFLOW_DB_PASSWORD": "mlflow_database_password",
    "AIRFLOW_ADMIN_PASSWORD": "airflow_admin_password",
    "AIRFLOW_SECRET_KEY": "airflow_api_secret_key",
    "AIRFLOW_JWT_SECRET": "airflow_jwt_secret",
    "AIRFLOW_FERNET_KEY": "airflow_fernet_key",
    "MLFLOW_ADMIN_PASSWORD": "mlflow_admin_password",
    "MLFLOW_SECRET_KEY": "mlflow_flask_secret_key",
    "S3_ACCESS_KEY": "s3_root_access_key",
    "S3_SECRET_KEY": "s3_root_secret_key",
    "REPORTS_PASSWORD": "reader_password",
}
"""Variables of `.env.compose` by the file that holds the same now."""


def derived(values: Mapping[str, str]) -> dict[str, Callable[[], str]]:
    """Files in the form that a program asks for, made of the random values."""
    files: dict[str, Callable[[], str]] = {
        "airflow_database_url": lambda: (
            f"postgresql+psycopg2://airflow:{values['airflow_database_password']}@postgres/airflow"
        ),
        "airflow_broker_url": lambda: f"redis://:{values['broker_password']}@broker:6379/0",
        "airflow_doctor_login": lambda: f"doctor:{values['airflow_doctor_password']}",
        # libpq refuses a password file that others could read, and takes the same from a service file.
        "mlflow_pg_service.conf": lambda: (
            f"[mlflow]\nhost=postgres\ndbname=mlflow\nuser=mlflow\npassword={values['mlflow_database_password']}\n"
        ),
        "mlflow_basic_auth.ini": lambda: (
            "[mlflow]\n"
            "# What an account without a grant may do with a new experiment or model: look.\n"
            "default_permission = READ\n"
            "database_uri = postgresql+psycopg2:///?service=mlflow\n"
            "admin_username = nightjar\n"
            f"admin_password = {values['mlflow_admin_password']}\n"
        ),
        "mlflow_airflow_credentials": lambda: (
            "[mlflow]\n"
            "mlflow_tracking_username = airflow\n"
            f"mlflow_tracking_password = {values['mlflow_airflow_password']}\n"
        ),
    }
    for account in S3_ACCOUNTS:
        files[f"s3_{account}"] = _s3_account
    return files


def _s3_account() -> str:
    """A shared credentials file, as boto3, the AWS CLI and rclone read it."""
    return f"[default]\naws_access_key_id = {secrets.token_hex(10)}\naws_secret_access_key = {_token()}\n"


def write_secrets(folder: Path, earlier: Mapping[str, str]) -> list[str]:
    """Write the files that are missing, with what an earlier version chose where it did; returns their names.

    Raises:
        OSError: when the folder cannot be made for its owner only, or a file cannot be written.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    kept = {_EARLIER[name]: value for name, value in earlier.items() if name in _EARLIER}
    chosen = {name: partial(_kept_or_new, kept.get(name), make) for name, make in RANDOM.items()}
    written = [name for name, make in chosen.items() if _write(folder / name, make)]
    values = {name: (folder / name).read_text(encoding="ascii") for name in RANDOM}
    return written + [name for name, make in derived(values).items() if _write(folder / name, make)]


def _kept_or_new(kept: str | None, make: Callable[[], str]) -> str:
    return kept or make()


def _write(path: Path, make: Callable[[], str]) -> bool:
    """Write a file unless it is there; whether it was written."""
    if path.exists():
        return False
    part = path.with_name(f".{path.name}.part")  # killed in between, it leaves no half secret behind
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(make())
    part.chmod(0o444)
    part.rename(path)
    return True


def read_earlier(path: Path) -> dict[str, str]:
    """The variables of an `.env.compose`, or none.

    Raises:
        ValueError: it is no text, or a value that is taken over cannot be part of an address.
        OSError: it cannot be read.
    """
    if not path.is_file():
        return {}
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    pairs = [line.split("=", 1) for line in lines if "=" in line and not line.startswith("#")]
    found = {name.strip(): value.strip() for name, value in pairs}
    wrong = [name for name in _EARLIER if not re.fullmatch(r"[A-Za-z0-9_=-]*", found.get(name, ""))]
    if wrong:
        raise ValueError(f"{', '.join(wrong)}: allowed: letters, digits, -, _ and = without quotation marks")
    return found


def main() -> None:
    """Write into `.secrets` in the project's root, or into the folder named on the command line."""
    if len(sys.argv) > 2 or sys.argv[1:2] in (["-h"], ["--help"]):
        sys.exit(f"usage: {sys.argv[0]} [FOLDER]\n\n{__doc__}")
    folder = Path(sys.argv[1]) if len(sys.argv) == 2 else ROOT / ".secrets"
    # Docker would create the missing folder of a bind mount as root, and `make demo` could not write into it.
    for mounted in ("data", "certs"):
        (ROOT / mounted).mkdir(exist_ok=True)
    try:
        earlier = read_earlier(ROOT / ".env.compose")
    except (OSError, ValueError) as error:
        why = "it is no text in UTF-8" if isinstance(error, UnicodeDecodeError) else error
        sys.exit(f"{ROOT / '.env.compose'}: {why}. Nothing was written; mend it, or delete it where nothing runs yet")
    try:
        written = write_secrets(folder, earlier)
    except OSError as error:
        sys.exit(f"{folder}: {error.strerror or error}. Choose a folder of your own: {sys.argv[0]} FOLDER")
    taken = " (with the values of .env.compose, which is not needed any more)" if earlier and written else ""
    print(f"{folder}: {len(written)} secrets written{taken}. Only you can open the folder. Keep it out of git.")
    print("next: docker compose up -d --build")
    print("docker-compose.yml begins with the addresses and the accounts")


if __name__ == "__main__":
    main()
