"""A dashboard: its variables and links, and its panels one after the other on the grid."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as models

from deploy.grafana.panels import SOURCE, WIDTH, Panel, row

TAG = "nightjar"
Content = Sequence[tuple[str, Sequence[Panel]]]
"""Headings, each with the panels below it."""


def board(
    uid: str, title: str, text: str, content: Content, *, variables: Sequence[Builder[models.VariableModel]],
    links: Sequence[tuple[str, str]] = (),
) -> models.Dashboard:  # fmt: skip
    """A whole dashboard.

    Args:
        uid: what its address ends with.
        title: its name.
        text: what it is for.
        content: its panels.
        variables: after the data source's, which all have.
        links: titles and addresses, beside those of the other dashboards.
    """
    made = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(text)
        .tags([TAG])
        .readonly()
        .time("now-30d", "now")
        .timezone("utc")
        .refresh("5m")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .variables([_source(), *variables])
        .link(dashboard.DashboardLink("Nightjar").type(models.DashboardLinkType.DASHBOARDS).tags([TAG])
              .include_vars(True).keep_time(True))
    )  # fmt: skip
    for name, url in links:
        made.link(dashboard.DashboardLink(name).type(models.DashboardLinkType.LINK).url(url).target_blank(True))
    built = made.build()
    built.panels = _placed(content)
    return built


def _placed(content: Content) -> list[models.Panel | models.RowPanel]:
    """Panels from left to right and downwards, each with a number of its own."""
    placed: list[models.Panel | models.RowPanel] = []
    down = 0
    for heading, panels in content:
        title = row(heading).build()
        title.id_val, title.grid_pos = len(placed) + 1, models.GridPos(x=0, y=down, w=WIDTH, h=1)
        placed.append(title)
        across, down, tallest = 0, down + 1, 0
        for panel in (made.build() for made in panels):
            at = panel.grid_pos or models.GridPos(w=WIDTH)
            if across + at.w > WIDTH:
                across, down, tallest = 0, down + tallest, 0
            at.x, at.y = across, down
            across, tallest = across + at.w, max(tallest, at.h)
            panel.id_val, panel.grid_pos = len(placed) + 1, at
            placed.append(panel)
        down += tallest
    return placed


def environment() -> Builder[models.VariableModel]:
    """Which installations."""
    return _of_all("environment", "Environment", "label_values(model_monitor_info, environment)")


def owner() -> Builder[models.VariableModel]:
    """Whose monitors."""
    return _of_all("owner", "Owner", 'label_values(model_monitor_info{environment=~"$environment"}, owner)')


def monitor(*, several: bool) -> Builder[models.VariableModel]:
    """Which monitors, of those owners and installations; one of them, unless `several`.

    All of them are a list of names, not a pattern for everything: that is how owner and environment count.
    """
    query = 'label_values(model_monitor_info{environment=~"$environment", owner=~"$owner"}, monitor)'
    found = _query("monitor", "Monitor", query)
    return found.multi(True).include_all(True).current(_everything()) if several else found


def hidden(name: str, query: str) -> Builder[models.VariableModel]:
    """A value for links, which nobody chooses."""
    return _query(name, name, query).hide(models.VariableHide.HIDE_VARIABLE)


def _of_all(name: str, label: str, query: str) -> Builder[models.VariableModel]:
    return _query(name, label, query).multi(True).include_all(True).all_value(".*").current(_everything())


def _query(name: str, label: str, query: str) -> dashboard.QueryVariable:
    made = dashboard.QueryVariable(name).label(label).query(query).datasource(SOURCE)
    return made.refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(models.VariableSort.ALPHABETICAL_ASC)


def _everything() -> models.VariableOption:
    return models.VariableOption(selected=True, text="All", value="$__all")


def _source() -> Builder[models.VariableModel]:
    return dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")
