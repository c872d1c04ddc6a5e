"""Charts as plain SVG: no script, no style attribute, colours from the page's style sheet by class.

Positions across are per cent of the width, so that a chart fills its place at 360 px as at 1440 px while its text
keeps its size. What a chart shows is also said in text beside it; tooltips (`<title>`) are an extra.

    columns.py       a column over nights: quantiles as bands, or shares on top of each other
    nights.py        time lines of nights, and the small charts of columns and intervals
    performance.py   a metric over nights: realised, estimated, and what it is held against
    calibration.py   how sure a model was, against what came true
    difference.py    what one version loses more than another one
    svg.py           what all of them are drawn with
"""

from pipeline.publish.charts.calibration import calibration_chart
from pipeline.publish.charts.columns import TONES, column_chart, tone
from pipeline.publish.charts.difference import difference_chart
from pipeline.publish.charts.nights import (
    BACK,
    STRENGTH_FULL,
    Link,
    Slot,
    bars_chart,
    heat_level,
    interval_bar,
    mark,
    pair_bar,
    places_at,
    shape_chart,
    share_chart,
    slots,
    sparkline,
    strength_bar,
)
from pipeline.publish.charts.performance import Point, metric_spark, performance_chart, points

__all__ = [
    "BACK",
    "STRENGTH_FULL",
    "TONES",
    "Link",
    "Point",
    "Slot",
    "bars_chart",
    "calibration_chart",
    "column_chart",
    "difference_chart",
    "heat_level",
    "interval_bar",
    "mark",
    "metric_spark",
    "pair_bar",
    "performance_chart",
    "places_at",
    "points",
    "shape_chart",
    "share_chart",
    "slots",
    "sparkline",
    "strength_bar",
    "tone",
]
