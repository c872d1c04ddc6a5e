"""Write the secrets of docker-compose.yml, random and different on every machine, to `.env.compose`.

    python3 deploy/make-env.py && docker compose --env-file .env.compose up -d --build

The standard library is enough. An existing file is never overwritten: its passwords are those of the databases in
the volumes.
"""

from __future__ import annotations

import base64
import os
import secrets
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# Secrets of docker-compose.yml, written by deploy/make-env.py. Keep this file out of git and out of mails.
# Values of your own: letters, digits, - and _ only, because some of them become part of an address.
"""


def random_values() -> dict[str, str]:
    """A value for every variable that docker-compose.yml asks for, from the operating system's randomness."""
    return {
        "POSTGRES_PASSWORD": secrets.token_urlsafe(32),
        "AIRFLOW_DB_PASSWORD": secrets.token_urlsafe(32),
        "MLFLOW_DB_PASSWORD": secrets.token_urlsafe(32),
        "AIRFLOW_ADMIN_PASSWORD": secrets.token_urlsafe(18),
        "AIRFLOW_SECRET_KEY": secrets.token_urlsafe(32),
        # Signs with HS512, which wants 64 bytes.
        "AIRFLOW_JWT_SECRET": secrets.token_urlsafe(64),
        # A Fernet key is 32 bytes in URL-safe base64, with its padding.
        "AIRFLOW_FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "MLFLOW_ADMIN_PASSWORD": secrets.token_urlsafe(18),
        "MLFLOW_SECRET_KEY": secrets.token_urlsafe(32),
        "S3_ACCESS_KEY": secrets.token_hex(10),
        "S3_SECRET_KEY": secrets.token_urlsafe(32),
        "REPORTS_PASSWORD": secrets.token_urlsafe(18),
    }


def write_env(path: Path) -> None:
    """Create the file, readable by its owner only.

    Raises:
        FileExistsError: when there is one already.
    """
    lines = [f"{name}={value}\n" for name, value in random_values().items()]
    # The mode is given at creation: a chmod afterwards would leave a moment in which others can read it.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(HEADER + "".join(lines))


def main() -> None:
    """Write `.env.compose` in the project's root, or the file named on the command line."""
    if len(sys.argv) > 2 or sys.argv[1:2] in (["-h"], ["--help"]):
        sys.exit(f"usage: {sys.argv[0]} [FILE]\n\n{__doc__}")
    path = Path(sys.argv[1]) if len(sys.argv) == 2 else ROOT / ".env.compose"
    # Docker would create the missing folder of a bind mount as root, and `make demo` could not write into it.
    (ROOT / "data").mkdir(exist_ok=True)
    try:
        write_env(path)
    except FileExistsError:
        sys.exit(
            f"{path} exists and was left alone: its passwords are those of the databases in the Docker volumes.\n"
            "To begin anew, losing all data: docker compose --env-file .env.compose down --volumes, then delete it."
        )
    print(f"{path}: {len(random_values())} secrets, readable by you only. Keep it out of git.")
    print("next: docker compose --env-file .env.compose up -d --build")
    print("docker-compose.yml begins with the addresses and the accounts")


if __name__ == "__main__":
    main()
