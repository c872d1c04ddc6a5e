"""A night as OpenLineage events: which data it read, what that was found to be, and where the results lie.

events.py   what is said of a night
server.py   the way to the server that takes events
"""

from pipeline.publish.lineage.events import event_of, failure_of, identity
from pipeline.publish.lineage.server import is_wanted, send

__all__ = ["event_of", "failure_of", "identity", "is_wanted", "send"]
