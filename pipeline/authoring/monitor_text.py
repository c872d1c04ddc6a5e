"""The text of a new monitor file: complete, commented, ready to be edited."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYWORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"}
_LINE = 110

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
    """What goes into a monitor file; None and empty lists are left out, with a word on what they would do."""

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
    ignore: Sequence[str]
    label_delay_days: int


def monitor_text(draft: Draft) -> str:
    """The YAML of a draft. Every name and address is quoted where YAML would read it as something else."""
    return "\n".join([*_head(draft), "", *_columns(draft), "", *_rest(draft)]) + "\n"


def _head(draft: Draft) -> list[str]:
    labels = f"  labels: {yaml_text(draft.labels)}" if draft.labels else "  # labels: data/labels/dt={date}/"
    return [
        f"# Watches {draft.name}. `python -m pipeline check {draft.name}` reads this file and lists every mistake.",
        "",
        f"name: {yaml_text(draft.name)}",
        f"owner: {yaml_text(draft.owner)}",
        'schedule: "0 2 * * *"               # cron, in UTC; a run looks at the day that has ended',
        "",
        "# Parquet: a file, a folder, a glob or an s3:// prefix. {date} becomes the run date, such as 2026-01-14.",
        "snapshots:",
        f"  reference: {yaml_text(draft.reference)}",
        f"  production: {yaml_text(draft.production)}",
        f"{labels}  # what then came true; may arrive later",
    ]


def _columns(draft: Draft) -> list[str]:
    lines = ["# What each column is. Drift compares the numerical and the categorical ones.", "columns:"]
    for role, words in ROLES.items():
        name = getattr(draft, role)
        line = f"  {role}: {yaml_text(name)}" if name else f"  # {role}: none found"
        lines.append(f"{line:<36}# {words}")
    lines += _list("numerical", draft.numerical)
    lines += _list("categorical", draft.categorical)
    lines += _list("ignore", draft.ignore, "times, free text, other identifiers: not compared")
    return [*lines, "  # private: [name]                 # values of these never leave, not even as an example"]


def _rest(draft: Draft) -> list[str]:
    return [
        "quality:",
        f"  suite: {yaml_text(draft.name)}",
        f"  # expectations/{draft.name}.json; `python -m pipeline suggest {draft.name}` shows what the reference would",
        "  # now suggest. A critical failure blocks retraining.",
        "  # examples: 5                     # show up to 5 unexpected values of a failure; none without this",
        "  # checks:                         # beside the suite; limits and severities are in docs/quality.md",
        "  #   outliers: null                # null switches one off",
        "  #   row_history: {least: 0.8, most: 1.25}",
        "",
        "drift:",
        "  limit: 0.30                       # retrain when a larger share of the columns drifted",
        "",
        "performance:",
        f"  label_delay_days: {draft.label_delay_days}               # labels of a night arrive this much later",
        "",
        "retrain:",
        "  cooldown_days: 7                  # after a retraining, none for a week",
        "",
        "notify:",
        "  email: []                         # who gets the summary, such as [team@example.com]",
    ]


def _list(key: str, names: Sequence[str], words: str = "") -> list[str]:
    """A list on as many lines as it needs."""
    if not names:
        return [f"  # {key}: []"]
    lines = [f"  {key}: ["]
    for place, name in enumerate(names):
        item = yaml_text(name) + ("]" if place == len(names) - 1 else ", ")
        if len(lines[-1] + item) > _LINE:
            lines[-1] = lines[-1].rstrip()
            lines.append("    ")
        lines[-1] += item
    return [*lines, *([f"  # {words}"] if words else [])]


def yaml_text(value: str) -> str:
    """A text as YAML reads it back: as it is where it is plain, else quoted, with what cannot be seen escaped."""
    if _PLAIN.fullmatch(value) and value.lower() not in _KEYWORDS:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in quoted)
