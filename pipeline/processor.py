"""What numpy is told before it is imported.

numpy sorts with AVX-512 where it finds it. On AMD Zen 4 an instruction of that sort is microcode, and it takes several
times as long as the sort with AVX2; on other processors with AVX-512 it is the fastest there is.

OpenBLAS, which numpy and scipy each bring, starts threads as it is loaded. They keep a core busy for 30 ms before they
sleep, and so again after each piece of work. They are told to wait for a third of a millisecond, which is long enough
for work that follows at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping
from itertools import takewhile
from pathlib import Path

DISABLED = "NPY_DISABLE_CPU_FEATURES"
_PATIENCE, _CYCLES = "OPENBLAS_THREAD_TIMEOUT", "20"  # a power of two, OpenBLAS's own is 26
_SET_BY_HAND = (DISABLED, "NPY_ENABLE_CPU_FEATURES")  # numpy takes one of them, not both
_ZEN_3_AND_4 = "25"
_CPUINFO = Path("/proc/cpuinfo")


def prepare_numpy() -> None:
    """Set variables of numpy and OpenBLAS, for this process and those that it starts; what somebody has set stays."""
    os.environ.setdefault(_PATIENCE, _CYCLES)
    found = disabled_features(_first_processor(), os.environ, sys.modules)
    if found is not None:
        os.environ[DISABLED] = found


def disabled_features(
    processor: Mapping[str, str], environment: Mapping[str, str], modules: Collection[str]
) -> str | None:
    """What numpy should not use of a processor; None for nothing, where somebody has set it, or where it is too late.

    Args:
        processor: as Linux tells of it.
        environment: of the process.
        modules: what is imported.
    """
    is_settled = "numpy" in modules or any(name in environment for name in _SET_BY_HAND)
    if is_settled or not _is_zen_4(processor):
        return None
    from importlib.metadata import version

    major, minor, *_ = version("numpy").split(".")
    return "X86_V4 AVX512_ICL" if (int(major), int(minor)) >= (2, 4) else "AVX512_SKX AVX512_ICL"


def _is_zen_4(processor: Mapping[str, str]) -> bool:
    """Zen 3 has the same family, and no AVX-512."""
    is_family = (processor.get("vendor_id"), processor.get("cpu family")) == ("AuthenticAMD", _ZEN_3_AND_4)
    return is_family and "avx512f" in processor.get("flags", "").split()


def _first_processor() -> dict[str, str]:
    """What Linux tells of the first one, which is a few lines of thousands on a large machine; elsewhere nothing."""
    try:
        with open(_CPUINFO) as lines:
            pairs = (line.partition(":") for line in takewhile(str.strip, lines))
            return {name.strip(): value.strip() for name, _, value in pairs}
    except OSError:
        return {}
