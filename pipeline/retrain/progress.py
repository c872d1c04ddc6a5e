"""Who hears how a night or a retraining goes."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str], None]
"""Is given a line for every step, and what the trainer says."""
