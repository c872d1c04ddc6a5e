"""Values that must not leave, and where to look for them.

Text has a word that nothing else has; numbers lie in ranges that nothing else lies in, and so do their deviations.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.publish.evidently_report import frame
from pipeline.publish.evidently_report.page import render
from pipeline.publish.evidently_report.shared import FOLDER, split

WORD = "kanarie"
FIRST_YEAR = 2147
"""No date of a night, a schedule or a library lies in a century of which a private moment is."""

_LOW, _HIGH = 6e11, 8e11
_SPREAD = 1.5e10
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\w)|(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w)")
_SCRIPT = re.compile(r"<script[^>]*>.*?</script>", re.DOTALL)
_LIBRARY = 500_000
"""Longer scripts are those of a library: no night of these tests has so much to tell."""

PRIVATE = ("id", "email", "diagnosis", "salary", "born", "bonus", "fixed", "said", "scored_by", "label")


def people(rows: int, seed: int, *, other: bool = False) -> pd.DataFrame:
    """Rows of which only `age`, `city` and `score` may be told; `other`: everything is another way.

    Salaries lie between 6e11 and 8e11 with a deviation above 1.5e10.
    """
    random = np.random.default_rng(seed)
    score = random.random(rows)
    chosen = ["fine", "ill", "worse"] if not other else ["fine", "worse", "new"]
    centre = 7.5e11 if other else 6.5e11
    truth = np.where(random.random(rows) < score, f"{WORD}-yes", f"{WORD}-no")
    return pd.DataFrame(
        {
            "id": [f"{WORD}-{seed}-{row}" for row in range(rows)],
            "email": [f"{WORD}{row % 400 + 1000 * other}@example.com" for row in range(rows)],
            "diagnosis": [f"{WORD}-{part}" for part in random.choice(chosen, rows, p=[0.6, 0.3, 0.1])],
            "salary": np.clip(random.normal(centre, 2e10, rows), _LOW, _HIGH),
            "bonus": np.full(rows, 7.1e11 if other else 6.1e11),
            "fixed": np.where(np.arange(rows) == 3, 1.7e308 if other else 6.2e11, 6.2e11),
            "born": pd.Timestamp(f"{FIRST_YEAR + 20 * other}-03-04")
            + pd.to_timedelta(random.integers(0, 900, rows), "D"),
            "said": np.where(score > 0.5, f"{WORD}-yes", f"{WORD}-no"),
            "scored_by": f"{WORD}-model",
            "age": random.normal(60 if other else 40, 10, rows),
            "city": random.choice(["Bern", "Graz"], rows),
            "score": score,
            "label": truth,
        }
    )


def forecasts(rows: int, seed: int, *, other: bool = False) -> pd.DataFrame:
    """The same people, with forecasts of the salary that are off by far less than any range of `told` begins at."""
    frame = people(rows, seed, other=other)
    off = np.random.default_rng(seed).normal(0, 1e8, rows)
    return frame.assign(said=frame["salary"] + off, label=frame["salary"]).drop(columns=["score", "salary"])


def told(text: str, *, deviations: bool = True) -> list[str]:
    """The private values in a text, each with what stands around it; with `deviations` what tells how far they lie
    apart, too, which errors of a model may.
    """
    words = [_around(text, found) for found in re.finditer(WORD, text, re.IGNORECASE)]
    moments = [_around(text, found) for found in re.finditer(r"(?<!\d)21[4-7]\d-\d\d-\d\d", text)]
    numbers = [_around(text, found) for found in _NUMBER.finditer(text) if _is_private(found[0], deviations)]
    return [*words, *moments, *numbers]


def _is_private(written: str, deviations: bool) -> bool:
    number = abs(float(written.replace(",", "")))
    return _LOW <= number <= _HIGH or (deviations and _SPREAD <= number <= 3 * _SPREAD) or number >= 1e307


def _around(text: str, found: re.Match[str]) -> str:
    return text[max(0, found.start() - 90) : found.end() + 60].replace("\n", " ")


def leaks(root: Path, *, beside: tuple[str, ...] = (), deviations: bool = True) -> dict[str, list[str]]:
    """The private values in all files below a folder, by file; folders named in `beside` are not looked into."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and not any(part in beside for part in path.relative_to(root).parts):
            hits = [hit for text in texts_of(path) for hit in told(text, deviations=deviations)]
            if hits:
                found[str(path.relative_to(root))] = hits[:5]
    return found


@lru_cache(maxsize=1)
def _library() -> frozenset[str]:
    """The digests of what all reports share, of this version of Evidently."""
    return frozenset(name.partition(".")[0] for name in split(render("nothing", [], {}, frame.page())).parts)


def texts_of(path: Path) -> Iterator[str]:
    """What a file says: of a mail the decoded parts and headers, of a database its text, of a page no library."""
    content = path.read_bytes()
    if path.suffix == ".eml":
        message = email.message_from_bytes(content, policy=email.policy.default)
        yield "\n".join(f"{name}: {value}" for name, value in message.items())
        for part in message.walk():
            if not part.is_multipart():
                yield part.get_payload(decode=True).decode("utf-8", "replace")  # type: ignore[union-attr]
        return
    if path.suffix == ".db":
        yield from re.findall(r"[\x20-\x7e]{4,}", content.decode("latin-1"))
        return
    if path.parent.name == FOLDER and path.stem in _library():  # by its digest: of a report without any data
        return
    text = content.decode("utf-8", "replace")
    if path.suffix == ".html":
        text = _SCRIPT.sub(lambda found: "" if len(found[0]) > _LIBRARY else found[0], text)
    yield text
