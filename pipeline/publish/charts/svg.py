"""What all charts are drawn with."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

from markupsafe import Markup, escape


def svg(parts: Sequence[Markup], height: float, look: str) -> Markup:
    """A chart as wide as its place; it is said in text beside it, so readers of the screen leave it out."""
    opening = Markup('<svg class="{}" width="100%" height="{}" aria-hidden="true">').format(look, px(height))
    return opening + Markup("").join(map(escape, parts)) + Markup("</svg>")


def row(y: float, look: str) -> Markup:
    """A line from edge to edge."""
    return Markup('<line class="{}" x1="0" x2="100%" y1="{}" y2="{}"/>').format(look, px(y), px(y))


def across_of(position: int, places: int) -> tuple[str, str]:
    """Left edge and width of a bar, in per cent of the chart; few bars stay slim, and at the right where now is."""
    position, places = position + max(12 - places, 0), max(places, 12)
    return percent((position + 0.12) / places * 100), percent(0.76 / places * 100)


def middle_of(position: int, places: int) -> float:
    """The middle of the bar, in per cent of the chart."""
    position, places = position + max(12 - places, 0), max(places, 12)
    return (position + 0.5) / places * 100


def percent(value: float) -> str:
    """A position across."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def px(value: float) -> str:
    """A position down."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round values between two others, at most so many and one more, two at least where there are as many."""
    power = 10.0 ** floor(log10((high - low) / most))
    for step in (power * factor for factor in (1, 2, 2.5, 5, 10, 20)):
        first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
        if last - first < most:
            return [round(place * step, 12) for place in range(first, last + 1)]
    return [low, high]
