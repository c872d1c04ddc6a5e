"""Run store, archive and cache, and who holds leases in the store."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.config import Settings
from pipeline.config import monitor_files as monitors
from pipeline.steps.doctor.finding import Finding
from pipeline.storage.probe import probe
from pipeline.storage.run_store import RunStore
from pipeline.wording import count, listed, seconds, size


def monitor_files(settings: Settings) -> Iterator[Finding]:
    """Whether every monitor file can be read."""
    files = monitors.load_all(settings)
    if files.errors:
        yield Finding("monitor files", "wrong", f"{listed(sorted(files.errors))}: wrong; `check` says what and where")
    elif not files.monitors:
        yield Finding("monitor files", "warning", f"{settings.monitors_dir} has none: write one with `init`")
    else:
        yield Finding("monitor files", "ok", f"{count(len(files.monitors))} can be read")


def store(settings: Settings) -> Iterator[Finding]:
    """Whether the run store can be written, read, listed and cleared, and is of a form that is known."""
    probe(settings.store)
    RunStore(settings.store).nights(".")
    yield Finding("store", "ok", f"{settings.store} can be written, read, listed and cleared")


def archive(settings: Settings) -> Iterator[Finding]:
    """The same of the archive of training sets."""
    if not settings.archive:
        words = "PIPELINE_ARCHIVE is not set, and the store is a whole bucket: no model can be trained"
        yield Finding("archive", "warning", words)
        return
    probe(settings.archive, own=True)
    yield Finding("archive", "ok", f"{settings.archive} can be written, read, listed and cleared")


def cache(settings: Settings) -> Iterator[Finding]:
    """Whether pinned snapshots can be kept on this machine."""
    from pipeline.snapshots import Cache

    Cache(settings.cache_dir, settings.cache_max_bytes)
    probe(str(settings.cache_dir), own=True)
    yield Finding(
        "cache", "ok", f"{settings.cache_dir} can be written, and holds {size(settings.cache_max_bytes)} at most"
    )


def leases(settings: Settings) -> Iterator[Finding]:
    """Who holds a lease of the run store, and whose holder was killed."""
    found = RunStore(settings.store).leases([monitor.name for monitor in monitors.load_all(settings).monitors])
    for lease in found:
        if lease.stale:
            ago = seconds(lease.silent_seconds)
            words = f"its holder has not renewed it for {ago}, and was killed; whoever comes next takes it over"
            yield Finding("leases", "warning", f"{lease.uri}: {words}")
        else:
            yield Finding("leases", "ok", f"{lease.uri}: held by a process that is at work")
    if not found:
        yield Finding("leases", "ok", "nobody holds one")
