"""Labels mature: they come late, in parts, and are corrected. Every night measures again what changed in the window.

    <store>/<monitor>/.labelled/<day>.json   what is known of a day's predictions, see `results.LabelledDay`

What is kept of a day depends on its predictions and labels alone: however they came, in the end it is the same. A day
whose labels have not changed since is not read again. That old data is removed one day takes back nothing.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

from pipeline.errors import SnapshotChanged, SnapshotUnreadable
from pipeline.labels.columns import LabelsUnusable
from pipeline.results import LabelledDay, Seen, Snapshot, SnapshotPair
from pipeline.results.snapshots import is_index
from pipeline.steps.contain import Mishaps
from pipeline.steps.night import Night
from pipeline.wording import count, listed

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.checks.performance.labelled_rows import Rows
    from pipeline.checks.performance.standard import Standard
    from pipeline.labels.join import Join

log = logging.getLogger(__name__)

_COMPLETE = 0.99  # nobody waits for the last labels of those who never answer
_MOST_SEEN = 60


def days_of(night: Night) -> list[date]:
    """The days whose labels are looked for on a night, oldest first; at least those that the label delay asks for.

    Where production is not told apart by date, every day would be the same rows: then only the day that is due.
    """
    policy = night.monitor.performance
    if "{date" not in night.monitor.snapshots.production:
        return [night.run_date - timedelta(days=policy.label_delay_days)]
    many = max(policy.window_days, policy.label_delay_days + 1)
    return [night.run_date - timedelta(days=back) for back in range(many - 1, -1, -1)]


def has_labels(night: Night, production: Snapshot) -> bool:
    """Whether there is a place where labels may come from: one of their own, or a column of production."""
    own = any(item.name == night.monitor.columns.label for item in production.fields)
    return night.monitor.snapshots.labels is not None or own


def mature(night: Night, pair: SnapshotPair, standard: Standard, mishaps: Mishaps) -> list[LabelledDay]:
    """Measure again what changed in the window, keep it, and return what is known of its days, oldest first.

    Args:
        night: the night that looks.
        pair: its snapshots; of its own labels it measures the bytes that it has pinned.
        standard: what answers are judged by.
        mishaps: is told of days that broke; the others are measured.

    Raises:
        SourceUnavailable: the storage did not answer.
    """
    found = (
        mishaps.attempt(f"performance of {day}", partial(_matured, night, pair, day, standard, mishaps))
        for day in days_of(night)
    )
    return [day for day in found if day is not None]


def _matured(night: Night, pair: SnapshotPair, day: date, standard: Standard, mishaps: Mishaps) -> LabelledDay | None:
    """What is known of a day, kept; None where nothing is yet, or the night was before anything was known."""
    before = night.read_labelled(day)
    kept = _usable(night, day, before)
    if kept is not None and _is_later(night, kept):
        return None
    known = mishaps.attempt(f"performance of {day}", partial(_day, night, pair, day, kept, standard))
    now = kept if known is None else _aged(night, known, kept)
    if now is not None and now != kept:
        if night.read_labelled(day) != before:  # another night has looked meanwhile, perhaps at newer labels
            return _matured(night, pair, day, standard, mishaps)
        night.keep_labelled(now)
    return now


def _usable(night: Night, day: date, kept: LabelledDay | None) -> LabelledDay | None:
    """What an earlier night kept of a day. What is damaged is no more than nothing: it is measured anew."""
    from pipeline.metrics.counts import is_readable

    if kept is None or kept.tally is None or is_readable(kept.tally):
        return kept
    log.warning("%s: what was kept of %s is damaged, and measured anew", night.name, day)
    return None


def _is_later(night: Night, kept: LabelledDay) -> bool:
    """Whether labels of a day were not due yet on a night and, as a later night saw, had not come: it is run again,
    and knows as much as it did.
    """
    is_due = kept.day + timedelta(days=night.monitor.performance.label_delay_days) <= night.run_date
    return not is_due and bool(kept.grew) and min(item.on for item in kept.grew) > night.run_date


def _aged(night: Night, found: LabelledDay, kept: LabelledDay | None) -> LabelledDay:
    """With how the labels grew, and whether more are waited for: what has been final stays so."""
    delay = timedelta(days=night.monitor.performance.label_delay_days)
    final = found.coverage >= _COMPLETE or found.day + delay <= night.run_date or (kept is not None and kept.final)
    seen = {} if kept is None else {item.on: item for item in kept.grew}
    before = [item.labelled_rows for on, item in sorted(seen.items()) if on < night.run_date]
    if found.labelled_rows != (before[-1] if before else 0):
        seen[night.run_date] = Seen(on=night.run_date, labelled_rows=found.labelled_rows)
    else:
        seen.pop(night.run_date, None)
    grew = tuple(item for _, item in sorted(seen.items()))[-_MOST_SEEN:]
    return found.model_copy(update={"final": final, "grew": grew})


def _day(
    night: Night, pair: SnapshotPair, day: date, kept: LabelledDay | None, standard: Standard
) -> LabelledDay | None:
    """What is known of a day now; None where its labels have not come, and nothing is kept."""
    cache = night.cache()
    try:
        state = _state(night, day, standard)
        if state is None or (kept is not None and kept.state == state):
            return kept
        production = night.pin_if_there(night.monitor.snapshots.production, day, cache)
        labels = night.pin_if_there(night.monitor.snapshots.labels, day, cache)
        if day == pair.labels_date and pair.labels and pair.labelled and labels != pair.labels:
            production, labels, state = pair.labelled, pair.labels, ""  # they changed since: the next night looks again
        if production is None or (labels is None and night.monitor.snapshots.labels):
            return kept
        key = _digest(production.digest, "" if labels is None else labels.digest, standard.digest)
        if kept is not None and kept.key == key:
            return kept.model_copy(update={"state": state})
        found = _measured(night, day, (production, labels), standard)
        return found.model_copy(update={"key": key, "state": state})
    except (SnapshotUnreadable, SnapshotChanged) as why:
        log.warning("%s: the labels of %s are left out: %s", night.name, day, why)
        return LabelledDay(day=day, status="not_evaluable", reason=str(why))


def _state(night: Night, day: date, standard: Standard) -> str | None:
    """What listings and monitor file say; None where there are no predictions or no labels."""
    sources = night.monitor.snapshots
    listings = [night.state(template, day) for template in (sources.production, sources.labels) if template]
    return None if None in listings else _digest(*filter(None, listings), standard.digest)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _measured(night: Night, day: date, sources: tuple[Snapshot, Snapshot | None], standard: Standard) -> LabelledDay:
    import pyarrow as pa

    from pipeline.checks.performance.one_day import measure, not_evaluable

    production, labels = sources
    try:
        rows = labelled_rows(night, production, labels)
    except LabelsUnusable as why:
        return not_evaluable(day, production.rows, standard, str(why))
    pa.default_memory_pool().release_unused()  # what the join took, several times what is left of it
    return measure(rows, day, production.rows, standard)


def labelled_rows(night: Night, production: Snapshot, labels: Snapshot | None, most: int | None = None) -> Rows:
    """The production rows that have a label, with it, and what performance needs of them.

    Args:
        night: whose columns to read.
        production: the predictions of a day.
        labels: of their own; None where production holds them.
        most: predictions to look at, drawn evenly and always the same ones; None: all.

    Raises:
        LabelsUnusable: labels and rows do not meet.
        SnapshotUnreadable, SnapshotChanged: see `pipeline.snapshots.read_table`.
    """
    from pipeline.checks.performance.labelled_rows import Rows
    from pipeline.labels.join import join, labelled, own
    from pipeline.snapshots import read_sample, read_table

    roles, cache = night.monitor.columns, night.cache()
    label, answers = str(roles.label), list(dict.fromkeys(filter(None, (*roles.answers, roles.model_version))))

    def read(columns: list[str]) -> pa.Table:
        if most is None:
            return read_table(production, cache, columns)
        return read_sample(production, cache, columns, most)

    if labels is None:
        rows = read(list(dict.fromkeys([*answers, label])))
        return Rows(labelled(rows, own(rows, label), label), production.uri, production.uri)
    keyed = [] if roles.id is None else [roles.id]
    if roles.id is not None:
        _require(production, roles.id)
        _require(labels, roles.id, label)
    # Ids are read alone, and are gone before the answers are read: those of a large night take most of the memory.
    found = join(read(keyed), read_table(labels, cache, [*keyed, label]), roles.id, label, (production.uri, labels.uri))
    if most is None:
        _tell(night, found)
    there = any(item.name in answers for item in production.fields)
    return Rows(labelled(read(answers if there else keyed), found, label), labels.uri, production.uri)


def _require(snapshot: Snapshot, *names: str) -> None:
    """Make sure that columns are there. Said here, as of what is read only those are known that were asked for.

    Raises:
        LabelsUnusable: one is not; the message names the ones that are.
    """
    known = [item.name for item in snapshot.fields if not is_index(item.name)]
    for name in names:
        if name not in known:
            raise LabelsUnusable(f"{snapshot.uri} has no column {name!r}, only {listed(known)}")


def _tell(night: Night, found: Join) -> None:
    log.info(
        "%s: %s of %s; %s without a label, %s replaced by a later one, %s of ids that are not there",
        night.name,
        count(found.labelled, "labelled row"),
        count(len(found.labels)),
        count(found.empty, "entry", "entries"),
        count(found.replaced),
        count(found.elsewhere),
    )


def all_labels(night: Night) -> Rows | None:
    """The labels of the window together, for a reference that has none; None where there are none either.

    What cannot be read is left out: it is said where its own day is measured.
    """
    import pyarrow as pa

    from pipeline.checks.performance.labelled_rows import Rows

    parts, place = [], ""
    for day in days_of(night):
        try:
            found = _labels(night, day)
        except (SnapshotUnreadable, SnapshotChanged):
            continue
        if found is not None:
            part, place = found
            parts.append(part)
    return Rows(pa.concat_tables(parts, promote_options="permissive"), place, place) if parts else None


def _labels(night: Night, day: date) -> tuple[pa.Table, str] | None:
    """The labels of a day, and where they lie; None without one."""
    from pipeline.labels.columns import present
    from pipeline.snapshots import read_table

    sources, label, cache = night.monitor.snapshots, str(night.monitor.columns.label), night.cache()
    snapshot = night.pin_if_there(sources.labels or sources.production, day, cache)
    table = None if snapshot is None else read_table(snapshot, cache, [label])
    if snapshot is None or table is None or not table.column_names:
        return None
    known = table.filter(present(table[label]))
    return (known, snapshot.uri) if len(known) else None
