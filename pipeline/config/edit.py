"""A YAML file with other settings; comments, order and layout of all else stay as they are.

What cannot be changed in place (anchors, merged keys) comes out wrong or not at all: whoever edits reads it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from pipeline.config.changes import Changes
from pipeline.config.documents import Key, yaml_text

_STEP = "  "
_WIDTH = 1_000


def edited(text: str, changes: Changes, removed: Iterable[Key] = ()) -> str:
    """The text of a file with some settings changed or added, and others taken out where they are.

    Args:
        text: of the file, a mapping; what is in it stays where it is.
        changes: values by their keys, plain data.
        removed: keys that go, with their lines.

    Raises:
        ValueError: it is no mapping, or is laid out so that a change breaks it.
    """
    for key, value in changes.items():
        text = _with(text, key, value)
    for key in removed:
        text = _without(text, key)
    return text


def _with(text: str, key: Key, value: Any) -> str:
    parts = [str(part) for part in key]
    section = _root(text)
    while True:
        pair = _pair(section, parts[0])
        if pair is None:
            return _added(text, section, parts[0], _nested(parts[1:], value))
        if len(parts) == 1:
            return _replaced(text, pair[1], _flow(value))
        parts = parts[1:]
        if not isinstance(pair[1], yaml.MappingNode):
            return _filled(text, pair, _nested(parts, value))
        section = pair[1]


def _without(text: str, key: Key) -> str:
    section, *inner = _root(text), *map(str, key)
    for part in inner[:-1]:
        pair = _pair(section, part)
        if pair is None or not isinstance(pair[1], yaml.MappingNode):
            return text
        section = pair[1]
    pair = _pair(section, inner[-1])
    if pair is None:
        return text
    start, end = pair[0].start_mark.index, _end(pair[1])
    if section.flow_style:
        before, after = text[:start].rstrip(), text[end:].lstrip()
        if after.startswith(","):
            return text[:start] + after[1:].lstrip()
        return before.removesuffix(",") + text[end:]
    return text[: text.rfind("\n", 0, start) + 1] + text[_line_end(text, end) + 1 :]


def _root(text: str) -> yaml.MappingNode:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError("the file cannot be changed in place") from error
    if not isinstance(root, yaml.MappingNode):
        raise ValueError("the file has no settings")
    return root


def _pair(section: yaml.MappingNode, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    return next(((key, value) for key, value in section.value if str(key.value) == name), None)


def _nested(parts: Sequence[str], value: Any) -> Any:
    for part in reversed(parts):
        value = {part: value}
    return value


def _added(text: str, section: yaml.MappingNode, name: str, value: Any) -> str:
    """A key that is not there yet, behind the last one of its section."""
    if section.flow_style or not section.value:
        end = _end(section.value[-1][1]) if section.value else section.start_mark.index + 1
        comma = ", " if section.value else ""
        return f"{text[:end]}{comma}{yaml_text(name)}: {_flow(value)}{text[end:]}"
    indent = " " * section.value[0][0].start_mark.column
    return _inserted(text, _end(section.value[-1][1]), _lines(name, value, indent))


def _filled(text: str, pair: tuple[yaml.Node, yaml.Node], value: dict[str, Any]) -> str:
    """A section that is there and has nothing in it, such as one of which all lines are comments."""
    key, old = pair
    if old.start_mark.index != old.end_mark.index:
        return _replaced(text, old, _flow(value))
    indent = " " * key.start_mark.column + _STEP
    return _inserted(text, old.end_mark.index, [line for name in value for line in _lines(name, value[name], indent)])


def _replaced(text: str, node: yaml.Node, value: str) -> str:
    start, end = node.start_mark.index, _end(node)
    space = " " if start == end else ""
    return f"{text[:start]}{space}{value}{text[end:]}"


def _inserted(text: str, end: int, lines: Sequence[str]) -> str:
    """Lines below the one on which something ends."""
    at, line_break = _line_end(text, end), "\r\n" if "\r\n" in text else "\n"
    at -= text[:at].endswith("\r")
    return text[:at] + "".join(line_break + line for line in lines) + text[at:]


def _line_end(text: str, at: int) -> int:
    if text[:at].endswith("\n"):  # a block of text ends with its line
        return at - 1
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _end(node: yaml.Node) -> int:
    """Where a value ends; a section in block style ends with its last value, not with the comments behind it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _lines(name: str, value: Any, indent: str) -> list[str]:
    """A key with its value: sections of sections on lines of their own, all else behind the key."""
    if isinstance(value, dict) and any(isinstance(item, dict) for item in value.values()):
        inner = [line for key, item in value.items() for line in _lines(str(key), item, indent + _STEP)]
        return [f"{indent}{yaml_text(name)}:", *inner]
    return [f"{indent}{yaml_text(name)}: {_flow(value)}"]


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=_WIDTH, allow_unicode=True, sort_keys=False)
    return text.removesuffix("...\n").strip()
