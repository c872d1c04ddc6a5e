"""What the dashboards are made of: panels of a few kinds, rows, variables and links, in Grafana's own types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

WIDTH = 24
RUNBOOKS = "/runbooks"
"""Where the proxy of docker-compose.yml shows docs/runbooks/, beside Grafana."""
SOURCE = common_models.DataSourceRef(type_val="prometheus", uid="${datasource}")
GOOD, NOTICE, BAD, NEUTRAL = "green", "orange", "red", "blue"

Panel = Builder[models.Panel]
Levels = Sequence[tuple[float | None, str]]
"""Colours, each from a value on; the first from None, which is minus infinity."""
ZERO_IS_GOOD: Levels = ((None, GOOD), (1, NOTICE))
ZERO_OR_BAD: Levels = ((None, GOOD), (1, BAD))
ONE_IS_GOOD: Levels = ((None, BAD), (1, GOOD))
PLAIN: Levels = ((None, NEUTRAL),)

STATES = {"healthy": GOOD, "too few rows": "blue", "drifted": NOTICE, "degraded": "dark-orange", "data broken": BAD}
"""Verdicts, in the order of the numbers that `state_of` gives them, each with its colour."""
STATE_WORDS = {str(number): (state, colour) for number, (state, colour) in enumerate(STATES.items())}
FILLED = {"type": "color-background", "mode": "basic"}


@dataclass(frozen=True)
class Query:
    """An expression in PromQL, and what its series are called."""

    expr: str
    legend: str = "{{monitor}}"


def state_of(monitor: str) -> str:
    """The verdict of each monitor as a number, as `STATES` counts them."""
    parts = (
        f'model_monitor_status{{{monitor}, status="{state.replace(" ", "_")}"}} * {number}'
        for number, state in enumerate(STATES)
    )
    return f"sum by (monitor) ({' or '.join(parts)})"


def stat_panel(
    title: str, text: str, expr: str, *, levels: Levels = PLAIN, unit: str = "short", span: int = 4,
    words: Mapping[str, tuple[str, str]] | None = None, links: Sequence[tuple[str, str]] = (),
) -> Panel:  # fmt: skip
    """One number of now.

    Args:
        title: above it.
        text: what it means.
        expr: the query.
        levels: its colours.
        unit: as Grafana names units.
        span: its width, of 24.
        words: instead of numbers, each with its colour.
        links: titles and addresses.
    """
    panel = (
        stat.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .span(span)
        .height(4)
        .unit(unit)
        .thresholds(_thresholds(levels))
        .color_mode(common_models.BigValueColorMode.BACKGROUND)
        .graph_mode(common_models.BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .links(_links(links))
        .with_target(_target(Query(expr, title), 0, instant=True))
    )
    return panel.mappings([_words(words)]) if words else panel


def series_panel(
    title: str, text: str, *queries: Query, unit: str = "short", levels: Levels | None = None, span: int = 12,
    low: float | None = None, high: float | None = None, stacked: bool = False, logarithmic: bool = False,
    links: Sequence[tuple[str, str]] = (),
) -> Panel:  # fmt: skip
    """Series over time. A gauge keeps its value until the next night, so lines are steps; `levels` are lines too."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .span(span)
        .height(8)
        .unit(unit)
        .line_interpolation(common_models.LineInterpolation.STEP_AFTER)
        .fill_opacity(30 if stacked else 0)
        .legend(common.VizLegendOptions().show_legend(True).placement(common_models.LegendPlacement.BOTTOM)
                .display_mode(common_models.LegendDisplayMode.TABLE).calcs(["lastNotNull", "max"]))
        .tooltip(common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI)
                 .sort(common_models.SortOrder.DESCENDING))
        .links(_links(links))
        .targets([_target(query, place) for place, query in enumerate(queries)])
    )  # fmt: skip
    if low is not None:
        panel.min(low)
    if high is not None:
        panel.max(high)
    if levels is not None:
        lines = common.GraphThresholdsStyleConfig().mode(common_models.GraphThresholdsStyleMode.DASHED)
        panel.thresholds(_thresholds(levels)).thresholds_style(lines)
    if stacked:
        panel.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL))
    if logarithmic:
        panel.scale_distribution(
            common.ScaleDistributionConfig().type(common_models.ScaleDistribution.LOG).log(10)
        )  # fmt: skip
    return panel


def states_panel(title: str, text: str, query: Query, words: Mapping[str, tuple[str, str]], *, span: int = 24) -> Panel:
    """Which state each thing was in over time: `words` by number, each with its colour."""
    return (
        statetimeline.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .span(span)
        .height(8)
        .unit("short")
        .mappings([_words(words)])
        .merge_values(True)
        .line_width(0)
        .show_value(common_models.VisibilityMode.NEVER)
        .legend(common.VizLegendOptions().show_legend(True).placement(common_models.LegendPlacement.BOTTOM)
                .display_mode(common_models.LegendDisplayMode.LIST))
        .with_target(_target(query, 0))
    )  # fmt: skip


