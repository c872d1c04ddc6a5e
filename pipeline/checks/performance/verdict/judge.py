"""The verdict on performance, a pure function of the metrics over the newest nights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from pipeline.checks.performance.verdict import words
from pipeline.checks.performance.verdict.evidence import telling
from pipeline.checks.performance.verdict.limits import Limit, limits, max_drop
from pipeline.checks.performance.verdict.stretches import (
    FEWEST_ROWS,
    HEADLINE_ROWS,
    Stretch,
    as_judged,
    deciding,
    magnitude,
    noise,
    with_rows,
)
from pipeline.checks.performance.verdict.trend import CERTAIN, trend
from pipeline.checks.performance.verdict.variation import NO_VARIATION, Variation, variation
from pipeline.config.monitor import PerformancePolicy
from pipeline.results import METRICS, Basis, Breach, Estimate, PerformanceVerdict, Trend

_MOST_SENTENCES = 3


class _Headline(NamedTuple):
    """The newest nights of a metric, and what it is held against there."""

    metric: str
    basis: Basis
    newest: Stretch
    limit: Limit | None


class _Test(NamedTuple):
    """A limit and the stretches on one basis that are held against it, the shortest first."""

    limit: Limit
    basis: Basis
    stretches: Sequence[Stretch]

    @property
    def is_possible(self) -> bool:
        return any(item.value.rows >= FEWEST_ROWS and noise(item.value) is not None for item in self.stretches)


def judge(
    policy: PerformancePolicy,
    main: str,
    values: Mapping[str, Mapping[Basis, Sequence[Stretch]]],
    own: Mapping[str, Estimate],
    nights: Sequence[tuple[date, Estimate]] = (),
    *,
    whose: str = "the reference",
) -> PerformanceVerdict:
    """Whether a model is worse than it may be, beyond the noise of looking every night. See docs/performance.md.

    Args:
        policy: what the monitor asks for.
        main: the metric that the model is judged by.
        values: by metric and basis: over the last night, the last two nights, and so on up to the whole window, each
            stretch as one value. Any order; stretches may be left out.
        own: the reference's own values by metric.
        nights: the main metric night by night where labels are, for the trend, and for how much nights differ anyway;
            any order.
        whose: own values these are, in sentences, such as `the champion`.
    """
    usable = {metric: _usable(metric, found, policy) for metric, found in values.items()}
    tests = [
        _Test(limit, basis, stretches)
        for limit in limits(policy, main, own)
        for basis, stretches in usable.get(limit.metric, {}).items()
    ]
    drop = max_drop(policy, main)
    moved = trend(main, nights, policy.trend_nights, drop) if "realised" in policy.on else None
    varies = {(main, "realised"): variation(main, nights)}
    found = [
        _breach(test, len(tests), varies.get((test.limit.metric, test.basis), NO_VARIATION), drop, whose)
        for test in tests
    ]
    slide = None if moved is None or drop is None else _slide(moved, nights, drop, own.get(main))
    breaches = tuple(item for item in (*found, slide) if item is not None)
    headline = _headline(main, usable, tests, breaches)
    metric = main if headline is None else headline.metric
    shown = {} if headline is None else _shown(headline)
    possible = any(test.is_possible for test in tests)
    if breaches:
        sentence = "; ".join(item.sentence for item in _told(breaches)[:_MOST_SENTENCES])
    else:
        sentence = _sound(headline, tests, drop, whose) if possible else _unknown(policy, headline, tests, whose)
    return PerformanceVerdict(
        status="degraded" if breaches else ("sound" if possible else "unknown"),
        sentence=sentence,
        metric=metric,
        before=own.get(metric),
        breaches=breaches,
        trend=moved,
        **shown,
    )


def _usable(
    metric: str, found: Mapping[Basis, Sequence[Stretch]], policy: PerformancePolicy
) -> dict[Basis, list[Stretch]]:
    if METRICS[metric].better == "near_zero":
        found = {
            basis: [item._replace(value=magnitude(item.value)) for item in items] for basis, items in found.items()
        }
    return deciding(found, policy.on)


def _breach(test: _Test, tests: int, varies: Variation, drop: float | None, whose: str) -> Breach | None:
    shown = telling(test.limit, test.basis, test.stretches, tests, varies)
    if shown is None:
        return None
    return Breach(
        metric=test.limit.metric,
        why=test.limit.why,
        basis=test.basis,
        value=shown.value,
        limit=test.limit.value,
        before=test.limit.before,
        since=shown.first,
        nights=shown.nights,
        sentence=words.against(test.limit, test.basis, shown, drop, whose),
    )


def _slide(moved: Trend, nights: Sequence[tuple[date, Estimate]], drop: float, own: Estimate | None) -> Breach | None:
    """A trend that counts: certain, of more than is allowed, and not down to a value that is still the reference's."""
    kind = METRICS[moved.metric]
    if moved.p_value > CERTAIN or kind.loss(moved.first, moved.last) <= drop:
        return None
    if own is not None and kind.loss(as_judged(moved.metric, own).value, moved.last) <= 0:
        return None
    looked_at = sorted((day, found.rows) for day, found in nights if found.rows > 0)[-moved.nights :]
    return Breach(
        metric=moved.metric,
        why="trend",
        basis="realised",
        value=Estimate(value=moved.last, rows=sum(rows for _, rows in looked_at)),
        limit=kind.limit(moved.first, drop),
        before=moved.first,
        since=looked_at[0][0],
        nights=moved.nights,
        sentence=words.slide(moved, drop),
    )


