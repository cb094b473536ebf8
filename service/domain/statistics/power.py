"""The power of t tests, and the number of seeds that a wanted power takes."""

import math
from functools import lru_cache

import numpy as np
from scipy import special

from service.domain.statistics.summary import Floats
from service.domain.statistics.t_tests import FEWEST_PAIRS_OF_SHARES

MOST_SEEDS = 100_000
"""The largest number of seeds that is given as an answer."""


def paired_power(n: int, effect: float, alpha: float) -> float:
    """Return the probability that a paired t test of n seeds is significant at `alpha` (two-sided).

    The true mean difference is `effect` times the sd of the differences; t is noncentral by effect * sqrt(n). Source:
    Cohen, Statistical Power Analysis (1988), chapter 2.
    """
    return _power(n - 1, effect * math.sqrt(n), alpha)


def welch_power(n: int, effect: float, alpha: float) -> float:
    """Return the same probability for n seeds on each side and no pairing.

    `effect` is the difference over the root of the sum of both variances; the degrees of freedom are those of equal
    variances, 2 (n - 1).
    """
    return _power(2 * (n - 1), effect * math.sqrt(n), alpha)


def seeds_needed(effect: float, alpha: float, power: float, *, paired: bool) -> int | None:
    """Return the fewest seeds (at least 3) with that much power; None where even 100,000 do not suffice."""
    power_of = paired_power if paired else welch_power
    low, high = 2, 4  # `low` is too few, or below the 3 that are the least answer
    while power_of(high, effect, alpha) < power:
        low, high = high, high * 2
        if high > MOST_SEEDS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(middle, effect, alpha) >= power else (middle, high)
    return high


def approximate_seeds(distances: Floats, spreads: Floats, alpha: float, power: float) -> Floats:
    """Return about how many seeds find differences of `distances` by a two-sided t test with that much power.

    `spreads` are the standard errors of the differences times the root of the seeds. It is the number for a normal
    distribution, and half of z^2 for Student's (Guenther, The American Statistician 35, 1981): within one seed of
    `seeds_needed` where that is 5 or more, in a thousandth of its time. Infinite beyond 100,000.
    """
    return _guenther(distances, spreads, alpha / 2, power)


def approximate_seeds_for_equivalence(distances: Floats, spreads: Floats, alpha: float, power: float) -> Floats:
    """Return about how many seeds find that differences lie within a margin, `distances` inside its nearer end.

    By two one-sided t tests; each end takes half of the power that is missing, so that the number is enough for any
    difference. Infinite beyond 100,000.
    """
    return _guenther(distances, spreads, alpha, (1 + power) / 2)


def _guenther(distances: Floats, spreads: Floats, tail: float, power: float) -> Floats:
    z = -_normal_quantile(tail)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        seeds = np.ceil(((z + _normal_quantile(power)) * spreads / distances) ** 2 + z * z / 2)
    return np.where((distances > 0) & (seeds <= MOST_SEEDS), seeds, np.inf)


@lru_cache(maxsize=64)
def _normal_quantile(probability: float) -> float:
    return float(special.ndtri(probability))


def detectable_difference(
    sd: float,
    n: int,
    groups: int,
    *,
    reference: bool,
    correlation: float = 0.0,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float | None:
    """Return the difference of two means that n seeds a group find with that much power, in the unit of `sd`.

    `sd` is the spread between the seeds of one group. The family has every pair of `groups`, or with `reference` the
    pairs with one of them; each pair is tested at alpha over their number, as in the first step of the correction.
    From 5 seeds the test is paired, and the seeds' `correlation` between two groups makes it finer; below, it is
    Welch's, which does not use it. None for n < 2, for which there is no test, and for fewer than two groups.
    """
    if n < 2 or groups < 2:
        return None
    paired = n >= FEWEST_PAIRS_OF_SHARES
    pairs = groups - 1 if reference else groups * (groups - 1) // 2
    effect = _least_effect(n, alpha / pairs, power, paired=paired)
    return effect * sd * math.sqrt(2 * (1 - correlation) if paired else 2)


def _least_effect(n: int, alpha: float, power: float, *, paired: bool) -> float:
    """Return the smallest effect with that much power, in the unit of the effect of `paired_power` or `welch_power`."""
    power_of = paired_power if paired else welch_power
    low, high = 0.0, 1.0
    while power_of(n, high, alpha) < power:
        low, high = high, high * 2
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if power_of(n, middle, alpha) >= power else (middle, high)
    return high


def _power(freedom: int, shift: float, alpha: float) -> float:
    critical = -float(special.stdtrit(freedom, alpha / 2))
    return 1 - _below(critical, freedom, shift) + _below(-critical, freedom, shift)


def _below(end: float, freedom: int, shift: float) -> float:
    probability = float(special.nctdtr(freedom, shift, end))
    return 0.0 if math.isnan(probability) else probability  # scipy's series gives NaN for the smallest probabilities
