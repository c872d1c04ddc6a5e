"""What all reports of one version of Evidently have alike, its script and its style, is kept once, beside the reports.

It is 3.6 MB of each report, in which a night has a few dozen kB of its own. `split` takes it out of a page, and `whole`
puts it back: the same page, byte for byte, for whoever takes a report elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

FOLDER = "_evidently"
"""In the run store; no monitor has such a name."""
_WAY = f"../../{FOLDER}/"  # from <store>/<monitor>/<run_date>/
_LARGE = 50_000
_BLOCK = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)
_DATA = "\nvar "  # how the script begins that holds what a night measured
_SUFFIXES = {"script": ".js", "style": ".css"}
_LINKS = {
    ".js": f'<script src="{_WAY}{{}}"></script>',
    ".css": f'<link rel="stylesheet" href="{_WAY}{{}}">',
}
_LINK = re.compile(
    rf'<script src="{re.escape(_WAY)}(?P<script>[0-9a-f]{{64}}\.js)"></script>'
    rf'|<link rel="stylesheet" href="{re.escape(_WAY)}(?P<style>[0-9a-f]{{64}}\.css)">'
)
_ALONE = ("; script-src ", "; style-src ")  # in the page's policy
_BESIDE = ("; script-src 'self' ", "; style-src 'self' ")


class Split(NamedTuple):
    """A page that links to its large parts, and these by name: the SHA-256 of their content, and what they are."""

    page: bytes
    parts: Mapping[str, bytes]


def split(page: bytes) -> Split:
    """A page without its large parts; one that has none, or that another version made otherwise, stays as it is."""
    text, parts = page.decode(), dict[str, bytes]()
    if any(text.count(directive) != 1 for directive in _ALONE):
        return Split(page, parts)

    def take(block: re.Match[str]) -> str:
        kind, content = block[1], block[2]
        if len(content) < _LARGE or content.startswith(_DATA):
            return block[0]
        encoded = content.encode()
        name = hashlib.sha256(encoded).hexdigest() + _SUFFIXES[kind]
        parts[name] = encoded
        return _LINKS[_SUFFIXES[kind]].format(name)

    linked = _BLOCK.sub(take, text)
    return Split(_allowing(linked, _ALONE, _BESIDE).encode() if parts else page, parts)


def whole(page: bytes, part: Callable[[str], bytes]) -> bytes:
    """A page as it was before `split`; one that has all in itself stays as it is.

    Args:
        page: the page.
        part: gives a part by its name.
    """
    text = page.decode()
    if not _LINK.search(text):
        return page

    def put(link: re.Match[str]) -> str:
        kind = str(link.lastgroup)
        return f"<{kind}>{part(link[kind]).decode()}</{kind}>"

    return _LINK.sub(put, _allowing(text, _BESIDE, _ALONE)).encode()


def _allowing(text: str, before: tuple[str, ...], after: tuple[str, ...]) -> str:
    for old, new in zip(before, after, strict=True):
        text = text.replace(old, new, 1)
    return text
