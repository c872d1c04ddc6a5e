"""What a night fits starts no threads beside its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PAPE = """
from pipeline.checks.performance.estimated.pape import weights
rows = numpy.random.default_rng(1).normal(size=(4_000, 5))
weights(rows, rows + 1, [False] * 5, 1)
"""
DLE = """
from pipeline.checks.performance.estimated.dle import fit
from pipeline.checks.performance.estimated.features import Features
from pipeline.checks.performance.labelled_rows import Rows
from pipeline.config import ColumnRoles
draw = numpy.random.default_rng(1).normal
table = pyarrow.table({name: draw(size=4_000) for name in ("a", "b", "y", "p")})
rows = Rows(table, "labels/", "reference")
fit(rows, ColumnRoles(id="id", label="y", prediction="p"), Features(["a", "b"]), 1).expect(rows)
"""
TOGETHER = """
from pyarrow import parquet
from pipeline.checks.together.measure import measure
from pipeline.config import TogetherPolicy
draw, names = numpy.random.default_rng(1).normal, "abcd"
for side in ("before.parquet", "after.parquet"):
    parquet.write_table(pyarrow.table({name: draw(size=4_000) for name in names}), side)
kinds = dict.fromkeys(names, "numerical")
measure(TogetherPolicy(per_nights=20), ["before.parquet"], ["after.parquet"], kinds, "night")
"""
AT_WORK = """
import os, numpy, pyarrow, sklearn.ensemble
pyarrow.set_cpu_count(1), pyarrow.set_io_thread_count(1)
numpy.ones((500, 500)) @ numpy.ones((500, 500))
before = len(os.listdir("/proc/self/task"))
{work}
after = len(os.listdir("/proc/self/task"))
assert after <= before + 2, f"{{after - before}} threads more"
"""
"""Arrow has two threads of its own once it reads; trees would have three more."""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted on Linux alone")
@pytest.mark.parametrize("work", [PAPE, DLE, TOGETHER], ids=["pape", "dle", "together"])
def test_a_fit_starts_no_thread_for_each_core(work: str, tmp_path: Path) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "4", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", AT_WORK.format(work=work)]
    done = subprocess.run(command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
