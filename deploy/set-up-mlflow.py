"""Give MLflow the account that Airflow's tasks use: `python deploy/set-up-mlflow.py`.

The account administers nothing. It makes experiments and models, which are its own, and looks at those of others.
What an earlier installation made as administrator is handed over to it, so that its nights go on in the same
experiments.
Reads the passwords from /run/secrets, the address from MLFLOW_TRACKING_URI.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ACCOUNT = "airflow"
ADMINISTRATOR = "nightjar"
SECRETS = Path("/run/secrets")
RIGHT = "MANAGE"


def create_account(accounts: Any, password: str) -> str:
    """Create the account unless it is there; says which it was. `accounts` is MLflow's client of its basic sign-in."""
    from mlflow.exceptions import RestException

    try:
        accounts.create_user(ACCOUNT, password)
    except RestException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return f"account {ACCOUNT}: already there"
    return f"account {ACCOUNT}: created"


def hand_over(accounts: Any, client: Any) -> Iterator[str]:
    """Give the account the right to go on with what others made before it; says of what."""
    made = [("experiment", found.experiment_id, found.name) for found in client.search_experiments()]
    made += [("registered_model", found.name, found.name) for found in client.search_registered_models()]
    for kind, key, name in made:
        if accounts.get_user_permission(ACCOUNT, kind, key).permission != RIGHT:
            accounts.grant_user_permission(ACCOUNT, kind, key, RIGHT)
            yield f"{kind.replace('_', ' ')} {name}: handed over"


def main() -> None:
    """Set the account up, and say what was done."""
    os.environ["MLFLOW_TRACKING_USERNAME"] = ADMINISTRATOR
    os.environ["MLFLOW_TRACKING_PASSWORD"] = (SECRETS / "mlflow_admin_password").read_text(encoding="ascii")
    from mlflow.server import get_app_client
    from mlflow.tracking import MlflowClient

    accounts = get_app_client("basic-auth", tracking_uri=os.environ["MLFLOW_TRACKING_URI"])
    print(create_account(accounts, (SECRETS / "mlflow_airflow_password").read_text(encoding="ascii")))
    for line in hand_over(accounts, MlflowClient()):
        print(line)


if __name__ == "__main__":
    main()
