"""A new suggestion and a suite file that somebody may have edited: what a person wrote, changed or removed stays.

Every suggested entry carries a signature of its content in `meta.suggested`, and the file, in its own
`meta.suggested`, short hashes of what was ever suggested. An entry whose signature fits was not touched and may be
renewed. One without, or whose signature no longer fits, belongs to a person. One that was suggested and is gone was
removed by a person.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Entry = dict[str, Any]


@dataclass(frozen=True)
class Merge:
    """The new content of a suite file, and how many of its entries are of which kind."""

    content: dict[str, Any]
    kept: int
    renewed: int
    added: int
    dropped: int
    removed_before: int


def signed_suite(name: str, entries: Sequence[Entry]) -> dict[str, Any]:
    """The content of a suite file that nobody has edited yet."""
    signed = [{**entry, "meta": {**entry.get("meta", {}), "suggested": signature(entry)}} for entry in entries]
    return {"name": name, "meta": {"suggested": _known(about(entry) for entry in entries)}, "expectations": signed}


def merge(existing: Mapping[str, Any], suggested: Mapping[str, Any]) -> Merge:
    """What a person wrote stays in its place; untouched suggestions are renewed, new ones come last."""
    fresh = {about(entry): entry for entry in suggested["expectations"]}
    before = [entry for entry in existing.get("expectations", []) if isinstance(entry, dict)]
    ever = set((existing.get("meta") or {}).get("suggested", []))
    present = {about(entry) for entry in before}
    entries: list[Entry] = []
    kept = renewed = dropped = 0
    for entry in before:
        if not is_untouched(entry):
            kept += 1
            entries.append(entry)
        elif about(entry) in fresh:
            renewed += entry != fresh[about(entry)]
            entries.append(fresh[about(entry)])
        else:
            dropped += 1
    added = [entry for key, entry in fresh.items() if key not in present and _hash(key) not in ever]
    removed = [key for key in fresh if key not in present and _hash(key) in ever]
    meta = {**(existing.get("meta") or {}), "suggested": _known(fresh, ever)}
    content = {**existing, "meta": meta, "expectations": [*entries, *added]}
    return Merge(content, kept, renewed, len(added), dropped, len(removed))


def is_untouched(entry: Entry) -> bool:
    """Whether an entry is as it was suggested."""
    return (entry.get("meta") or {}).get("suggested") == signature(entry)


def about(entry: Entry) -> str:
    """What an entry is about, whatever its limits: its type and its columns."""
    kwargs = entry.get("kwargs") or {}
    names = [kwargs[key] for key in ("column", "column_A", "column_B", "column_list") if key in kwargs]
    return " ".join([str(entry.get("type")), *(json.dumps(name, ensure_ascii=False) for name in names)])


def signature(entry: Entry) -> str:
    """Of everything a person may change; 12 hexadecimal digits."""
    meta = {key: value for key, value in (entry.get("meta") or {}).items() if key != "suggested"}
    text = json.dumps({**entry, "meta": meta}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def suite_text(content: Mapping[str, Any]) -> str:
    """A suite file as people read and edit it: one line for each part of an expectation."""
    head = [f"  {_json(key)}: {_json(value)}" for key, value in content.items() if key != "expectations"]
    entries = [
        "    {\n" + ",\n".join(f"      {_json(key)}: {_json(value)}" for key, value in entry.items()) + "\n    }"
        for entry in content["expectations"]
    ]
    listed = '  "expectations": [\n' + ",\n".join(entries) + "\n  ]"
    return "{\n" + ",\n".join([*head, listed]) + "\n}\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _known(keys: Iterable[str], ever: Iterable[str] = ()) -> list[str]:
    return sorted({*ever, *map(_hash, keys)})


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:8]
