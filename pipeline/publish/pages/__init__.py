"""Pages: self-contained HTML with its style and charts inside, readable without a script.

Equal results give equal bytes.
"""

from pipeline.publish.pages.audit import audit_page
from pipeline.publish.pages.columns import MAX_CHARTS, columns_page, shown_nights
from pipeline.publish.pages.fleet import fleet_page
from pipeline.publish.pages.incident import POST_MORTEM, incident_page, post_mortem
from pipeline.publish.pages.monitor import monitor_page
from pipeline.publish.pages.night import night_page
from pipeline.publish.pages.retraining import retraining_page
from pipeline.publish.pages.stand_in import stand_in

__all__ = [
    "MAX_CHARTS",
    "POST_MORTEM",
    "audit_page",
    "columns_page",
    "fleet_page",
    "incident_page",
    "monitor_page",
    "night_page",
    "post_mortem",
    "retraining_page",
    "shown_nights",
    "stand_in",
]
