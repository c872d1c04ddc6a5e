"""What columns were together, as a page may have to tell it."""

from __future__ import annotations

from pipeline.results import (
    MeanDrift,
    PairDrift,
    PlaneDrift,
    SidesDrift,
    Telling,
    TogetherResult,
    VectorDrift,
)

RARE = 1 / 41_000


def pair(first: str, second: str, chance: float, *, changed: bool = False) -> PairDrift:
    """Two numerical columns whose correlation turned round, or hardly moved."""
    return PairDrift(
        first=first,
        second=second,
        chance=chance,
        changed=changed,
        association_before=0.412,
        association_now=0.398,
        correlation_before=0.523,
        correlation_now=-0.487 if changed else 0.519,
    )


def together(changed: int = 2, *, sides: bool = False, plane: bool = False) -> TogetherResult:
    """Ten columns, of whose pairs some changed."""
    pairs = [pair(f"feature_{place}", "age", RARE / (place + 1), changed=True) for place in range(changed)]
    pairs += [pair("score", f"feature_{place}", 0.3 + place / 20) for place in range(5)]
    telling = (Telling(name="feature_0", lost=0.04), Telling(name="income", lost=0.03)) if sides else ()
    return TogetherResult(
        snapshots="0" * 64,
        per_nights=365,
        chance=RARE if changed or sides or plane else 0.4,
        changed=changed > 0 or sides or plane,
        nights=12,
        columns=(*(f"feature_{place}" for place in range(8)), "age", "score"),
        pairs_compared=45,
        pairs_changed=changed,
        pairs_chance=RARE if changed else 0.6,
        pairs=tuple(pairs),
        plane=PlaneDrift(
            columns=9,
            components=4,
            error_before=0.281,
            error_now=0.334 if plane else 0.282,
            chance=RARE if plane else 0.5,
            changed=plane,
        ),
        sides=SidesDrift(
            auc=0.561 if sides else 0.502,
            rows_before=10_000,
            rows_now=1_500,
            chance=RARE if sides else 0.3,
            changed=sides,
            telling=telling,
        ),
    )


def vector(name: str = "embedding", *, changed: bool = False) -> VectorDrift:
    """Lists of 64 numbers, of which some are missing or odd; changed, their mean moved and a classifier tells them."""
    chance = RARE if changed else 0.4
    return VectorDrift(
        name=name,
        width=64,
        rows_before=30_000,
        rows_now=2_988,
        missing_before=0.01,
        missing_now=0.012,
        unusable_now=12,
        chance=chance,
        changed=changed,
        mean=MeanDrift(directions=64, distance=0.312 if changed else 0.0, chance=chance, changed=changed),
        plane=PlaneDrift(columns=64, components=9, error_before=0.341, error_now=0.339, chance=0.7, changed=False),
        sides=SidesDrift(
            auc=0.613 if changed else 0.497, rows_before=10_000, rows_now=1_494, chance=chance, changed=changed
        ),
    )


def unseen(name: str = "wide") -> VectorDrift:
    """Lists that could not be looked at."""
    reason = "0 of 3,000 lists in production can be used: 3,000 have 128 numbers instead of 64"
    return VectorDrift(name=name, width=64, reason=reason)
