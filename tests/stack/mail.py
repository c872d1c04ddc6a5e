"""Stands for the image of the mail server: keeps each mail as a file of the folder that it is given."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller


class Keep:
    """A file for each mail."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Called for each mail."""
        self._count += 1
        (self._folder / f"{self._count}.eml").write_bytes(envelope.content)
        return "250 kept"


if __name__ == "__main__":
    Controller(Keep(Path(sys.argv[1])), hostname="0.0.0.0", port=1025).start()
    threading.Event().wait()
