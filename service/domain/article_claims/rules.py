"""Rules: from values over seeds to a verdict, by the interval of their mean."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.article_claims.answer import Verdict
from service.domain.statistics.summary import Interval, describe, mean_interval

FEWEST_SEEDS = 5


@dataclass(frozen=True)
class Ruling:
    """`limit` is what the figure was held against."""

    verdict: Verdict
    n: int
    mean: float | None = None
    interval: Interval | None = None
    confidence: float | None = None
    limit: float | None = None
    missing: tuple[str, ...] = ()


def exceeds(differences: Sequence[float], least: float, *, fewest: int = FEWEST_SEEDS) -> Ruling:
    """V(D, d): supported if the 95 % paired-t interval of D is above 0 and its mean at least d; refuted if its upper
    end is below d. Seeds that all differ by the same amount make an interval without width: that five of them do so in
    one direction by chance has p = 1/32."""
    measured = _measured(differences, fewest, 0.95, least)
    if measured.interval is None or measured.mean is None:
        return measured
    low, high = measured.interval
    if low > 0 and measured.mean >= least:
        return _decided(measured, "supported")
    if high < least:
        return _decided(measured, "refuted")
    return _undecided(measured, "more seeds: the interval leaves it open")


def below(
    values: Sequence[float],
    limit: float,
    *,
    confidence: float = 0.95,
    fewest: int = FEWEST_SEEDS,
    reached: bool = False,
) -> Ruling:
    """Supported if the whole interval lies below the limit (or at it, where it may be `reached`), refuted if the whole
    interval lies above."""
    measured = _measured(values, fewest, confidence, limit)
    if measured.interval is None:
        return measured
    low, high = measured.interval
    if high < limit or (reached and high == limit):
        return _decided(measured, "supported")
    return (
        _decided(measured, "refuted")
        if low > limit
        else _undecided(measured, "more seeds: the interval holds the limit")
    )


def above(values: Sequence[float], limit: float) -> Ruling:
    """The mirror image of `below`: supported above the limit, refuted below."""
    turned = below([-value for value in values], -limit)
    interval = None if turned.interval is None else (-turned.interval[1], -turned.interval[0])
    mean = None if turned.mean is None else -turned.mean
    return Ruling(turned.verdict, turned.n, mean, interval, turned.confidence, limit, turned.missing)


def within(values: Sequence[float], low: float, high: float, *, confidence: float = 0.95) -> Ruling:
    """Supported if the whole interval lies from low to high, refuted if all of it lies outside. At 90 % this is the two
    one-sided tests of equivalence at 5 % (TOST, Schuirmann 1987)."""
    measured = _measured(values, FEWEST_SEEDS, confidence, high)
    if measured.interval is None:
        return measured
    least, most = measured.interval
    if low <= least and most <= high:
        return _decided(measured, "supported")
    if most < low or least > high:
        return _decided(measured, "refuted")
    return _undecided(measured, "more seeds: the interval reaches over a bound")


def _measured(values: Sequence[float], fewest: int, confidence: float, limit: float) -> Ruling:
    n = len(values)
    found = Ruling("undecided", n, describe(values).mean, mean_interval(values, confidence), confidence, limit)
    if n >= fewest:
        return found
    return Ruling("undecided", n, found.mean, None, None, limit, (f"{fewest} seeds with a value; there are {n}",))


def _decided(found: Ruling, verdict: Verdict) -> Ruling:
    return Ruling(verdict, found.n, found.mean, found.interval, found.confidence, found.limit)


def _undecided(found: Ruling, missing: str) -> Ruling:
    return Ruling("undecided", found.n, found.mean, found.interval, found.confidence, found.limit, (missing,))
