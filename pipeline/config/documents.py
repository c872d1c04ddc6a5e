"""A YAML file as plain data, with the line of every key and item, so that each mistake can be named."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYWORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"}

Key = tuple[str | int, ...]


@dataclass
class Document:
    """A YAML file as plain data, with the line of every key and item."""

    path: Path
    data: Any = None
    lines: dict[Key, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def problem(self, key: Key, text: str) -> None:
        """Record a mistake at a key; an absent key gets the line of its nearest present parent."""
        known = key
        while known and known not in self.lines:
            known = known[:-1]
        self.problem_on_line(self.lines.get(known, 1), ".".join(map(str, key)) or "file", text)

    def problem_on_line(self, line: int, key: str, text: str) -> None:
        """Record a mistake on a line (counted from 1)."""
        self.problems.append((line, f"{self.path}:{line}: {key}: {text}"))


def parse(path: Path) -> Document:
    """Read a file; what is wrong with it is among the document's problems. Dates become text, as JSON has no dates."""
    document = Document(path)
    loader: yaml.SafeLoader | None = None
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        if isinstance(node, yaml.MappingNode):
            document.data = _plain(loader, node, document, ())
        else:
            document.problem((), "found no settings; allowed: 'key: value' lines as in README, 'Add your own model'")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        document.problem_on_line(line, "file", f"found broken YAML: {error.problem}; allowed: valid YAML")
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        document.problem((), f"cannot be read: {error}")
    finally:
        if loader is not None:
            loader.dispose()
    return document


def parse_value(text: str) -> Any:
    """One value, as it would be read behind a key of a file.

    Raises:
        ValueError: it is no YAML.
    """
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        return None if node is None else _plain(loader, node, Document(Path()), ())
    except yaml.YAMLError as error:
        raise ValueError(f"found {text!r}; allowed: a value as in a monitor file") from error
    finally:
        loader.dispose()


def _plain(loader: yaml.SafeLoader, node: yaml.Node, document: Document, key: Key) -> Any:
    """The node as plain data. Dates become text, as JSON has no dates."""
    document.lines.setdefault(key, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        return _plain_mapping(loader, node, document, key)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item, document, (*key, position)) for position, item in enumerate(node.value)]
    value = loader.construct_object(node)
    return value if value is None or isinstance(value, str | int | float | bool) else str(node.value)


def _plain_mapping(loader: yaml.SafeLoader, node: yaml.MappingNode, document: Document, key: Key) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name_node, value_node in node.value:
        name = str(name_node.value)
        line = name_node.start_mark.line + 1
        if name in data:
            first = document.lines[(*key, name)]
            document.lines[(*key, name)] = line
            document.problem((*key, name), f"found a second time (first on line {first}); allowed: once")
        document.lines[(*key, name)] = line
        data[name] = _plain(loader, value_node, document, (*key, name))
    return data


def yaml_text(value: str) -> str:
    """A text as YAML reads it back: as it is where it is plain, else quoted, with what cannot be seen escaped."""
    if _PLAIN.fullmatch(value) and value.lower() not in _KEYWORDS:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in quoted)
