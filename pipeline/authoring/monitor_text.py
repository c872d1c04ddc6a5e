"""The text of a new monitor file: complete, commented, ready to be edited. `monitor.yaml.j2` is what it looks like."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.config.documents import yaml_text
from pipeline.wording import clip, listed

_LINE = 110
_INDENT = "  "

ROLES = {
    "id": "joins production with its labels; has to differ in every row",
    "label": "the truth, in the reference and in the labels",
    "prediction": "the model's answer",
    "score": "the model's confidence, from 0 to 1",
    "model_version": "which model answered",
}
"""What a column can be, in words."""


@dataclass(frozen=True)
class Draft:
    """What goes into a monitor file; None and empty lists are left out, with a word on what they would do.

    `ignore` says of every column why, `checks` are lines of `quality.checks` with their reason, `scores` are columns by
    class. `champion`: the reference follows the promoted model. `alarms`: one false alarm in so many nights, held
    against `against`, which is YAML, for a reason; None for fixed thresholds. `lists` are columns of lists of numbers.
    `complete`: the name of the file that ends each snapshot.
    """

    name: str
    owner: str
    reference: str
    production: str
    labels: str | None
    id: str | None
    label: str | None
    prediction: str | None
    score: str | None
    model_version: str | None
    numerical: Sequence[str]
    categorical: Sequence[str]
    ignore: Mapping[str, str]
    label_delay_days: int
    scores: Mapping[str, str] = field(default_factory=dict)
    positive: str | int | float | bool | None = None
    task: str | None = None
    champion: bool = False
    min_rows: int = 0
    min_rows_words: str = "a night of fewer rows asks for no retraining"
    nights_over: str = ""
    email: Sequence[str] = ()
    when: str = "always"
    checks: Mapping[str, str] = field(default_factory=dict)
    lists: Sequence[str] = ()
    alarms: int | None = None
    against: str | None = None
    against_words: str = ""
    complete: str | None = None


def monitor_text(draft: Draft) -> str:
    """The YAML of a draft. Every name and address is quoted where YAML would read it as something else."""
    from pipeline.publish.templates import render

    kinds = {key: _list(key, getattr(draft, key)) for key in ("numerical", "categorical")}
    named = [getattr(draft, key) for key in (*ROLES, "scores", "numerical", "categorical", "ignore")]
    return render(
        "monitor.yaml.j2",
        draft=draft,
        roles=ROLES,
        positive="" if draft.positive is None else class_text(draft.positive),
        empty=not any(named) and draft.positive is None,
        ignore=[(yaml_text(name), clip(reason, 200)) for name, reason in draft.ignore.items()],
        checks=[(line, clip(reason, 200)) for line, reason in draft.checks.items()],
        budget=_budget(draft),
        against=textwrap.wrap(f"Held against {clip(draft.against_words, 300)}; docs/alarms.md", _LINE),
        lists=_lists(draft.lists),
        **kinds,
    )


def _lists(names: Sequence[str]) -> list[str]:
    """What a comment says of columns of lists of numbers; nothing without any."""
    words = f"Without it nothing looks at lists of numbers: {listed(list(map(yaml_text, names)))}."
    return textwrap.wrap(clip(words, 400), _LINE) if names else []


def _budget(draft: Draft) -> str:
    """`{per_nights: 365}`, with what nights are held against where that is not the reference alone."""
    against = f", against: {draft.against}" if draft.against else ""
    return f"{{per_nights: {draft.alarms}{against}}}" if draft.alarms is not None else ""


def class_text(found: object) -> str:
    """A class as YAML reads it back: text is quoted where it looks like a number or a truth value."""
    return yaml_text(found) if isinstance(found, str) else json.dumps(found)


def _list(key: str, names: Sequence[str]) -> str:
    """A list of the section `columns`, on as many lines as it needs; empty where there are no names."""
    if not names:
        return ""
    lines = [f"{_INDENT}{key}: ["]
    for place, name in enumerate(names):
        item = yaml_text(name) + ("]" if place == len(names) - 1 else ", ")
        if len(lines[-1] + item) > _LINE:
            lines[-1] = lines[-1].rstrip()
            lines.append(2 * _INDENT)
        lines[-1] += item
    return "\n".join(lines).removeprefix(_INDENT)
