"""Make the roles of teams and the account of `doctor` in Airflow; run again, it puts them back as they should be.

Each team of `PIPELINE_AIRFLOW_TEAMS` gets a role with Airflow's pages and without any DAG: which DAGs it sees is said
by the `team` of monitor files. DAGs name the role, and one that does not exist takes all of them down, so this runs
before them. Roles of teams that are gone stay, as people may have them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pipeline.config import load_settings

Right = tuple[str, str]
NO_TEAMS: set[Right] = {
    ("can_read", "DAGs"),  # of all monitors
    ("can_read", "ImportError"),
    ("can_read", "Assets"),
    ("can_read", "Asset Aliases"),
    ("menu_access", "Assets"),
    ("can_read", "Cluster Activity"),
    ("menu_access", "Cluster Activity"),
    ("can_read", "Jobs"),
    ("menu_access", "Jobs"),
    ("can_read", "Pools"),
}
"""What Airflow's role Viewer may, and a team may not: what cannot be told apart by DAG."""
RUNS: set[Right] = {
    *((f"can_{action}", "DAG Runs") for action in ("create", "edit")),
    *((f"can_{action}", "Task Instances") for action in ("create", "edit")),
}
"""Starting and clearing runs, of those DAGs alone that the role may edit."""
DOCTOR: set[Right] = {("can_read", "DAGs"), ("can_read", "ImportError")}


def give(manager: Any, name: str, rights: set[Right]) -> None:
    """Make a role, with these rights and those of single DAGs that it has."""
    role = manager.add_role(name)
    for permission in list(role.permissions):
        resource = permission.resource.name
        if not resource.startswith(("DAG:", "DAG Run:")) and (permission.action.name, resource) not in rights:
            manager.remove_permission_from_role(role, permission)
    for action, resource in sorted(rights):
        manager.add_permission_to_role(role, manager.create_permission(action, resource))


def main() -> None:
    """Talk to Airflow's database, which has to be migrated.

    Raises:
        ConfigError: PIPELINE_AIRFLOW_TEAMS holds what is no name.
        RuntimeError: the account could not be made.
    """
    from airflow.providers.fab.auth_manager.cli_commands.utils import (  # type: ignore[import-not-found, unused-ignore]
        get_application_builder,
    )

    password = Path(os.environ["DOCTOR_PASSWORD_FILE"]).read_text()
    teams = load_settings(os.environ).airflow_teams  # names in small letters: none is a role of Airflow's own
    with get_application_builder() as builder:
        manager = builder.sm
        for team in teams:
            give(manager, team, (set(manager.VIEWER_PERMISSIONS) - NO_TEAMS) | RUNS)
        give(manager, "Doctor", DOCTOR)
        user = manager.find_user(username="doctor")
        if user is not None:
            manager.reset_password(user.id, password)
        elif not manager.add_user(
            "doctor", "Nightjar", "Doctor", "doctor@example.com", manager.find_role("Doctor"), password
        ):
            raise RuntimeError("Airflow did not make the account 'doctor': its log above says why")
    print(f"roles of {len(teams)} teams, and the account 'doctor'")


if __name__ == "__main__":
    main()
