"""Text that is shown where it could do more than be read: in a terminal, a log, an error."""

from __future__ import annotations

import re
import unicodedata

_JOINERS = "\u200c\u200d"  # zero-width, but part of how some scripts are written
_ADDRESS = re.compile(r"(?<![\w+.-])(?!s3:)([A-Za-z][A-Za-z0-9+.-]*)://(?!\.\.\.)[^\s'\"<>]+")


def visible(text: str, keep: str = "") -> str:
    """Text with its control and direction characters written out; those in `keep` stay."""
    return text if text.isprintable() else "".join(char if char in keep else _written(char) for char in text)


def _written(char: str) -> str:
    hidden = unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and char not in _JOINERS
    return char.encode("unicode_escape").decode() if hidden else char


def without_addresses(text: str) -> str:
    """Text in which addresses are their scheme alone, `slack://...`: they may hold a token. S3's hold none."""
    return _ADDRESS.sub(r"\1://...", text)
