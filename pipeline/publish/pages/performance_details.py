"""What stands behind the metrics of the labelled night: who was taken for whom, how sure the model was, what moved."""

from __future__ import annotations

from pipeline.publish import charts
from pipeline.publish.facts.performance import (
    shift_name,
    shift_values,
)
from pipeline.results import Details, Histogram, PerformanceResult, Shape, Shift
from pipeline.wording import apart, clip, count, measured, share

MAX_NAME = 80
MAX_CLASSES = 12
_FEW_CLASSES = 4


def positive_of(performance: PerformanceResult) -> str:
    """The class that metrics of one class are about; empty where none of them is there."""
    about_one = any(name in performance.realised for name in ("precision", "roc_auc"))
    return clip(performance.positive or "", MAX_NAME) if about_one else ""


def confusion_of(now: Details, before: Details) -> dict[str, object] | None:
    """Labels by predictions: counts, and each as a share of its label's rows, shaded, beside that of the reference."""
    if not now.classes or not now.confusion:
        return None
    shown = min(len(now.classes), MAX_CLASSES)
    same = before.classes == now.classes
    rows = []
    for place, (name, counts) in enumerate(zip(now.classes, now.confusion, strict=False)):
        if place >= shown:
            break
        total = sum(counts)
        others: tuple[int, ...] = before.confusion[place] if same and place < len(before.confusion) else ()
        rows.append(
            {
                "name": clip(name, MAX_NAME),
                "cells": [
                    {
                        "rows": count(many),
                        "share": share(many / total) if total else "",
                        "before": share(others[at] / sum(others)) if others and sum(others) else "",
                        "level": _level(many / total) if total else 0,
                        "right": at == place,
                    }
                    for at, many in enumerate(counts[:shown])
                ],
            }
        )
    return {
        "names": [clip(name, MAX_NAME) for name in now.classes[:shown]],
        "rows": rows,
        "more": len(now.classes) - shown,
        "few": shown <= _FEW_CLASSES,
        "before": same and bool(before.confusion),
    }


def _level(part: float) -> int:
    """A step of the shading, 0 to 4."""
    return sum(part > bound for bound in (0.05, 0.25, 0.5, 0.8))


def residuals_of(now: Details, before: Details) -> dict[str, object] | None:
    """How forecasts missed, beside how they did on the reference where that is in the same bars."""
    found = now.residuals
    total = 0 if found is None else sum(found.counts)
    if found is None or total == 0:
        return None
    other = before.residuals
    if other is not None and (other.edges != found.edges or not any(other.counts)):
        other = None
    shape = Shape(
        edges=found.edges,
        reference=_shares(other) if other is not None else tuple(0.0 for _ in found.counts),
        production=_shares(found),
    )
    over = sum(many for many, edge in zip(found.counts, found.edges, strict=False) if edge >= 0) / total
    label = f"Forecast minus truth: {share(over)} of the rows were forecast too high"
    return {
        "chart": charts.shape_chart(shape, label),
        "ends": apart(found.edges[0], found.edges[-1]),
        "label": label,
        "before": other is not None,
    }


def _shares(found: Histogram) -> tuple[float, ...]:
    total = sum(found.counts)
    return tuple(many / total for many in found.counts)


def calibration_of(now: Details, before: Details) -> dict[str, object] | None:
    if len(now.calibration) < 2:
        return None
    total = sum(group.rows for group in now.calibration)
    gap = sum(group.rows * (group.share - group.score) for group in now.calibration) / total if total else 0.0
    if abs(gap) < 0.005:
        words = "In the mean the model was as sure as it should be"
    else:
        side = "More" if gap > 0 else "Fewer"
        words = f"{side} rows came true than the scores said, by {share(abs(gap))} of all rows"
    return {
        "chart": charts.calibration_chart(now.calibration, before.calibration, words),
        "words": words,
        "before": bool(before.calibration),
        "rows": [(count(group.rows), measured(group.score), share(group.share)) for group in now.calibration],
    }


def threshold_of(performance: PerformanceResult) -> str:
    now, before = performance.details.threshold, performance.reference_details.threshold
    if now is None:
        return ""
    was = "" if before is None else f"; on the reference {'too' if before == now else f'from {measured(before)}'}"
    return f"The positive class was predicted from a score of {measured(now)}{was}"


def by_class_of(performance: PerformanceResult) -> list[dict[str, str]]:
    """Every class with its rows, and how well it was told."""
    return [
        {
            "name": clip(item.name, MAX_NAME),
            "support": count(item.support),
            "predicted": count(item.predicted),
            **{
                name: "" if found is None else measured(found)
                for name, found in (("precision", item.precision), ("recall", item.recall), ("f1", item.f1))
            },
        }
        for item in performance.by_class
    ]


def shift_row(shift: Shift) -> dict[str, object]:
    now, before = shift_values(shift)
    return {
        "name": shift_name(shift),
        "now": now,
        "before": before,
        "moved": shift.moved,
        "sentence": clip(shift.sentence, 300),
    }
