"""The machine itself: versions of libraries, room on its disks, its clock, and who may read its secrets."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config import Settings
from pipeline.errors import OutletUnavailable
from pipeline.steps.doctor.finding import Finding, Grade
from pipeline.storage import addresses, s3
from pipeline.storage.patience import outlet
from pipeline.wording import count, listed, seconds, size

if TYPE_CHECKING:
    from packaging.requirements import Requirement

FULL_BYTES, LOW_BYTES = 2**30, 5 * 2**30
CLOCK_SECONDS, FAR_CLOCK_SECONDS = 30.0, 300.0
"""S3 refuses requests of a clock that is 15 minutes off."""
_ANSWER_SECONDS = 10.0


def versions(_: Settings) -> Iterator[Finding]:
    """Whether the libraries are of versions that Nightjar is known to work with."""
    from packaging.requirements import Requirement

    try:
        asked = [Requirement(text) for text in metadata.requires("nightjar") or []]
    except metadata.PackageNotFoundError:
        yield Finding("versions", "not asked", "Nightjar is not installed as a package, so nothing says what it needs")
        return
    needed = [one for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})]
    optional = [one for one in asked if one not in needed]
    wrong = [words for one in needed if (words := _misfit(one, needed=True))]
    wrong += [words for one in optional if (words := _misfit(one, needed=False))]
    if wrong:
        yield Finding("versions", "wrong", f"{listed(wrong)}; install what requirements.txt names")
    else:
        libraries = count(len(needed), "library", "libraries")
        yield Finding("versions", "ok", f"{libraries}, of versions that are known to work")


def _misfit(wanted: Requirement, *, needed: bool) -> str:
    """What is wrong with a library; empty where nothing is."""
    try:
        found = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return f"{wanted.name} is not installed" if needed else ""
    fits = wanted.specifier.contains(found, prereleases=True)
    return "" if fits else f"{wanted.name} is {found}, and {wanted.specifier} is needed"


def secrets(settings: Settings) -> Iterator[Finding]:
    """Whether others of this machine may read `.env`."""
    path = settings.home / ".env"
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if mode & 0o077:
        yield Finding("secrets", "warning", f"{path} can be read by others of this machine: chmod 600 {path}")
    else:
        yield Finding("secrets", "ok", f"{path} is for its owner alone")


def disks(settings: Settings) -> Iterator[Finding]:
    """Whether there is room on the disks that Nightjar writes to, each told once."""
    places = [settings.cache_dir, Path(tempfile.gettempdir())]
    places += [Path(uri) for uri in (settings.store, settings.archive) if uri and not s3.is_s3(uri)]
    seen: set[int] = set()
    for place in places:
        there = next(path for path in (place, *place.parents) if path.exists())
        device = there.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(there).free
        words, advice = f"{size(free)} free at {there}", "see `prune` and PIPELINE_CACHE_MAX_BYTES"
        if free < FULL_BYTES:
            yield Finding("disk", "wrong", f"{words}: make room, or nights will fail; {advice}")
        elif free < LOW_BYTES:
            yield Finding("disk", "warning", f"{words}: make room soon; {advice}")
        else:
            yield Finding("disk", "ok", words)


def clock(settings: Settings) -> Iterator[Finding]:
    """Whether this machine and the servers that it asks agree on the time."""
    asked = 0
    for what, url in _servers(settings):
        place = addresses.shown(url)
        try:
            with outlet(f"{what} at {place}"):
                apart = _apart(place)
        except OutletUnavailable:  # told by the check of that outlet
            continue
        if apart is None:
            continue
        asked += 1
        if abs(apart) > CLOCK_SECONDS:
            grade: Grade = "wrong" if abs(apart) > FAR_CLOCK_SECONDS else "warning"
            side = "behind" if apart > 0 else "ahead of"
            words = f"this machine is {seconds(abs(apart))} {side} {what}: set the clocks, as by NTP"
            yield Finding("clock", grade, words)
        else:
            yield Finding("clock", "ok", f"agrees with {what}")
    if not asked:
        yield Finding("clock", "not asked", "no server told the time")


def _servers(settings: Settings) -> Iterator[tuple[str, str]]:
    """The servers that are asked over HTTP, and their addresses."""
    if settings.pushgateway_url is not None:
        yield "the Pushgateway", settings.pushgateway_url.get_secret_value()
    tracking = os.environ.get("MLFLOW_TRACKING_URI", "")
    if tracking.startswith(("http://", "https://")):
        yield "MLflow", tracking
    if s3.is_s3(settings.store):
        yield "S3", str(s3.client().meta.endpoint_url)


def _apart(url: str) -> float | None:
    """By how many seconds a server's clock is ahead of this machine's; None where it does not say.

    Raises:
        OutletUnavailable: no answer.
    """
    begun = time.time()
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310 - http and https only
            said = answer.headers.get("Date")
    except urllib.error.HTTPError as error:
        with error:
            said = error.headers.get("Date")
    except (OSError, HTTPException) as error:
        raise OutletUnavailable(f"{url}: no answer") from error
    if said is None:
        return None
    return parsedate_to_datetime(said).timestamp() + 0.5 - (begun + time.time()) / 2  # it tells whole seconds
