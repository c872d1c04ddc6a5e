"""Great Expectations' context: where it keeps what it works with, which is nowhere but in memory."""

from __future__ import annotations

from typing import Any


def context_in_memory() -> Any:
    """A new one."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    # Without a folder for its pages: a kill would leave that among the system's temporary files, where nobody looks.
    nothing_on_disk = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    wanted = DataContextConfig(store_backend_defaults=nothing_on_disk)
    made = gx.get_context(mode="ephemeral", project_config=wanted)
    made.variables.progress_bars = ProgressBarsConfig(globally=False)
    return made