def _headline(
    main: str,
    usable: Mapping[str, Mapping[Basis, Sequence[Stretch]]],
    tests: Sequence[_Test],
    breaches: Sequence[Breach],
) -> _Headline | None:
    """The main metric, or one with a floor where that has no value; on the basis of its breach, else realised."""
    metric = next((name for name in (main, *(test.limit.metric for test in tests)) if usable.get(name)), None)
    if metric is None:
        return None
    found = usable[metric]
    bases = [item.basis for item in breaches if item.metric == metric and item.basis in found]
    enough = [basis for basis, stretches in found.items() if stretches[-1].value.rows >= FEWEST_ROWS]
    basis = next(iter((*bases, *enough, *found)))
    own = [test.limit for test in tests if test.limit.metric == metric and test.basis == basis]
    sign = 1 if METRICS[metric].better == "higher" else -1
    newest = with_rows(found[basis], HEADLINE_ROWS)
    tightest = max(own, key=lambda limit: sign * limit.value, default=None)
    return None if newest is None else _Headline(metric, basis, newest, tightest)


def _shown(headline: _Headline) -> dict[str, Any]:
    return {
        "basis": headline.basis,
        "value": headline.newest.value,
        "limit": None if headline.limit is None else headline.limit.value,
        "first": headline.newest.first,
        "last": headline.newest.last,
    }


def _told(breaches: Sequence[Breach]) -> list[Breach]:
    """One for each metric, what labels say before what is expected: the others say the same again."""
    by_basis = sorted(breaches, key=lambda item: item.basis != "realised")
    return list({item.metric: item for item in reversed(by_basis)}.values())[::-1]


def _sound(headline: _Headline | None, tests: Sequence[_Test], drop: float | None, whose: str) -> str:
    """The headline beside its limit; where it has none, beside a metric that has one."""
    if headline is not None and headline.limit is not None:
        sentence = words.against(headline.limit, headline.basis, headline.newest, drop, whose)
        value, limit = headline.newest.value.value, headline.limit.value
        noise_only = METRICS[headline.metric].is_beyond(value, limit)
        return f"{sentence}; not beyond the noise" if noise_only else sentence
    test = next(test for test in tests if test.is_possible)
    newest = with_rows(test.stretches, HEADLINE_ROWS) or test.stretches[-1]
    other = words.against(test.limit, test.basis, newest, drop, whose)
    return other if headline is None else f"{words.alone(headline.metric, headline.basis, headline.newest)}; {other}"


def _unknown(policy: PerformancePolicy, headline: _Headline | None, tests: Sequence[_Test], whose: str) -> str:
    if headline is None:
        return words.nothing_there(policy.on)
    longest = max((test.stretches[-1].value for test in tests), key=lambda found: found.rows, default=None)
    if longest is None:
        lacking = policy.max_drop is not None
        return words.nothing_to_hold_against(headline.metric, headline.basis, headline.newest, whose, lacking=lacking)
    if longest.rows < FEWEST_ROWS:
        return words.too_few(headline.basis, longest.rows)
    return words.without_noise(headline.metric, headline.basis, headline.newest)
