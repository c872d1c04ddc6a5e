"""Stands for the image of the S3 server: takes its root keys from the same files."""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

SERVER = Path(__file__).parents[1] / "servers" / "moto_with_accounts.py"

if __name__ == "__main__":
    keys = [Path(os.environ[f"RUSTFS_{part}_KEY_FILE"]).read_text() for part in ("ACCESS", "SECRET")]
    sys.argv = [str(SERVER), "0.0.0.0", "9000", *keys]
    runpy.run_path(str(SERVER), run_name="__main__")
