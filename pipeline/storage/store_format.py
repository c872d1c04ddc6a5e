"""Which form a run store has, as a number in `<store>/.format`: raised when results could no longer be read as before.

A store without the file was begun by a version that wrote none; its form is the first one.
"""

from __future__ import annotations

from pipeline.errors import LaterFormat
from pipeline.storage.files import Files
from pipeline.storage.modes import FORM

FORMAT = 1


def require_known(files: Files) -> bool:
    """Whether the store says its form already.

    Raises:
        LaterFormat: the form is one that this version does not know; nothing may be read or written then.
        OutletUnavailable: the store cannot be read.
    """
    content = files.read(FORM)
    if content is None:
        return False
    text = content.decode(errors="replace").strip()
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= FORMAT:
        raise LaterFormat(
            f"{files.uri(FORM)}: the run store has format {text[:20]!r}, and this version of Nightjar knows formats up "
            f"to {FORMAT}: a later version wrote it; run that one, or set PIPELINE_STORE to a store of its own"
        )
    return True


def note(files: Files) -> None:
    """Write which form the store has."""
    files.write(FORM, f"{FORMAT}\n".encode())
