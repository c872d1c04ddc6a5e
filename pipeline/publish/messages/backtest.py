"""What a backtest found: for the terminal, and as a comment on a pull request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pipeline.results import Alarms, BacktestNight, BacktestResult, Decided, Incident
from pipeline.wording import clip, count, listed

_NAMES = 6
_NAME = 40
_ROWS_OF_A_COMMENT = 60
Row = tuple[str, ...]


def text(result: BacktestResult) -> str:
    """A table of all nights and a summary; what is decided otherwise has a star."""
    names = _sides(result)
    nights = [
        (("*" if night.changed else " ") + f" {night.run_date}", *_cells(night), _columns(night, clip_name))
        for night in result.nights
    ]
    lines = [
        f"{result.monitor}, {result.first} to {result.last}, {_how(result)}",
        "",
        *_table([("  night", *names, "columns: + drifts now, - no longer"), *nights]),
        "",
        *summary(result),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def summary(result: BacktestResult) -> list[str]:
    """What the nights came to on both sides, and which could not be compared, in lines."""
    lines = _table([(_compared(result), *_sides(result)), *_summary(result)])
    return [*lines, *(["", *_notes(result)] if _notes(result) else [])]


def markdown(result: BacktestResult) -> str:
    """The summary, and the nights that are decided otherwise."""
    names = _sides(result)
    changed = result.changed
    shown = changed[:_ROWS_OF_A_COMMENT]
    lines = [
        f"### {result.monitor}: {_changes(result)}",
        "",
        f"{result.first} to {result.last}, {_how(result)}.",
        "",
        *_markdown_table([(_compared(result), *names), *_summary(result)]),
        "",
    ]
    if changed:
        nights = [(str(night.run_date), *_cells(night), _columns(night, _code)) for night in shown]
        lines += [*_markdown_table([("night", *names, "columns: + drifts now, - no longer"), *nights]), ""]
    if len(changed) > len(shown):
        lines += [f"And {count(len(changed) - len(shown), 'more night')}.", ""]
    lines += [f"- {note}" for note in _notes(result)]
    return "\n".join(lines).rstrip() + "\n"


def clip_name(name: str) -> str:
    """The name of a column, on one line."""
    return clip(name, _NAME)


def _code(name: str) -> str:
    """The same in Markdown: as code, so that no name is a link, a mention or the end of a cell."""
    return f"`{clip_name(name).replace('`', chr(39)).replace('|', '/')}`"


def _sides(result: BacktestResult) -> tuple[str, str]:
    return ("stored" if result.against is None else clip_name(result.against), "new")


def _how(result: BacktestResult) -> str:
    given = listed([f"{key} {clip(value, 60)}" for key, value in result.settings.items()], 20)
    return f"decided again with {given}" if given else "decided again as the monitor file is now"


def _changes(result: BacktestResult) -> str:
    many = len(result.changed)
    nights = count(result.compared, "night")
    return f"{count(many) if many else 'none'} of {nights} {'are' if many > 1 else 'is'} decided otherwise"


def _compared(result: BacktestResult) -> str:
    return f"of {count(result.compared, 'night')}"


def _cells(night: BacktestNight) -> tuple[str, str]:
    return _verdict(night.before), _verdict(night.after)


def _verdict(decided: Decided | None) -> str:
    """`drifted, retrain`, `drifted, held: cooldown`; a dash where a night was not decided."""
    if decided is None:
        return "-"
    decision = decided.decision
    words = decision.status.replace("_", " ")
    if decision.retrain:
        return f"{words}, retrain"
    held = decision.hold is not None and decision.status != "data_broken"
    return f"{words}, held: {str(decision.hold).replace('_', ' ')}" if held else words


def _columns(night: BacktestNight, write: Callable[[str], str]) -> str:
    if night.before is None or night.after is None:
        return ""
    before, after = night.before.columns, night.after.columns
    found = [f"+{write(name)}" for name in after if name not in set(before)]
    found += [f"-{write(name)}" for name in before if name not in set(after)]
    return listed(found, _NAMES)


def _summary(result: BacktestResult) -> list[Row]:
    sides = result.before, result.after

    def row(name: str, told: Callable[[Alarms], str]) -> Row:
        return (name, *map(told, sides))

    rows = [
        row("drifted", lambda side: count(side.alarms)),
        row("retrainings asked for", lambda side: count(side.retrainings)),
        row("first drifted", lambda side: str(side.first_alarm or "-")),
    ]
    if result.incidents:
        rows.append(row("false alarms (outside of incidents)", _false_alarms))
    return rows + [_incident(item) for item in result.incidents]


def _false_alarms(side: Alarms) -> str:
    return f"{count(side.false_alarms or 0)} of {count(side.quiet_nights or 0, 'night')}"


def _incident(found: Incident) -> Row:
    def told(nights: int | None) -> str:
        if nights is None:
            return "not found" if found.nights else "no nights"
        return "on its first night" if nights == 0 else f"{count(nights, 'night')} later"

    return f"incident {found.first}..{found.last} found", told(found.before), told(found.after)


def _notes(result: BacktestResult) -> list[str]:
    notes = [f"left out: {days}: {why}" for why, days in _by_reason(result.left_out)]
    if result.missing:
        notes.append(f"no night is published of {listed(result.missing)}")
    if result.not_asked:
        notes.append(f"differs as well, and is not decided again: {listed(result.not_asked, 20)}")
    return notes


def _by_reason(nights: Iterable[BacktestNight]) -> list[tuple[str, str]]:
    found: dict[str, list[str]] = {}
    for night in nights:
        found.setdefault(str(night.left_out), []).append(str(night.run_date))
    return [(why, listed(days)) for why, days in found.items()]


def _table(rows: Sequence[Row]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _markdown_table(rows: Sequence[Row]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [lines[0], f"|{' --- |' * len(rows[0])}", *lines[1:]]
