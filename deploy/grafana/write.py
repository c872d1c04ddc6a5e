"""Writes deploy/grafana/dashboards from the code beside it: `python -m deploy.grafana.write`."""

from __future__ import annotations

import json
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana import fleet, nightjar, one_monitor

FOLDER = Path(__file__).parent / "dashboards"


def files() -> dict[str, str]:
    """Each dashboard as Grafana reads it, by the name of its file."""
    boards = {"fleet": fleet.build(), "monitor": one_monitor.build(), "pipeline": nightjar.build()}
    return {
        f"{name}.json": json.dumps(board, cls=JSONEncoder, indent=1, ensure_ascii=False) + "\n"
        for name, board in boards.items()
    }


def main() -> None:
    """Write the files."""
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
