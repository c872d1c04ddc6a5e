"""What a budget of alarms is tried on: quiet nights of many kinds, and faults that have to be found."""

from __future__ import annotations

from typing import Any, NamedTuple

from benchmarks.alarm_columns import columns
from benchmarks.alarm_nights import Fault, Setting

NORMAL = columns(10, "normal")
QUIET: tuple[Setting, ...] = (
    *(Setting(f"normal, {rows} rows", rows, NORMAL, before=30 if rows < 1000 else 10) for rows in (24, 300, 3000)),
    Setting("normal, 30,000 rows", 30_000, NORMAL),
    Setting("normal, 300,000 rows", 300_000, NORMAL, before=2),
    Setting("normal, reference as long as a night", 300, NORMAL, before=1),
    *(
        Setting(f"{words}, {rows} rows", rows, columns(10, kind), before=30 if rows < 1000 else 10)
        for kind, words in (
            ("heavy", "log-normal"),
            ("cauchy", "Cauchy"),
            ("poisson", "Poisson 0.3"),
            ("rare", "1% ones"),
            ("zeros", "60% zeros"),
            ("zipf25", "25 categories"),
            ("zipf100", "100 categories"),
            ("zipf1000", "1,000 categories"),
        )
        for rows in (24, 300, 3000)
    ),
    Setting("1,000 categories, reference as long as a night", 300, columns(10, "zipf1000"), before=1),
    *(Setting(f"10 copies, {rows} rows", rows, NORMAL, factors=1) for rows in (300, 3000)),
    Setting("mixes of 3 factors, 3000 rows", 3000, NORMAL, factors=3),
    Setting("1% missing, 3000 rows", 3000, columns(10, "missing")),
    Setting("1% missing that varies by a third, 3000 rows", 3000, columns(10, "missing"), gaps=0.3),
    *(
        Setting(f"{words} that move by {move}{', shuffled reference' if shuffled else ''}", 3000, columns(10, kind),
                night=move, shuffled=shuffled)
        for kind, words in (("normal", "normal"), ("zipf25", "25 categories"))
        for move in (0.02, 0.1, 0.3)
        for shuffled in (False, True)
    ),
    *(
        Setting(f"{words} that move by {move}, shuffled reference, 300 rows", 300, columns(10, kind),
                night=move, shuffled=True, before=30)
        for kind, words in (("normal", "normal"), ("zipf25", "25 categories"))
        for move in (0.1, 0.3)
    ),
    *(
        Setting(f"weekends 0.5 away, a third of the rows{', shuffled reference' if shuffled else ''}", 3000, NORMAL,
                weekend=0.5, weekend_rows=1 / 3, before=28, shuffled=shuffled)
        for shuffled in (False, True)
    ),
)  # fmt: skip
_MANY = columns(200, "normal", "heavy", "zeros", "zipf25", "rare")
WIDE = (
    Setting("200 columns of 5 kinds, 300 rows", 300, _MANY, before=30),
    Setting("200 columns of 5 kinds, 3000 rows", 3000, _MANY),
)


class Power(NamedTuple):
    """A fault that begins after so many quiet nights and lasts for some."""

    name: str
    setting: Setting
    fault: Fault
    quiet: tuple[int, ...] = (0, 7, 14, 30)
    lasts: int = 1


_SHIFT = Fault(4, shift=0.3)
FAULTS: tuple[Power, ...] = (
    Power("0.3 deviations in 4 of 10 columns", Setting("", 3000, NORMAL), _SHIFT),
    Power("the same for 20 nights", Setting("", 3000, NORMAL), _SHIFT, lasts=20),
    Power("the same, log-normal", Setting("", 3000, columns(10, "heavy")), _SHIFT),
    Power("the same, nights move by 0.02", Setting("", 3000, NORMAL, night=0.02), _SHIFT),
    Power("the same, 300 rows", Setting("", 300, NORMAL, before=30), _SHIFT),
    Power("1 deviation in 4 of 10 columns, 24 rows", Setting("", 24, NORMAL, before=60), Fault(4, shift=1.0)),
    Power("one value in 10% of the rows of a column", Setting("", 3000, NORMAL), Fault(1, default=0.1)),
    Power("the same, log-normal", Setting("", 3000, columns(10, "heavy")), Fault(1, default=0.1)),
    Power("a new category in 2% of the rows, 25 known", Setting("", 3000, columns(10, "zipf25")), Fault(1, new=0.02)),
    Power("the same, 100 known", Setting("", 3000, columns(10, "zipf100")), Fault(1, new=0.02)),
    Power("missing 1% to 5% in a column", Setting("", 3000, columns(10, "missing")), Fault(1, missing=0.05)),
)

BASELINES: tuple[tuple[Setting, dict[str, Any]], ...] = tuple(
    (setting, {"against": [against]})
    for setting in (
        Setting("weekends 0.5 away", 3000, NORMAL, weekend=0.5, weekend_rows=1 / 3, before=28),
        Setting("0.01 deviations further each night", 3000, NORMAL, trend=0.01, before=28),
    )
    for against in ("reference", {"trailing": 28}, {"same_weekday": 8}, {"previous": 1})
)
WINDOWS = (
    (Setting("25 categories, 24 rows", 24, columns(10, "zipf25"), before=60), {"window": 1}),
    (Setting("25 categories, 24 rows", 24, columns(10, "zipf25"), before=60), {"window": 7}),
)
