"""How many seeds it takes to tell two groups apart."""

import math

from scipy import special

MOST_SEEDS = 100_000
"""Beyond this nobody will train that many: there is no answer."""


def paired_power(n: int, effect: float, alpha: float) -> float:
    """The probability that a paired t test of n seeds is significant at `alpha` (two-sided), where the true mean
    difference is `effect` times the sd of the differences: Student's t, noncentral by effect * sqrt(n). Cohen,
    Statistical Power Analysis (1988), chapter 2."""
    return _power(n - 1, effect * math.sqrt(n), alpha)


def welch_power(n: int, effect: float, alpha: float) -> float:
    """The same for n seeds on each side and no pairing; `effect` is the difference over the root of the sum of both
    variances, and the degrees of freedom are those of equal variances, 2 (n - 1)."""
    return _power(2 * (n - 1), effect * math.sqrt(n), alpha)


def seeds_needed(effect: float, alpha: float, power: float, *, paired: bool) -> int | None:
    """The fewest seeds (at least 3) with that much power; None where even 100,000 do not suffice."""
    reach = paired_power if paired else welch_power
    low, high = 2, 4  # `low` is never enough, or not asked for
    while reach(high, effect, alpha) < power:
        low, high = high, high * 2
        if high > MOST_SEEDS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reach(middle, effect, alpha) >= power else (middle, high)
    return high


def _power(freedom: int, shift: float, alpha: float) -> float:
    critical = -float(special.stdtrit(freedom, alpha / 2))
    return 1 - _below(critical, freedom, shift) + _below(-critical, freedom, shift)


def _below(end: float, freedom: int, shift: float) -> float:
    found = float(special.nctdtr(freedom, shift, end))
    return 0.0 if math.isnan(found) else found  # scipy's series gives up where next to nothing is left
