"""The page of an incident, and the same as the beginning of a post-mortem in Markdown.

Equal results give equal bytes.
"""

from __future__ import annotations

import re

from pipeline.publish.facts.incident_story import (
    IncidentView,
    Line,
    done,
    impact,
    involved,
    summary,
    timeline,
    who_was_told,
)
from pipeline.publish.facts.incidents import Incident
from pipeline.publish.facts.verdict import State
from pipeline.publish.templates import page, render
from pipeline.wording import clip

POST_MORTEM = "incident.md"
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&]|:(?=//)|(?<![\w.])@)")


def incident_page(view: IncidentView) -> bytes:
    """The incident's `index.html`."""
    columns, more = involved(view)
    return page(
        "incident.html.j2",
        view.environment,
        view=view,
        incident=view.incident,
        description=clip(view.monitor.description, 200),
        owner=clip(view.monitor.owner, 120),
        state=sign_of(view.incident),
        title=title(view.incident),
        outcome=view.incident.words[:1].upper() + view.incident.words[1:],
        summary=summary(view),
        impact=impact(view),
        timeline=timeline(view),
        told=who_was_told(view),
        done=done(view),
        columns=[(clip(column.name, 80), column.words) for column in columns],
        more_columns=more,
        post_mortem=POST_MORTEM,
    )


def post_mortem(view: IncidentView) -> bytes:
    """The incident's `incident.md`: what is known, and headings for what people have to add."""
    columns, more = involved(view)
    text = render(
        "incident.md.txt.j2",
        monitor=view.monitor.name,
        owner=_escaped(clip(view.monitor.owner, 120)),
        title=title(view.incident),
        outcome=view.incident.words[:1].upper() + view.incident.words[1:],
        summary=[_escaped(line) for line in summary(view)],
        impact=[_escaped(line) for line in impact(view)],
        timeline=[_markdown(line) for line in timeline(view)],
        told=[_escaped(line) for line in who_was_told(view)],
        done=[_markdown(line) for line in done(view)],
        columns=[f"{_code(column.name)}: {column.words}" for column in columns],
        more_columns=more,
        nights=[(night.run_date, night.snapshots) for night in view.shown],
        left_out=view.left_out,
    )
    return text.encode("utf-8", "backslashreplace")


def title(incident: Incident) -> str:
    """`Incident of 2026-01-12 to 2026-01-14`."""
    return f"Incident of {incident.span}"


def sign_of(incident: Incident) -> State:
    """The state whose sign and colour stand for it: healthy when it is over, else its newest trouble."""
    if incident.ended is not None:
        return "healthy"
    return "absent" if incident.lost else incident.troubled[-1].state


def _markdown(line: Line) -> str:
    words = _escaped(line.words)
    linked = f"[{words}](../../{line.page})" if line.page else words
    return f"{line.day}: {'; '.join((linked, *map(_escaped, line.asides)))}"


def _escaped(text: str) -> str:
    """Text that is no Markdown, whatever is in it."""
    return _SPECIAL.sub(r"\\\1", text)


def _code(name: str) -> str:
    return f"`{clip(name, 80).replace('`', chr(39))}`"