def bars_panel(title: str, text: str, query: Query, *, levels: Levels, unit: str = "short", span: int = 12) -> Panel:
    """A bar of now for each series."""
    return (
        bargauge.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .span(span)
        .height(8)
        .unit(unit)
        .min(0)
        .thresholds(_thresholds(levels))
        .orientation(common_models.VizOrientation.HORIZONTAL)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(_target(query, 0, instant=True))
    )


def table_panel(
    title: str, text: str, columns: Mapping[str, str], *, labels: Sequence[str], units: Mapping[str, str] | None = None,
    colours: Mapping[str, Levels] | None = None, links: Mapping[str, tuple[str, str]] | None = None,
    words: Mapping[str, Mapping[str, tuple[str, str]]] | None = None, span: int = 24,
) -> Panel:  # fmt: skip
    """A row for each monitor, or whatever the first of `labels` is.

    Args:
        title: above it.
        text: what it means.
        columns: queries by the heading of the column that their value becomes; without one it is not shown.
        labels: of the first query, which become columns too.
        units: by column.
        colours: by column.
        links: by column, a title and an address.
        words: by column, instead of numbers.
        span: its width, of 24.
    """
    panel = (
        table.Panel()
        .title(title)
        .description(text)
        .datasource(SOURCE)
        .span(span)
        .height(9)
        .unit("short")
        .frame_index(0)
        .show_header(True)
        .align(common_models.FieldTextAlignment.AUTO)
        .inspect(False)
    )
    for place, expr in enumerate(columns.values()):
        panel.with_target(_target(Query(expr, ""), place, instant=True, rows=True))
    panel.transformations(_one_table(list(columns), labels))
    properties = [
        *((name, "unit", unit) for name, unit in (units or {}).items()),
        *((name, "thresholds", _thresholds(levels).build()) for name, levels in (colours or {}).items()),
        *((name, "mappings", [_words(found)]) for name, found in (words or {}).items()),
        *((name, "custom.cellOptions", FILLED) for name in (*(colours or {}), *(words or {}))),
        *((name, "links", [_cell_link(title, url)]) for name, (title, url) in (links or {}).items()),
    ]
    for name in dict.fromkeys(name for name, _, _ in properties):
        told = [models.DynamicConfigValue(id_val=kind, value=value) for of, kind, value in properties if of == name]
        panel.override_by_name(name, told)
    return panel


def _one_table(names: Sequence[str], labels: Sequence[str]) -> list[models.DataTransformerConfig]:
    """Rows of several queries as one table by the first label, each value under its name, without their moments."""
    several = len(names) > 1
    values = {f"Value #{_letter(place)}" if several else "Value": name for place, name in enumerate(names)}
    moments = ["Time", *(f"Time {place}" for place in range(1, len(names) + 1))]
    hidden = [*moments, *(of for of, name in values.items() if name == "")]
    shown = _transform(
        "organize",
        excludeByName=dict.fromkeys(hidden, True),
        indexByName={name: place for place, name in enumerate([*labels, *values])},
        renameByName={of: name for of, name in values.items() if name},
    )
    return [_transform("joinByField", byField=labels[0], mode="outer"), shown] if several else [shown]


def row(title: str) -> Builder[models.RowPanel]:
    """A heading over the panels that follow."""
    return dashboard.Row(title)


def runbook(alert: str) -> tuple[str, str]:
    """The title and address of a runbook."""
    return f"Runbook {alert}", f"{RUNBOOKS}/{alert}.md"


def _target(query: Query, place: int, *, instant: bool = False, rows: bool = False) -> prometheus.Dataquery:
    made = prometheus.Dataquery().expr(query.expr).ref_id(_letter(place)).legend_format(query.legend).datasource(SOURCE)
    made = made.instant() if instant else made.range()
    return made.format(PromQueryFormat.TABLE if rows else PromQueryFormat.TIME_SERIES)


def _letter(place: int) -> str:
    return chr(ord("A") + place)


def _thresholds(levels: Levels) -> dashboard.ThresholdsConfig:
    steps = [models.Threshold(value=value, color=colour) for value, colour in levels]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def _words(words: Mapping[str, tuple[str, str]]) -> models.ValueMap:
    return models.ValueMap(
        options={
            value: models.ValueMappingResult(text=text, color=colour, index=place)
            for place, (value, (text, colour)) in enumerate(words.items())
        }
    )


def _links(links: Sequence[tuple[str, str]]) -> list[Builder[models.DashboardLink]]:
    return [dashboard.DashboardLink(title).type(models.DashboardLinkType.LINK).url(url).target_blank(True)
            for title, url in links]  # fmt: skip


def _transform(kind: str, **options: object) -> models.DataTransformerConfig:
    return models.DataTransformerConfig(id_val=kind, options=options)


def _cell_link(title: str, url: str) -> dict[str, object]:
    return {"title": title, "url": url, "targetBlank": url.startswith("$")}
