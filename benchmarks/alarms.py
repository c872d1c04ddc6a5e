"""Simulates quiet nights and faults: does a budget of alarms keep its promise, and what does it find?

python -m benchmarks.alarms [quiet|wide|faults|baselines|windows ...] [--nights 100 --streams 20] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binom

from benchmarks.alarm_nights import LIMIT, QUIET, Fault, Setting, Stream, judged
from benchmarks.alarm_settings import BASELINES, FAULTS, WIDE, WINDOWS, Power
from benchmarks.alarm_settings import QUIET as SETTINGS
from pipeline.config import AlarmPolicy

PER_NIGHTS = 365
FIRST = 20
PARTS = ["quiet", "wide", "faults", "baselines", "windows"]
Row = dict[str, Any]


def allowed(nights: int, rate: float) -> int:
    """How many of so many nights a rate gives at most, in 99 of 100 cases."""
    return int(binom.ppf(0.99, nights, rate))


def quiet(setting: Setting, streams: int, nights: int, **policy: Any) -> Row:
    """False alarms; `first` those in the first nights of a stream, `twentieths` the part called as rare as 1 in 20."""
    budget, started = AlarmPolicy(per_nights=PER_NIGHTS, **policy), time.perf_counter()
    shares, chances, few, fixed = np.zeros((streams, nights)), np.ones((streams, nights)), 0, []
    for seed in range(streams):
        for place, night in enumerate(judged(Stream(setting, seed), nights, budget, exact=_exact(setting))):
            shares[seed, place] = len(night.drifted) / len(setting.columns)
            chances[seed, place] = night.verdict.alarms.chance
            few += night.verdict.alarms.too_few_rows
            fixed += [] if night.fixed is None else [len(night.fixed) / len(setting.columns)]
    return {
        "setting": setting.name,
        "nights": shares.size,
        "alarms": int((shares > 0).sum()),
        "allowed": allowed(shares.size, 1 / PER_NIGHTS),
        "first": int((shares[:, :FIRST] > 0).sum()),
        "over": int((shares > LIMIT).sum()),
        "twentieths": float((chances <= 0.05).mean()),
        "too_few": few / shares.size,
        "fixed_any": float(np.mean(np.array(fixed) > 0)) if fixed else None,
        "fixed_over": float(np.mean(np.array(fixed) > LIMIT)) if fixed else None,
        "seconds": round(time.perf_counter() - started, 1),
    }


def _exact(setting: Setting) -> int:
    """Nights of a stream that are drawn as rows."""
    return 0 if setting.rows > 100_000 else 2 if setting.rows > 10_000 or len(setting.columns) > 10 else 5


def power(case: Power, quiet_nights: int, streams: int) -> Row:
    """How often a fault is found: a column of those it is in, all of them, and more columns than the limit."""
    budget, bad = AlarmPolicy(per_nights=PER_NIGHTS), {f"x{place}" for place in range(case.fault.columns)}
    found: list[tuple[bool, float, bool]] = []
    fault: Callable[[int], Fault] = lambda place: case.fault if place >= quiet_nights else QUIET  # noqa: E731
    for seed in range(streams):
        stream = Stream(case.setting, 1000 + seed)
        for night in list(judged(stream, quiet_nights + case.lasts, budget, fault))[quiet_nights:]:
            hit = bad & set(night.drifted)
            found.append((bool(hit), len(hit) / len(bad), len(night.drifted) / len(case.setting.columns) > LIMIT))
    any_of, part, over = np.mean(found, axis=0).tolist()
    return {"fault": case.name, "quiet": quiet_nights, "any": any_of, "columns": part, "over": over}


def measured(parts: list[str], streams: int, nights: int, named: str = "") -> Iterator[tuple[str, Row]]:
    """A row of the table for each setting, with the part it belongs to."""
    wanted = parts or PARTS
    if "quiet" in wanted:
        yield from (("quiet", quiet(setting, streams, nights)) for setting in SETTINGS if named in setting.name)
    if "faults" in wanted:
        yield from (("faults", power(case, many, 2 * streams)) for case in FAULTS for many in case.quiet)
    if "baselines" in wanted:
        for setting, policy in BASELINES:
            yield "baselines", quiet(setting, streams // 2, nights, **policy) | {"policy": str(policy["against"][0])}
    if "windows" in wanted:
        for setting, policy in WINDOWS:
            yield "windows", quiet(setting, streams // 2, nights, **policy) | {"policy": str(policy)}
    if "wide" in wanted:
        yield from (("wide", quiet(setting, max(1, streams // 5), nights)) for setting in WIDE)


def line(part: str, row: Row) -> str:
    """A row of a markdown table."""
    if part == "faults":
        cells = [row["fault"], row["quiet"], *(f"{row[key]:.0%}" for key in ("any", "columns", "over"))]
    else:
        fixed = ["" if row[key] is None else f"{row[key]:.0%}" for key in ("fixed_any", "fixed_over")]
        counts = [row[key] for key in ("nights", "alarms", "allowed", "first", "over")]
        names = [row[key] for key in ("setting", "policy") if key in row]
        cells = [*names, *counts, f"{row['twentieths']:.1%}", f"{row['too_few']:.0%}", *fixed]
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all without")
    parser.add_argument("--named", default="", help="of the quiet settings only those whose name has this in it")
    parser.add_argument("--streams", type=int, default=20, help="references, each with nights of its own")
    parser.add_argument("--nights", type=int, default=100, help="nights of a stream, from its first")
    parser.add_argument("--json", type=Path, help="file to write the rows to")
    options = parser.parse_args()
    rows: list[Row] = []
    for part, row in measured(options.parts, options.streams, options.nights, options.named):
        print(line(part, row), flush=True)
        rows.append({"part": part} | row)
        if options.json:
            options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
