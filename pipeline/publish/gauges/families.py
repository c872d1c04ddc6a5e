"""Gauges in the Prometheus text format, without a moment of their own making: equal results give equal bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from pipeline.publish.gauges.catalogue import FAMILIES

MAX_LABEL = 200

Labels = Mapping[str, str]


class Gauges:
    """Collects gauges for the library to write; it does the escaping of label values."""

    def __init__(self) -> None:
        self._families: list[GaugeMetricFamily] = []

    def add(self, name: str, values: Sequence[tuple[Labels, float]]) -> None:
        """One gauge with one series for each set of labels; without any series it is left out.

        Args:
            name: of a family of the catalogue, which has its help and its labels.
            values: each with all labels of the family.

        Raises:
            KeyError: the catalogue has no such family, or the family a label that a value lacks.
        """
        told = FAMILIES[name]
        if values:
            family = GaugeMetricFamily(told.full_name, told.meaning, labels=told.labels)
            for labels, value in values:
                family.add_metric([labels[label] for label in told.labels], value)
            self._families.append(family)

    def one(self, name: str, value: float) -> None:
        """One gauge with a single series."""
        self.add(name, [({}, value)])

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Called by the registry."""
        yield from self._families

    def text(self) -> bytes:
        """The gauges in the Prometheus text format, in the order they were added."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)


def column_label(name: str) -> str:
    """A column's name as a label value: as it is, unless its length or an unpaired surrogate makes it unusable.

    A shortened name ends with a digest of the whole, so that two of them never become one series.
    """
    plain = name.encode("utf-8", "backslashreplace").decode()
    if len(plain) <= MAX_LABEL:
        return plain
    digest = hashlib.sha256(plain.encode()).hexdigest()[:16]
    return f"{plain[: MAX_LABEL - len(digest) - 1]}\u2026{digest}"


def midnight(day: date) -> float:
    """The start of a day in UTC, as Unix time."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
