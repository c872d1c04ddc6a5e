"""`night.json`: what belongs to a published night, with the digest of every file.

On a local disk a night is switched to in one step. S3 has no such step, so there a publication goes in four:

1. the new files are written aside, under `<monitor>/.nights/<run_date>/<version>/`,
2. the manifest says what the night is now, and that it lies aside: from here on readers see the new night,
3. the files are copied to their places, and what lay aside is removed,
4. the manifest says that they are in their places.

A publisher that ends before (2) has changed nothing. One that ends after it leaves a night that can be read, and that
whoever publishes or changes it next puts in its place first, also where that is all that there is to do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

MANIFEST = "night.json"


@dataclass(frozen=True)
class Manifest:
    """What belongs to a published night.

    Attributes:
        files: SHA-256 of every file by name, in hex.
        version: of this publication; None on a local disk.
        in_place: whether all files are in their places, rather than some aside.
    """

    files: Mapping[str, str]
    version: str | None = None
    in_place: bool = True

    @classmethod
    def read(cls, content: bytes | None) -> Manifest | None:
        """What was published; None where nothing was, or what is there says nothing."""
        try:
            found = json.loads(content or b"")
            return cls(dict(found["files"]), found.get("version"), bool(found.get("in_place", True)))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    def updated(self, files: Mapping[str, bytes]) -> Manifest:
        """With other content of some files."""
        return replace(self, files={**self.files, **digests(files)})

    def to_json(self) -> bytes:
        """As it is published."""
        content: dict[str, object] = {"files": dict(sorted(self.files.items()))}
        if self.version is not None:
            content["version"] = self.version
        if not self.in_place:
            content["in_place"] = False
        return (json.dumps(content, indent=2) + "\n").encode()


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """SHA-256 of each file, in hex."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def aside(key: str) -> str:
    """Where what is not in its place yet, or no longer, is kept: beside the night, in a folder that is not shown."""
    folder, _, name = key.rpartition("/")
    return f"{folder}/.nights/{name}"
