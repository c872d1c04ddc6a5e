"""Objects as a listing shows them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Listed:
    """One object as the listing showed it. `size` in bytes, `modified` in ISO 8601 UTC. `touched` (seconds since 1970):
    when it was last written, moved or copied to where it is, whatever its own time says.

    `state` changes whenever the content may have: the ETag on S3; inode, size and change time on a local disk (the
    change time, unlike the modification time, cannot be set back).
    """

    uri: str
    size: int
    modified: str
    state: str
    touched: float = 0.0


@dataclass
class Found:
    """What a location means of what lies there, and the names of what was looked at and is not meant."""

    chosen: list[Listed] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
