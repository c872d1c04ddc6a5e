"""How sure a model was, against which share of it came true."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from markupsafe import Markup

from pipeline.publish.charts.svg import px
from pipeline.results import CalibrationGroup

_LEFT, _TOP, _SIDE = 36, 8, 220  # px: of the square that the curve is in


def calibration_chart(now: Sequence[CalibrationGroup], before: Sequence[CalibrationGroup], label: str) -> Markup:
    """The calibration curve with the diagonal of a model that is as sure as it should be; that of the reference beside.

    Args:
        now: groups of the labelled rows; a point's area goes with its rows.
        before: those of the reference.
        label: what is shown, in words.
    """
    most = max((group.rows for group in now), default=1)
    parts = [_grid(), _curve(before, "before"), _curve(now, "now")]
    for group in now:
        x, y = _at(group.score, group.share)
        parts.append(
            Markup('<circle class="now" cx="{}" cy="{}" r="{}"/>').format(x, y, px(2 + 3 * sqrt(group.rows / most)))
        )
    opening = Markup('<svg class="calibration" viewBox="0 0 270 272" role="img" aria-label="{}">').format(label)
    return opening + Markup("").join(parts) + Markup("</svg>")


def _grid() -> Markup:
    """Axes from 0 to 1, and the diagonal."""
    (left, bottom), (right, top) = _at(0, 0), _at(1, 1)
    parts = [Markup('<line class="diagonal" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(left, bottom, right, top)]
    for place, text in ((0.0, "0"), (0.5, "0.5"), (1.0, "1")):
        x, y = _at(place, place)
        parts.append(Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(left, right, y, y))
        parts.append(Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(_LEFT - 8, y, text))
        parts.append(Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(x, _TOP + _SIDE + 18, text))
    said = Markup('<text x="{}" y="{}" text-anchor="middle">score</text>').format(_LEFT + _SIDE // 2, _TOP + _SIDE + 38)
    return Markup("").join([*parts, said])


def _curve(groups: Sequence[CalibrationGroup], look: str) -> Markup:
    if not groups:
        return Markup("")
    points = " ".join(",".join(_at(group.score, group.share)) for group in groups)
    return Markup('<polyline class="{}" points="{}"/>').format(look, points)


def _at(score: float, share: float) -> tuple[str, str]:
    return px(_LEFT + _SIDE * min(max(score, 0.0), 1.0)), px(_TOP + _SIDE * (1 - min(max(share, 0.0), 1.0)))
