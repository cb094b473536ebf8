"""Rules: the verdict on values over seeds, by the interval of their mean."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.article_claims.answer import Verdict
from service.domain.statistics.summary import Interval, describe, mean_interval

FEWEST_SEEDS = 5


@dataclass(frozen=True)
class Ruling:
    """A verdict with the figures that it rests on. `limit` is the value that the figure was compared with."""

    verdict: Verdict
    n: int
    mean: float | None = None
    interval: Interval | None = None
    confidence: float | None = None
    limit: float | None = None
    missing: tuple[str, ...] = ()


def exceeds(differences: Sequence[float], least: float, *, fewest: int = FEWEST_SEEDS) -> Ruling:
    """Judge V(D, d): supported if the 95 % paired-t interval of D is above 0 and its mean at least d.

    Refuted if the upper end is below d. Seeds that all differ by the same amount make an interval without width: that
    five of them do so in one direction by chance has p = 1/32.
    """
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
    """Judge that values lie below a limit: supported if the whole interval does, refuted if it lies above.

    An interval that ends at the limit supports only where `reached` is true.
    """
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
    """Judge that values lie above a limit: the mirror image of `below`."""
    mirrored = below([-value for value in values], -limit)
    interval = None if mirrored.interval is None else (-mirrored.interval[1], -mirrored.interval[0])
    mean = None if mirrored.mean is None else -mirrored.mean
    return Ruling(mirrored.verdict, mirrored.n, mean, interval, mirrored.confidence, limit, mirrored.missing)


def within(values: Sequence[float], low: float, high: float, *, confidence: float = 0.95) -> Ruling:
    """Judge that values lie from low to high: supported if the whole interval does, refuted if it lies outside.

    At 90 % this is the two one-sided tests of equivalence at 5 % (TOST, Schuirmann 1987).
    """
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
    ruling = Ruling("undecided", n, describe(values).mean, mean_interval(values, confidence), confidence, limit)
    if n >= fewest:
        return ruling
    return Ruling("undecided", n, ruling.mean, None, None, limit, (f"{fewest} seeds with a value; there are {n}",))


def _decided(ruling: Ruling, verdict: Verdict) -> Ruling:
    return Ruling(verdict, ruling.n, ruling.mean, ruling.interval, ruling.confidence, ruling.limit)


def _undecided(ruling: Ruling, missing: str) -> Ruling:
    return Ruling("undecided", ruling.n, ruling.mean, ruling.interval, ruling.confidence, ruling.limit, (missing,))
