"""Whether everything that nights need is well, and what to do where it is not.

    finding.py   what was found of one thing
    machine.py   this machine: versions, disks, clock, the file with secrets
    places.py    run store, archive, cache, and who holds leases
    outlets.py   MLflow, Pushgateway, mail server, chat channels
    airflow.py   DAGs that do not run, through Airflow's REST API

Each check is contained: what breaks in one, or does not answer in time, is its finding, and the others are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pipeline.config import Settings
from pipeline.errors import NightjarError
from pipeline.steps.contain import foreseen
from pipeline.steps.doctor import airflow, machine, outlets, places
from pipeline.steps.doctor.finding import Finding
from pipeline.storage.patience import waiting_at_most

OUTLET_SECONDS = 20.0
"""For each outlet: somebody is waiting."""
Check = Callable[[Settings], Iterable[Finding]]
CHECKS: tuple[tuple[str, Check], ...] = (
    ("versions", machine.versions),
    ("secrets", machine.secrets),
    ("monitor files", places.monitor_files),
    ("disk", machine.disks),
    ("store", places.store),
    ("archive", places.archive),
    ("cache", places.cache),
    ("leases", places.leases),
    ("MLflow", outlets.mlflow),
    ("Pushgateway", outlets.pushgateway),
    ("mail", outlets.mail),
    ("chat", outlets.chat),
    ("lineage", outlets.lineage),
    ("clock", machine.clock),
    ("Airflow", airflow.dags),
)


def examine(settings: Settings) -> Iterator[Finding]:
    """What is found of everything, as it is found; nothing raises."""
    with waiting_at_most(min(settings.outlet_seconds, OUTLET_SECONDS)):
        for what, check in CHECKS:
            try:
                with foreseen(what):
                    yield from check(settings)
            except NightjarError as error:
                yield Finding(what, "wrong", str(error))
