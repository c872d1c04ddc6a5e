"""A run store on S3, which has to know conditional writes. How a folder is published: `pipeline.storage.manifest`."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path, PurePosixPath

from pipeline.errors import StoreBusy
from pipeline.storage import s3
from pipeline.storage.lease import Lease, hold_object, object_silence
from pipeline.storage.manifest import MANIFEST, Manifest, aside

_CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".eml": "message/rfc822",
    ".prom": "text/plain; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
_PAGE = "index.html"


class S3Files:
    """Objects below a prefix."""

    def __init__(self, uri: str) -> None:
        bucket, prefix = s3.split(uri)
        self._root = "/".join(filter(None, (bucket, prefix.strip("/"))))

    def uri(self, key: str) -> str:
        """See `Files`."""
        return f"{s3.SCHEME}{self._root}/{key}"

    def read(self, key: str) -> bytes | None:
        """See `Files`."""
        found = s3.read(self.uri(key))
        return None if found is None else found.content

    def write(self, key: str, content: bytes) -> None:
        """See `Files`."""
        s3.write(self.uri(key), content, _content_type(key))

    def add(self, key: str, path: Path) -> None:
        """See `Files`."""
        if not s3.exists(self.uri(key)):
            s3.upload(self.uri(key), path)

    def remove(self, key: str) -> None:
        """See `Files`."""
        s3.remove(self.uri(key))

    def remove_folder(self, key: str) -> None:
        """See `Files`."""
        names = s3.names(self.uri(f"{key}/"))
        for name in sorted(names, key=lambda name: (name != MANIFEST, name)):
            s3.remove(self.uri(f"{key}/{name}"))

    def bytes_of(self, key: str) -> int:
        """See `Files`."""
        return s3.bytes_below(self.uri(f"{key}/"))

    def names(self, key: str) -> list[str]:
        """See `Files`."""
        return [name for name in s3.names(self.uri(f"{key}/")) if "/" not in name]

    def folders(self, key: str) -> list[str]:
        """See `Files`."""
        return s3.folders(self.uri(key) + "/")

    def alone(self, key: str, wait_seconds: float, holder: str) -> AbstractContextManager[Lease]:
        """See `Files`."""
        return hold_object(self.uri(key), wait_seconds, holder)

    def silence(self, key: str) -> float | None:
        """See `Files`."""
        return object_silence(self.uri(key))

    def publish(self, key: str, files: Mapping[str, bytes], manifest: Manifest, lease: Lease) -> None:
        """See `Files`. A file that the folder no longer has stays where it is, unnamed by the manifest."""
        before = s3.read(self.uri(f"{key}/{MANIFEST}"))
        left = s3.names(self.uri(f"{aside(key)}/"))
        noted = replace(manifest, version=uuid.uuid4().hex, in_place=False)
        mine = {f"{noted.version}/{name}": content for name, content in files.items()}
        for name, content in mine.items():
            self.write(f"{aside(key)}/{name}", content)
        try:
            lease.require()
            etag = self._note(key, noted, None if before is None else before.etag)
        except StoreBusy:  # no manifest names what lies aside, and who took over need not publish for long
            for name in mine:
                s3.remove(self.uri(f"{aside(key)}/{name}"))
            raise
        self._put_in_place(key, noted, etag, [*left, *mine], lease)

    def settle(self, key: str, lease: Lease) -> None:
        """See `Files`."""
        found = s3.read(self.uri(f"{key}/{MANIFEST}"))
        manifest = None if found is None else Manifest.read(found.content)
        if found is not None and manifest is not None and not manifest.in_place:
            left = s3.names(self.uri(f"{aside(key)}/"))
            lease.require()
            self._put_in_place(key, manifest, found.etag, left, lease)

    def _note(self, key: str, manifest: Manifest, etag: str | None) -> str:
        """Write the manifest over the one in this state. So who stood still right before this cannot undo another's."""
        uri = self.uri(f"{key}/{MANIFEST}")
        noted = s3.write_if(uri, manifest.to_json(), etag, _content_type(MANIFEST))
        if noted is None:
            raise StoreBusy(f"{uri}: another process published it meanwhile: try again")
        return noted

    def _put_in_place(self, key: str, manifest: Manifest, etag: str, left: list[str], lease: Lease) -> None:
        """Move what lies aside to where it belongs, and remove what others left there.

        Copies, not writes: one who stood still in the middle of this finds that what it would copy is gone. So that is
        removed first. `left` was listed while the lease was held for certain, so nothing in it is a later one's.

        The last step says that all of this is done: who was killed before is finished by the next one, and nothing
        stays aside.

        Args:
            key: of the folder.
            manifest: what it is now, and which version aside it is.
            etag: the state of the manifest.
            left: all that lies aside.
            lease: of the folder.
        """
        heap, mine = self.uri(f"{aside(key)}/"), f"{manifest.version}/"
        for other in left:
            if not other.startswith(mine):
                s3.remove(heap + other)
        names = [name.removeprefix(mine) for name in left if name.startswith(mine)]
        for name in sorted(names, key=lambda name: (name == _PAGE, name)):
            if not s3.copy(f"{heap}{mine}{name}", self.uri(f"{key}/{name}")):
                lease.require()
        for name in names:
            s3.remove(f"{heap}{mine}{name}")
        self._note(key, replace(manifest, in_place=True), etag)


def _content_type(key: str) -> str:
    return _CONTENT_TYPES.get(PurePosixPath(key).suffix, "application/octet-stream")
