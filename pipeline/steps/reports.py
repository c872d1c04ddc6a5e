"""Reports of nights in the run store: each links to Evidently's script, which the store has once.

<store>/_evidently/<sha256>.js, .css   see `pipeline.publish.evidently_report.shared`
"""

from __future__ import annotations

import hashlib

from pipeline.errors import ResultMissing
from pipeline.steps.night import Night
from pipeline.storage.run_store import RunStore

REPORT = "drift_report.html"


def linked(store: RunStore, report: bytes) -> bytes:
    """A report as it is published, after what it links to was kept: what is damaged there is written again."""
    from pipeline.publish.evidently_report import shared

    page, parts = shared.split(report)
    for name, content in parts.items():
        store.write_page(f"{shared.FOLDER}/{name}", content)
    return page


def link(night: Night) -> None:
    """Take out of a published report what the store has once: earlier versions published each report whole."""
    found = night.files([REPORT])
    if found:
        night.replace({REPORT: linked(night.store, found[REPORT])})


def whole(store: RunStore, report: bytes) -> bytes:
    """A report that needs nothing beside it, out of one as it is published.

    Raises:
        ResultMissing: what it links to is gone, or damaged.
    """
    from pipeline.publish.evidently_report import shared

    def part(name: str) -> bytes:
        key = f"{shared.FOLDER}/{name}"
        content = store.read_page(key)
        if content is None or hashlib.sha256(content).hexdigest() != name.partition(".")[0]:
            words = "is missing" if content is None else "was changed"
            again = "run a night again from render_report, with the version of Evidently that made the report"
            raise ResultMissing(f"{store.page_uri(key)} {words}: {again}")
        return content

    return shared.whole(report, part)


def single_file(night: Night) -> bytes:
    """The report of a published night as one file.

    Raises:
        ResultMissing: the night is not published, or what its report links to is gone.
    """
    return whole(night.store, night.published()[REPORT])
