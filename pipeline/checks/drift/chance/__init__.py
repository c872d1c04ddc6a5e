"""How often a fixed threshold is passed by chance: the share of nights that are called drifted though nothing changed.

Closed forms where they hold, else small seeded simulations from what the reference's summary knows; no row is read.
"""

from pipeline.checks.drift.chance.chance_of import chance_of

__all__ = ["chance_of"]
