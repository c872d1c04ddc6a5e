"""Evidently's page without what a night puts into it: its script and its style, which all reports of a version share.

To import Evidently takes two seconds, for a page of which all but the data is known. Once a night was reported by
Evidently itself, and its widgets were what `filled` makes of them, the page is kept in the cache, and later nights are
filled in without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.publish.evidently_report.sections import Section, run
from pipeline.storage.remembered import Remembered, version_digest

DASHBOARD = "drift_report"
_LIBRARIES = ("evidently", "pydantic", "pandas")
_FOLDER, _MOST = "report_frames", 4
# As Evidently's own widgets have them, in its order.
_WIDGET: dict[str, Any] = {
    "type": "",
    "title": "",
    "size": 2,
    "id": "",
    "details": "",
    "alertsPosition": None,
    "alertStats": None,
    "params": None,
    "insights": [],
    "additionalGraphs": [],
    "alerts": [],
    "tabs": [],
    "widgets": [],
    "pageSize": 5,
    "source_fingerprint": None,
    "linked_metrics": None,
}
_INSIGHT = ("title", "severity", "text")


def widgets_and_page(sections: Sequence[Section], cache_dir: Path | None) -> tuple[list[dict[str, Any]], str]:
    """The widgets of sections as Evidently writes them, and its page, in which they are not yet.

    Args:
        sections: of the report.
        cache_dir: the folder of the cache; None for none. One that cannot be used only costs time.
    """
    name = version_digest(_LIBRARIES, (Path(__file__).parent,)).hex()
    frames = None if cache_dir is None else Remembered(cache_dir / _FOLDER, _MOST)
    known = frames.get(name) if frames is not None else None
    if known is not None:
        return filled(sections), known.decode()
    widgets, made = run(sections), page()
    if frames is not None and widgets == filled(sections):
        frames.put(name, made.encode())
    return widgets, made


def filled(sections: Sequence[Section]) -> list[dict[str, Any]]:
    """The widgets of sections, with everything that ours leave out."""
    return [_filled(widget) for section in sections for widget in section.widgets]


def _filled(widget: dict[str, Any]) -> dict[str, Any]:
    insights = [{key: insight[key] for key in _INSIGHT} for insight in widget.get("insights", [])]
    inner = [_filled(part) for part in widget.get("widgets", [])]
    return {**_WIDGET, **widget, "insights": insights, "widgets": inner}


def page() -> str:
    """Evidently's page without data, as it makes it."""
    from evidently.legacy.utils.dashboard import TemplateParams, file_html_template

    params = TemplateParams(dashboard_id=DASHBOARD, dashboard_info=None, additional_graphs={}, embed_data=False)
    return str(file_html_template(params)).lstrip()
