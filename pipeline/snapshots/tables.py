"""Tables that are folders of parquet files and a log: known by what their log is called."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class TableFormat:
    """A format whose folders also hold rows that were replaced or removed: `folder` in one tells it.

    `file`: what a file in that folder is called, where the folder's name alone says too little.
    """

    name: str
    folder: str
    file: re.Pattern[str] | None
    export: str

    def is_marked_by(self, name: str) -> bool:
        """Whether a file is of such a log; its name is that below the table's folder."""
        folder, _, rest = name.partition("/")
        return folder == self.folder and (self.file is None or self.file.fullmatch(rest) is not None)


_ICEBERG = re.compile(r"v?\d+(-.*)?(\.gz)?\.metadata\.json(\.gz)?")  # v3.metadata.json, 00003-9fcf.metadata.json
_COPY = "spark.read.format({!r}).load(...).write.parquet(...)"
TABLE_FORMATS = (
    TableFormat("a Delta table", "_delta_log", None, _COPY.format("delta")),
    TableFormat("a Hudi table", ".hoodie", None, _COPY.format("hudi")),
    TableFormat("an Iceberg table", "metadata", _ICEBERG, _COPY.format("iceberg")),
)


def tables_marked_by(name: str) -> list[tuple[str, TableFormat]]:
    """The folders (ending with `/`, or empty) that a file's name makes tables, and of which format."""
    known = [form for form in TABLE_FORMATS if form.folder in name]
    parts = name.split("/") if known else []
    return [
        ("".join(f"{part}/" for part in parts[:place]), form)
        for place in range(len(parts) - 1)
        for form in known
        if form.is_marked_by("/".join(parts[place:]))
    ]


def folders_above(uri: str) -> list[str]:
    """Every folder that an object lies in, ending with `/`, the nearest first."""
    scheme, separator, rest = uri.partition("://")
    head, path = (scheme + separator, rest) if separator else ("", uri)
    parts = path.split("/")[:-1]
    return [head + "".join(f"{part}/" for part in parts[:many]) for many in range(len(parts), 0, -1)]
