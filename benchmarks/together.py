"""Simulates nights whose columns are looked at together: false alarms, what is found, and what it costs.

python -m benchmarks.together [quiet|wide|faults|later|alone ...] [--streams 20 --nights 50 --per-nights 100]
python -m benchmarks.together speed [--rows 1000000 --columns 30 --nannyml-python /path/to/other/venv/bin/python]
python -m benchmarks.together speed --rows 1000000 --width 64    lists of so many numbers in place of columns
"""

from __future__ import annotations

import argparse
import dataclasses
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.alarms import allowed
from benchmarks.race import Race, machine, report, table, write_tables
from benchmarks.together_nights import ALONE, FAULTS, QUIET, WIDE, Draw, Setting, nights
from pipeline.results import TogetherResult

PARTS = ["quiet", "wide", "faults", "later", "alone"]
KNOWN = 12
"""Quiet nights before a fault that comes later."""


def fired(found: Sequence[TogetherResult]) -> list[int]:
    """Nights that warn, and of them those in which pairs, the plane, the classifier and lists do."""
    return [
        sum(night.changed for night in found),
        sum(night.pairs_changed > 0 for night in found),
        sum(night.plane is not None and night.plane.changed for night in found),
        sum(night.sides is not None and night.sides.changed for night in found),
        sum(any(vector.changed for vector in night.vectors) for night in found),
    ]


def quiet(setting: Setting, options: argparse.Namespace) -> list[object]:
    """False alarms; `twentieths`: nights told to be as rare as one in twenty."""
    found = [night for seed in range(options.streams) for night in _stream(setting, seed, options)]
    rare = float(np.mean([night.chance is not None and night.chance <= 0.05 for night in found]))
    counts = fired(found)
    return [
        setting.name,
        len(found),
        counts[0],
        allowed(len(found), 1 / options.per_nights),
        *counts[1:],
        f"{rare:.1%}",
    ]


def changed(name: str, setting: Setting, draw: Draw, options: argparse.Namespace) -> list[object]:
    """The part of changed nights that warn, and which part does; each the first of its stream."""
    found = [
        next(iter(nights(setting, 1_000 + seed, 1, options.per_nights, lambda _: draw)))
        for seed in range(options.streams * 5)
    ]
    return [name, *(f"{many / len(found):.0%}" for many in fired(found))]


def later(name: str, setting: Setting, draw: Draw, options: argparse.Namespace) -> list[object]:
    """The same after `KNOWN` quiet nights."""
    streams = [
        list(
            nights(
                setting, 1_000 + seed, KNOWN + 1, options.per_nights,
                lambda number: draw if number == KNOWN else setting.draw,
            )
        )
        for seed in range(options.streams)
    ]  # fmt: skip
    found = [stream[-1] for stream in streams]
    return [f"{name}, after {KNOWN} quiet nights", *(f"{many / len(found):.0%}" for many in fired(found))]


def _stream(setting: Setting, seed: int, options: argparse.Namespace) -> list[TogetherResult]:
    return list(nights(setting, seed, options.nights, options.per_nights))


def rows(options: argparse.Namespace) -> Iterator[list[object]]:
    """Of the tables, one for each setting."""
    wanted = options.parts or PARTS
    if "quiet" in wanted:
        yield from (quiet(setting, options) for setting in QUIET if options.named in setting.name)
    if "wide" in wanted:
        yield quiet(WIDE, options)
    if "later" in wanted:
        yield from (later(*case, options) for case in FAULTS if options.named in case[0])
    for part, cases in (("faults", FAULTS), ("alone", ALONE)):
        if part in wanted:
            yield from (changed(*case, options) for case in cases if options.named in case[0])


def speed(options: argparse.Namespace) -> None:
    """Races one night on two generated snapshots, NannyML's from an environment of its own."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        if options.width:  # in a process of its own, as `write_tables`
            wanted = [str(folder), str(options.rows), str(options.width)]
            subprocess.run([sys.executable, "-m", "benchmarks.together_nights", *wanted], check=True)
        else:
            write_tables(folder, options.rows, options.columns)
        race = Race(folder, 1, options.limit)
        outcomes = [dataclasses.replace(race.best_of(options.repeat, "together"), name="nightjar")]
        if options.nannyml_python and not options.width:
            names = ("nannyml_reconstruction", "nannyml_classifier")
            outcomes += [race.run(name, options.nannyml_python) for name in names]
    what = f"lists of {options.width:,} numbers" if options.width else f"{options.columns} columns"
    title = f"## Columns together: {options.rows:,} rows x {what} on both sides"
    report([title, table(outcomes), f"{machine('numpy', 'pyarrow', 'scikit-learn')}."], options.output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all without; or speed")
    parser.add_argument("--named", default="", help="only lines whose name has this in it")
    parser.add_argument("--streams", type=int, default=20, help="references; of changed nights five times as many")
    parser.add_argument("--nights", type=int, default=50, help="nights of a stream")
    parser.add_argument("--per-nights", type=int, default=100, help="one false alarm in so many quiet nights")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of each side in the race")
    parser.add_argument("--columns", type=int, default=30, help="of each side in the race")
    parser.add_argument("--width", type=int, default=0, help="numbers of a list in the race; 0 for columns")
    parser.add_argument(
        "--repeat", type=int, default=1, help="runs of Nightjar in the race, of which the fastest counts"
    )
    parser.add_argument("--nannyml-python", help="an interpreter that can import nannyml")
    parser.add_argument("--limit", type=float, default=1_200.0, help="seconds after which a contender is stopped")
    parser.add_argument("--output", type=Path, help="markdown file to append the race to")
    options = parser.parse_args()
    if options.parts == ["speed"]:
        speed(options)
        return
    for row in rows(options):
        print(f"| {' | '.join(map(str, row))} |", flush=True)


if __name__ == "__main__":
    main()
