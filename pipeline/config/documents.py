"""A YAML file as plain data, with the line of every key and item, so that each mistake can be named."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer

from pipeline.config.files import read_text
from pipeline.wording import clip, count

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYWORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"}

_MOST_NODES = 100_000  # a monitor of 5,000 columns, each with its method and threshold, has 40,000
_DEEPEST = 50
_LONGEST_NUMBER = 100
_MERGE = "tag:yaml.org,2002:merge"
_TEXT_TAGS = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp"}
_NUMBER_TAGS = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}

Key = tuple[str | int, ...]


class _TooMuch(Exception):
    """A file that holds, or stands for by aliases, more than any monitor says."""


class _Loader(Composer, yaml.CSafeLoader):
    """Stops at files that would take for ever or all memory: nodes and depth are counted, also of what aliases mean.

    libyaml reads the text, in a third of the time, and Python makes nodes of it, which is what is counted.
    """

    def __init__(self, stream: str) -> None:
        Composer.__init__(self)
        yaml.CSafeLoader.__init__(self, stream)
        self._nodes = self._depth = 0
        self._own: dict[int, list[yaml.Node]] = {}

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """A node, and around those in it."""
        self._nodes += 1
        self._depth += 1
        if self._nodes > _MOST_NODES:
            raise _TooMuch(f"found more than {count(_MOST_NODES, 'value')}, aliases counted; allowed: fewer")
        if self._depth > _DEEPEST:
            raise _TooMuch(f"found more than {count(_DEEPEST, 'level')}, or an alias for itself; allowed: fewer")
        yield  # an error ends the reading, so that nobody counts on
        self._depth -= 1

    def read(self) -> yaml.Node | None:
        """The only document, as nodes: counted once as they are written."""
        node = self.get_single_node()
        self._nodes = 0
        return node

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The library's, counted."""
        with self.one_more():
            return super().compose_node(parent, index)

    def own_keys(self, node: yaml.MappingNode) -> list[yaml.Node]:
        """The keys that stand in a mapping itself, when what it merges has been put before them."""
        self.flatten_mapping(node)
        return self._own[id(node)]

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """The library's, once for a node, and no longer than a file may be."""
        if id(node) in self._own:
            return
        self._own[id(node)] = [name for name, _ in node.value if name.tag != _MERGE]
        super().flatten_mapping(node)
        if len(node.value) > _MOST_NODES:
            raise _TooMuch(f"found more than {count(_MOST_NODES, 'key')} merged into one mapping; allowed: fewer")


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
        self.problem_on_line(self.lines.get(known, 1), _dotted(key), text)

    def problem_on_line(self, line: int, key: str, text: str) -> None:
        """Record a mistake on a line (counted from 1)."""
        self.problems.append((line, f"{self.path}:{line}: {key}: {text}"))


def _dotted(key: Key) -> str:
    return ".".join(map(str, key)) or "file"


def parse(path: Path) -> Document:
    """Read a file; what is wrong with it is among the document's problems. Dates become text, as JSON has no dates."""
    document = Document(path)
    try:
        _fill(document, read_text(path))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        document.problem_on_line(line, "file", f"found broken YAML: {error.problem}; allowed: valid YAML")
    except _TooMuch as error:
        document.problem((), str(error))
    except (yaml.YAMLError, ValueError, OSError) as error:
        document.problem((), f"cannot be read: {_why(error)}")
    return document


def _why(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else clip(str(error), 200)


def _fill(document: Document, text: str) -> None:
    loader = _Loader(text)
    node = loader.read()
    if isinstance(node, yaml.MappingNode):
        document.data = _plain(loader, node, document, ())
    else:
        document.problem((), "found no settings; allowed: 'key: value' lines as in README, 'Add your own model'")


def parse_value(text: str) -> Any:
    """One value, as it would be read behind a key of a file.

    Raises:
        ValueError: it is no YAML.
    """
    document = Document(Path())
    try:
        loader = _Loader(text)
        node = loader.read()
        found = None if node is None else _plain(loader, node, document, ())
    except (yaml.YAMLError, ValueError, _TooMuch) as error:
        raise ValueError(f"found {clip(text, 80)!r}; allowed: a value as in a monitor file") from error
    if document.problems:
        raise ValueError(f"found {clip(text, 80)!r}; allowed: a value as in a monitor file")
    return found


def _plain(loader: _Loader, node: yaml.Node, document: Document, key: Key) -> Any:
    """The node as plain data. Dates become text, as JSON has no dates."""
    document.lines.setdefault(key, node.start_mark.line + 1)
    with loader.one_more():
        if isinstance(node, yaml.MappingNode):
            return _plain_mapping(loader, node, document, key)
        if isinstance(node, yaml.SequenceNode):
            return [_plain(loader, item, document, (*key, position)) for position, item in enumerate(node.value)]
        return _plain_scalar(loader, node, document, key)


def _plain_scalar(loader: _Loader, node: yaml.Node, document: Document, key: Key) -> Any:
    text = str(node.value)
    if node.tag in _TEXT_TAGS:
        return text
    if node.tag in _NUMBER_TAGS and len(text) > _LONGEST_NUMBER:
        document.problem(key, f"found a number of {count(len(text), 'character')}; allowed: {_LONGEST_NUMBER} at most")
        return None
    try:
        value = loader.construct_object(node)
    except (ValueError, KeyError):  # `!!int one`
        document.problem(key, f"found {clip(text, 80)!r}, which its tag does not allow; allowed: no tag")
        return None
    return value if value is None or isinstance(value, str | int | float | bool) else text


def _plain_mapping(loader: _Loader, node: yaml.MappingNode, document: Document, key: Key) -> dict[str, Any]:
    data: dict[str, Any] = {}
    own, first = {id(name) for name in loader.own_keys(node)}, dict[str, int]()
    for name_node, value_node in node.value:
        line = name_node.start_mark.line + 1
        if not isinstance(name_node, yaml.ScalarNode):
            document.problem_on_line(line, _dotted(key), "found a key that is no text; allowed: quotes around it")
            continue
        name = str(name_node.value)
        document.lines[(*key, name)] = line
        if id(name_node) in own:
            if name in first:
                words = f"found a second time (first on line {first[name]}); allowed: once"
                document.problem((*key, name), words)
            first[name] = line
        data[name] = _plain(loader, value_node, document, (*key, name))
    return data


def yaml_text(value: str) -> str:
    """A text as YAML reads it back: as it is where it is plain, else quoted, with what cannot be seen escaped."""
    if _PLAIN.fullmatch(value) and value.lower() not in _KEYWORDS:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in quoted)
