"""The page of an audit: each monitor with its level, and each question with its answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipeline.publish.facts.audit import FIT, LEVELS, Audit
from pipeline.publish.templates import page
from pipeline.wording import clip, count, moment

MAX_WORDS = 300


def audit_page(audits: Sequence[Audit], now: datetime, environment: str | None = None) -> bytes:
    """The page; it links to nothing, as it may be sent.

    Args:
        audits: of every monitor that was asked about.
        now: when that was.
        environment: the name of the installation.
    """
    fit = sum(found.level >= FIT for found in audits)
    alone = audits[0] if len(audits) == 1 else None
    whole = f"{count(fit)} of {count(len(audits), 'monitor')} {'is' if fit == 1 else 'are'} fit for production"
    return page(
        "audit.html.j2",
        environment,
        title=f"{alone.monitor.name}: level {alone.level}, {LEVELS[alone.level]}" if alone else whole,
        moment=moment(now),
        alone=alone is not None,
        fit=FIT,
        levels=LEVELS,
        audits=[
            {
                "name": found.monitor.name,
                "anchor": f"m-{found.monitor.name}",
                "owner": clip(found.monitor.owner, 120),
                "level": found.level,
                "look": "healthy" if found.level >= FIT else "drifted",
                "words": _sentence(found.words),
                "open": len(found.open),
                "parts": [(level, LEVELS[level], _answers(found, level)) for level in range(1, len(LEVELS))],
            }
            for found in audits
        ],
    )


def _answers(found: Audit, level: int) -> list[dict[str, object]]:
    return [
        {
            "passed": answer.passed,
            "question": answer.question,
            "words": _sentence(clip(answer.words, MAX_WORDS)),
            "advice": [] if answer.passed else _parts(answer.advice),
        }
        for answer in found.answers
        if answer.level == level
    ]


def _parts(advice: str) -> list[tuple[bool, str]]:
    """What to do, in parts of which every second one, between backticks, is to be typed."""
    return [(bool(place % 2), part) for place, part in enumerate(_sentence(advice).split("`"))]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
