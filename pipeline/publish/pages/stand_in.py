"""What lies in the place of a page that could not be made. Made of nothing that may have broken it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pipeline.results import Failure


def stand_in(title: str, failures: Sequence[Failure]) -> bytes:
    """A page that says what could not be made, and that all results are in the files beside it."""
    items = "".join(f"<li>{escape(failure.part)}: {escape(failure.error)}</li>" for failure in failures)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f"<p>This page could not be made. The results are in the .json files beside it.</p>\n<ul>{items}</ul>\n"
        "</body>\n</html>\n"
    ).encode("utf-8", "backslashreplace")
