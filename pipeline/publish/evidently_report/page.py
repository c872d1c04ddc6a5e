"""One HTML page around Evidently's own script: no request leaves it, and no text from data becomes markup or code."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.publish.evidently_report.frame import DASHBOARD

_NO_DATA = "<!-- no embedded data -->"
_SCRIPTS = re.compile(r"<script>(.*?)</script>", re.DOTALL)
# Evidently writes its data into a script through plain json.dumps, where `</script>` in a column name ends the script.
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
# `body` in front: Evidently's own rules come later in the page and would win otherwise.
_STYLE = """
body .MuiGrid-root { min-width: 0; }
body .MuiGrid-direction-xs-column { flex-wrap: nowrap; } /* or wide tables push out of the page instead of scrolling */
body .MuiTypography-root, body .MuiAlert-message { min-width: 0; overflow-wrap: anywhere; }
body .MuiTableCell-root { padding: 8px 7px; }
body th.MuiTableCell-root { width: auto !important; } /* or all columns are equally wide, and texts are cut off */
body .MuiTableSortLabel-root:not(.Mui-active) .MuiTableSortLabel-icon { display: none; }
@media (max-width: 700px) {
  body .MuiBox-root { padding-left: 0; padding-right: 0; }
  body .MuiCardContent-root { padding: 8px; }
  body .MuiGrid-grid-xs-grow { flex-basis: 40%; }
  body .MuiTypography-h5 { font-size: 1.1rem; }
  body .MuiTablePagination-selectLabel { display: none; }
  body td[colspan] > * { position: sticky; left: 0; width: calc(100vw - 48px); } /* in view */
}
"""


def render(title: str, widgets: Sequence[dict[str, Any]], charts: Mapping[str, Any], frame: str) -> bytes:
    """The page that shows the widgets in Evidently's `frame`; `charts` are opened from rows of tables by their id."""
    group = {"type": "group", "title": "", "size": 2, "id": "report", "widgets": widgets}
    data = (
        f"<script>\nvar {DASHBOARD} = {script_json({'name': 'Report', 'widgets': [group]})};\n"
        f"var additional_graphs_{DASHBOARD} = {script_json(charts)};\n</script>"
    )
    head, marker, rest = frame.partition(_NO_DATA)
    if not marker:
        raise RuntimeError(f"the page of this version of Evidently has no place for data: {_NO_DATA} not found")
    policy = _content_policy([*_SCRIPTS.findall(data), *_SCRIPTS.findall(rest)])
    extra = (
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n"
        "<noscript>This report is drawn by JavaScript; the night's own page, index.html, needs none.</noscript>\n"
    )
    return f"{head}{extra}{data}{rest}".encode()


def script_json(value: object) -> str:
    """Strict JSON that means the same inside a script element, and holds nothing a page could read as markup."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    for char, escaped in _UNSAFE.items():
        text = text.replace(char, escaped)
    return text


def _content_policy(scripts: Sequence[str]) -> str:
    """Run exactly these scripts and load nothing from anywhere: a second wall behind the escaping."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    hashes = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; font-src data:; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
