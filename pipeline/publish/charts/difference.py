"""What one version loses more than another one, with its interval, on an axis around zero."""

from __future__ import annotations

from markupsafe import Markup

from pipeline.publish.charts.svg import percent, px, svg, ticks
from pipeline.results import LossComparison
from pipeline.wording import number

_BAR, _AXIS, _HEIGHT = 22, 44, 64  # px from the top: middle of the bar, the axis, all with its numbers
_MOST_TICKS = 5
_SMALLEST = 1e-6  # of an axis, in the loss's unit
_ROOM = 1.15  # how far the axis goes beyond what is drawn


def difference_chart(loss: LossComparison) -> Markup:
    """The difference as a point and its interval as a bar; right of zero the version under watch is worse.

    The axis is in the loss's own unit, as long on either side, so that the side is seen before the numbers are read.
    """
    ends = [value for value in (loss.low, loss.high, loss.difference) if value is not None]
    extent = max(*map(abs, ends), _SMALLEST) * _ROOM
    parts = [_tick(tick, extent) for tick in ticks(-extent, extent, _MOST_TICKS)]
    parts.append(Markup('<line class="axis" x1="0" x2="100%" y1="{0}" y2="{0}"/>').format(_AXIS))
    parts.append(Markup('<line class="zero" x1="50%" x2="50%" y1="4" y2="{}"/>').format(_AXIS))
    if loss.low is not None and loss.high is not None:
        look = "worse" if loss.low > 0 else "better" if loss.high < 0 else "unsure"
        left, right = _across(loss.low, extent), _across(loss.high, extent)
        parts.append(
            Markup('<rect class="range {}" x="{}%" y="{}" width="{}%" height="10" rx="5"/>').format(
                look, percent(left), _BAR - 5, percent(max(right - left, 0.5))
            )
        )
    middle = percent(_across(loss.difference, extent))
    parts.append(Markup('<circle class="difference" cx="{}%" cy="{}" r="6"/>').format(middle, _BAR))
    return svg(parts, _HEIGHT, "chart versus")


def _across(value: float, extent: float) -> float:
    """Per cent of the width; zero is in the middle."""
    return 50 + 50 * value / extent


def _tick(value: float, extent: float) -> Markup:
    at = percent(_across(value, extent))
    return Markup(
        '<line class="grid" x1="{0}%" x2="{0}%" y1="4" y2="{1}"/><text x="{0}%" y="{2}" text-anchor="middle">{3}</text>'
    ).format(at, px(_AXIS), px(_AXIS + 16), f"{'+' * (value > 0)}{number(value, 6)}")
