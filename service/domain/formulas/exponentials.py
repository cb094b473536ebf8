"""Rewrite products, quotients and logarithms of sums of exponentials into forms that overflow only where the function
does.

A product is brought into the form c * exp(u) * S1 ** p1 * S2 ** p2 ..., where each S is a sum of terms c * exp(u).
With m the largest exponent of S, S = exp(m) * R, where no exponential in R exceeds 1: exp(x) / (2 + exp(x)) becomes
exp(x - m) / (2 * exp(-m) + exp(x - m)) with m = maximum(x, 0). The slope of m cancels, whichever side it takes at a
tie.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

from service.domain.formulas.expression import (
    Call,
    Expression,
    Number,
    exp,
    expm1,
    factors_of,
    formula,
    log,
    maximum,
    number,
    sigmoid,
    softplus,
    tanh,
)
from service.domain.formulas.parser import constant

Finish = Callable[[Expression], Expression]

MOST_TERMS = 12  # of a sum; longer ones stay as they are
_NEGLIGIBLE = 1e-12  # a coefficient below this share of the others is a rounding error


@dataclass(frozen=True)
class Linear:
    """A linear combination of expressions that are no sums; the constant term belongs to the number 1. Terms are in the
    order of their texts, so that equal combinations are equal."""

    terms: tuple[tuple[str, Expression, float], ...] = ()

    @staticmethod
    def of(terms: Iterable[tuple[Expression, float]]) -> "Linear":
        sums: dict[str, tuple[Expression, float]] = {}
        for part, coefficient in terms:
            text = formula(part)
            sums[text] = (part, sums.get(text, (part, 0.0))[1] + coefficient)
        kept = {text: pair for text, pair in sums.items() if abs(pair[1]) > _NEGLIGIBLE}
        return Linear(tuple((text, part, coefficient) for text, (part, coefficient) in sorted(kept.items())))

    def __add__(self, other: "Linear") -> "Linear":
        return Linear.of([*self._pairs(), *other._pairs()])

    def __mul__(self, factor: float) -> "Linear":
        return Linear.of((part, factor * coefficient) for part, coefficient in self._pairs())

    def __sub__(self, other: "Linear") -> "Linear":
        return self + other * -1.0

    def _pairs(self) -> list[tuple[Expression, float]]:
        return [(part, coefficient) for _, part, coefficient in self.terms]

    @property
    def is_constant(self) -> bool:
        return all(part == _ONE for _, part, _ in self.terms)

    @property
    def constant(self) -> float:
        return sum(coefficient for _, part, coefficient in self.terms if part == _ONE)

    @property
    def order(self) -> tuple[float, str]:
        """The place of an exponent in its sum."""
        return sum(coefficient for _, _, coefficient in self.terms), repr(self.terms)

    def ratio(self, other: "Linear") -> float | None:
        """Return k where this is k times the other, which is one term; else None."""
        if not self.terms:
            return 0.0
        same = len(self.terms) == len(other.terms) == 1 and self.terms[0][0] == other.terms[0][0]
        return self.terms[0][2] / other.terms[0][2] if same else None

    def expression(self, finish: Finish) -> Expression:
        parts = sorted(self._pairs(), key=lambda pair: pair[1] < 0)
        return _total([(coefficient, part if part == _ONE else finish(part)) for part, coefficient in parts])


_ONE: Expression = Number(1)


def _total(parts: Iterable[tuple[float, Expression]]) -> Expression:
    """Return the sum of parts with their coefficients."""
    total: Expression | None = None
    for coefficient, part in parts:
        size = _scaled(abs(coefficient), part)
        if total is None:
            total = size if coefficient > 0 else -size
        else:
            total = total + size if coefficient > 0 else total - size
    return number(0) if total is None else total


def _scaled(coefficient: float, part: Expression) -> Expression:
    if part == _ONE:
        return number(coefficient)
    return part if coefficient == 1 else number(coefficient) * part


def linear(expression: Expression) -> Linear:
    """Return an expression as a linear combination."""
    match expression:
        case Number(value):
            return Linear.of([(_ONE, value)])
        case Call("negative", (inner,)):
            return linear(inner) * -1.0
        case Call("+", (left, right)):
            return linear(left) + linear(right)
        case Call("-", (left, right)):
            return linear(left) - linear(right)
        case Call("*", (left, right)):
            return _linear_product(linear(left), linear(right), expression)
        case Call("/", (above, below)) if linear(below).is_constant and linear(below).constant:
            return linear(above) * (1 / linear(below).constant)
    return Linear.of([(expression, 1.0)])


def _linear_product(one: Linear, other: Linear, expression: Expression) -> Linear:
    for constant_one, rest in ((one, other), (other, one)):
        if constant_one.is_constant:
            return rest * constant_one.constant
    if len(one.terms) == len(other.terms) == 1:
        (_, left, a), (_, right, b) = one.terms[0], other.terms[0]
        factors = sorted([*factors_of(left), *factors_of(right)], key=formula)
        return Linear.of([(reduce(lambda product, factor: product * factor, factors), a * b)])
    return Linear.of([(expression, 1.0)])


@dataclass(frozen=True)
class Term:
    """number * the product of the factors, each to its power, * exp(exponent)."""

    number: float
    factors: tuple[tuple[Expression, float], ...] = ()
    exponent: Linear = Linear()

    def __mul__(self, other: "Term") -> "Term":
        powers: dict[str, tuple[Expression, float]] = {}
        for factor, power in (*self.factors, *other.factors):
            text = formula(factor)
            powers[text] = (factor, powers.get(text, (factor, 0.0))[1] + power)
        factors = tuple(pair for pair in powers.values() if pair[1])
        return Term(self.number * other.number, factors, self.exponent + other.exponent)

    def to_power(self, power: float) -> "Term | None":
        """Return the term to a power; None where that is not the product of the powers of its parts."""
        if not power.is_integer() and (self.factors or self.number <= 0):
            return None
        if power < 0 and not self.number:
            return None
        factors = tuple((factor, power * own) for factor, own in self.factors)
        return Term(self.number**power, factors, self.exponent * power)

    @property
    def is_number(self) -> bool:
        return not self.factors and not self.exponent.terms


@dataclass(frozen=True)
class Sum:
    """A sum of terms, no two of which differ in their numbers alone."""

    terms: tuple[Term, ...]

    @staticmethod
    def of(terms: Iterable[Term]) -> "Sum":
        sums: dict[tuple[frozenset[tuple[str, float]], Linear], Term] = {}
        for term in terms:
            key = (frozenset((formula(factor), power) for factor, power in term.factors), term.exponent)
            known = sums.get(key)
            sums[key] = term if known is None else Term(known.number + term.number, term.factors, term.exponent)
        return Sum(tuple(term for term in sums.values() if abs(term.number) > _NEGLIGIBLE))

    def normalised(self) -> tuple[Linear, "Sum"]:
        """Return u and S where this is exp(u) * S, and sums that differ in such a factor alone have the same S."""
        lowest = min((term.exponent for term in self.terms), key=lambda exponent: exponent.order)
        shifted = (Term(term.number, term.factors, term.exponent - lowest) for term in self.terms)
        return lowest, Sum(tuple(sorted(shifted, key=lambda term: term.exponent.order)))

    @property
    def has_exponential(self) -> bool:
        return any(not term.exponent.is_constant for term in self.terms)

    @property
    def is_plain(self) -> bool:
        """Return whether every coefficient is a number."""
        return not any(term.factors for term in self.terms)

    def pair(self) -> tuple[float, Linear, Linear] | None:
        """Return k, a and b where this is k * (exp(a) + exp(b)), else None."""
        if len(self.terms) != 2 or not self.is_plain:
            return None
        one, other = self.terms
        return (one.number, one.exponent, other.exponent) if one.number == other.number else None

    def largest_exponent(self, finish: Finish) -> Linear:
        """Return the maximum of the exponents, of which only the outermost count where one varies with the others."""
        exponents = list(dict.fromkeys(term.exponent for term in self.terms))
        longest = max(exponents, key=lambda exponent: len(exponent.terms))
        ratios = [exponent.ratio(longest) for exponent in exponents]
        if all(ratio is not None for ratio in ratios):
            outermost = dict.fromkeys(pick(zip(ratios, exponents, strict=True), key=_first)[1] for pick in (max, min))
            exponents = list(outermost)
        if len(exponents) == 1:
            return exponents[0]
        return Linear.of([(reduce(maximum, (exponent.expression(finish) for exponent in exponents)), 1.0)])

    def divided(self, exponent: Linear, finish: Finish) -> Expression:
        """Return the sum over exp(exponent)."""
        numbers = [term.number for term in self.terms]
        cancels = self.is_plain and abs(sum(numbers)) <= _NEGLIGIBLE * max(map(abs, numbers))
        grown = expm1 if cancels else exp  # expm1 keeps the digits where the terms cancel
        parts = []
        for term in sorted(self.terms, key=lambda term: term.number < 0):
            shifted = term.exponent - exponent
            growth = [] if not shifted.terms and not cancels else [grown(shifted.expression(finish))]
            above = [*_above(abs(term.number), term.factors, finish), *growth]
            parts.append((math.copysign(1.0, term.number), _product(above, _below(term.factors, finish))))
        return _total(parts)


def _first(pair: tuple[float | None, Linear]) -> float:
    return pair[0] or 0.0


def _above(coefficient: float, factors: Iterable[tuple[Expression, float]], finish: Finish) -> list[Expression]:
    raised = [_raised(finish(factor), power) for factor, power in factors if power > 0]
    return ([] if coefficient == 1 else [number(coefficient)]) + raised


def _below(factors: Iterable[tuple[Expression, float]], finish: Finish) -> list[Expression]:
    return [_raised(finish(factor), -power) for factor, power in factors if power < 0]


def _raised(base: Expression, power: float) -> Expression:
    return base if power == 1 else base ** number(power)


def _product(above: Sequence[Expression], below: Sequence[Expression]) -> Expression:
    top: Expression = reduce(lambda product, factor: product * factor, above) if above else _ONE
    return top / reduce(lambda product, factor: product * factor, below) if below else top


def sum_of(expression: Expression) -> Sum | None:
    """Return an expression as a sum of terms, in which other expressions than sums, products and exponentials are
    factors; None for more than MOST_TERMS terms."""
    match expression:
        case Number(value):
            return Sum.of([Term(value)])
        case Call("exp", (inner,)):
            return Sum.of([Term(1.0, (), linear(inner))])
        case Call("expm1", (inner,)):
            return Sum.of([Term(1.0, (), linear(inner)), Term(-1.0)])
        case Call("sinh" | "cosh", (inner,)):
            sign = 1.0 if expression.function == "cosh" else -1.0
            return Sum.of([Term(0.5, (), linear(inner)), Term(0.5 * sign, (), linear(inner) * -1.0)])
        case Call("negative", (inner,)):
            return _times(sum_of(inner), Sum((Term(-1.0),)))
        case Call("+", (left, right)):
            return _plus(sum_of(left), sum_of(right))
        case Call("-", (left, right)):
            return _plus(sum_of(left), _times(sum_of(right), Sum((Term(-1.0),))))
        case Call("*", (left, right)):
            return _times(sum_of(left), sum_of(right))
        case Call("/", (above, below)):
            divisor = sum_of(below)
            inverse = divisor.terms[0].to_power(-1.0) if divisor is not None and len(divisor.terms) == 1 else None
            if inverse is not None:
                return _times(sum_of(above), Sum((inverse,)))
        case Call("**", (base, exponent)):
            power = _power(base, exponent)
            if power is not None:
                return power
    return Sum.of([Term(1.0, ((expression, 1.0),))])


def _plus(one: Sum | None, other: Sum | None) -> Sum | None:
    return None if one is None or other is None else _limited(Sum.of([*one.terms, *other.terms]))


def _times(one: Sum | None, other: Sum | None) -> Sum | None:
    if one is None or other is None or len(one.terms) * len(other.terms) > MOST_TERMS**2:
        return None
    return _limited(Sum.of(left * right for left in one.terms for right in other.terms))


def _limited(total: Sum) -> Sum | None:
    return total if len(total.terms) <= MOST_TERMS else None


def _power(base: Expression, exponent: Expression) -> Sum | None:
    power = constant(exponent)
    if power is None:
        value = constant(base)
        return Sum.of([Term(1.0, (), linear(exponent) * math.log(value))]) if value is not None and value > 0 else None
    total = sum_of(base)
    if total is None or not total.has_exponential:
        return None
    if len(total.terms) == 1:
        term = total.terms[0].to_power(power)
        return None if term is None else Sum((term,))
    if power not in (2, 3, 4):
        return None
    product: Sum | None = total
    for _ in range(int(power) - 1):
        product = _times(product, total)
    return product


@dataclass
class Product:
    """A term, times exp(shift), times sums with exponentials, each to its power."""

    term: Term = field(default_factory=lambda: Term(1.0))
    shift: Linear = Linear()
    sums: dict[Sum, float] = field(default_factory=dict)
    exponentials: int = 0  # factors of the original that are an exponential alone; divisors count twice
    explicit_sums: int = 0  # factors of the original that are a sum with exponentials, and not a sigmoid

    def multiply(self, expression: Expression, power: float) -> None:
        """Multiply by an expression to a power."""
        match expression:
            case Call("*", (left, right)) if power.is_integer():
                self.multiply(left, power)
                self.multiply(right, power)
            case Call("/", (above, below)) if power.is_integer():
                self.multiply(above, power)
                self.multiply(below, -power)
            case Call("negative", (inner,)) if power.is_integer():
                self.term = self.term * Term((-1.0) ** power)
                self.multiply(inner, power)
            case Call("**", (base, exponent)) if self._may_nest(base, constant(exponent), power):
                self.multiply(base, power * (constant(exponent) or 0.0))
            case Call("sqrt", (inner,)) if _is_sum(inner):
                self.multiply(inner, 0.5 * power)
            case Call("sigmoid", (inner,)):
                self.multiply_sum(Sum((Term(1.0), Term(1.0, (), linear(inner) * -1.0))), -power)
            case _:
                self._multiply_other(expression, power)

    def _may_nest(self, base: Expression, exponent: float | None, power: float) -> bool:
        if exponent is None:
            return False
        return (exponent.is_integer() and power.is_integer()) or _is_sum(base)

    def _multiply_other(self, expression: Expression, power: float) -> None:
        total = sum_of(expression)
        if total is None or not total.has_exponential:
            raised = Term(1.0, ((expression, power),))
            value = constant(expression)
            raised = (Term(value).to_power(power) if value else None) or raised
            self.term = self.term * raised
        elif len(total.terms) > 1:
            self.explicit_sums += 1
            self.multiply_sum(total, power)
        else:
            term = total.terms[0].to_power(power)
            self.exponentials += 1 if power > 0 else 2
            self.term = self.term * (term or Term(1.0, ((expression, power),)))

    def multiply_sum(self, total: Sum, power: float) -> None:
        shift, normalised = total.normalised()
        self.shift = self.shift + shift * power
        self.sums[normalised] = self.sums.get(normalised, 0.0) + power
        if not self.sums[normalised]:
            del self.sums[normalised]

    @property
    def may_overflow(self) -> bool:
        """Return whether a factor may be infinite, or have an infinite slope, where the product is finite."""
        if self.exponentials > 1:
            return True
        if self.sums and (self.exponentials or not self.term.exponent.is_constant):
            return True
        if any(0 < power < 1 for power in self.sums.values()):  # the root of a sum that overflows may be finite
            return True
        return self.explicit_sums > 0 and min(self.sums.values(), default=0.0) < 0 and self._is_gate_or_quotient()

    def _is_gate_or_quotient(self) -> bool:
        (total, power), *others = self.sums.items()
        return bool(others) or gate(total, power, self.term.exponent + self.shift) is not None


def _is_sum(expression: Expression) -> bool:
    total = sum_of(expression)
    return total is not None and len(total.terms) > 1 and total.has_exponential


def product_of(expression: Expression) -> Product:
    """Return an expression as a product."""
    product = Product()
    product.multiply(expression, 1.0)
    return product


def rewritten_product(expression: Expression, finish: Finish) -> Expression | None:
    """Return a product or quotient in a form that does not overflow on the way; None where it need not be rewritten.

    `finish` rewrites the parts that have no exponentials.
    """
    product = product_of(expression)
    return _written(product, finish) if product.may_overflow else None


def _written(product: Product, finish: Finish) -> Expression:
    coefficient, exponent = product.term.number, product.term.exponent + product.shift
    sums = dict(product.sums)
    factors: list[Expression] = []
    for above, below in _tangents(sums):
        ratio, angle = tangent(above, below) or (1.0, Linear())
        coefficient, factors = coefficient * ratio, [*factors, tanh(angle.expression(finish))]
        del sums[above], sums[below]
    if len(sums) == 1:
        ((total, power),) = sums.items()
        gates = gate(total, power, exponent)
        if gates is not None:
            scale, powers = gates
            coefficient, exponent, sums = coefficient * scale, Linear(), {}
            factors += [_raised(sigmoid(u.expression(finish)), count) for u, count in powers.items() if count]
        elif power == 1:
            shifted = Sum(tuple(term * Term(1.0, (), exponent) for term in total.terms))
            exponent, sums, factors = Linear(), {}, [*factors, shifted.divided(Linear(), finish)]
    divisors = _below(product.term.factors, finish)
    for total, power in sums.items():
        largest = total.largest_exponent(finish)
        exponent = exponent + largest * power
        (factors if power > 0 else divisors).append(_raised(total.divided(largest, finish), abs(power)))
    growth = [exp(exponent.expression(finish))] if exponent.terms else []
    written = _product([*_above(abs(coefficient), product.term.factors, finish), *growth, *factors], divisors)
    return written if coefficient >= 0 else -written


def _tangents(sums: Mapping[Sum, float]) -> list[tuple[Sum, Sum]]:
    """Return pairs of sums the quotient of which is a hyperbolic tangent."""
    above = [total for total, power in sums.items() if power == 1]
    below = [total for total, power in sums.items() if power == -1]
    return [(one, other) for one in above for other in below if tangent(one, other) is not None][:1]


def tangent(above: Sum, below: Sum) -> tuple[float, Linear] | None:
    """Return k and u where the quotient of two sums is k * tanh(u), else None."""
    pair = below.pair()
    numbers = {term.exponent: term.number for term in above.terms if not term.factors}
    if pair is None or len(above.terms) != 2 or len(numbers) != 2:
        return None
    scale, a, b = pair
    if numbers.keys() != {a, b} or numbers[a] != -numbers[b]:
        return None
    return (numbers[b] / scale, (b - a) * 0.5) if b.order > a.order else (numbers[a] / scale, (a - b) * 0.5)


def gate(total: Sum, power: float, exponent: Linear) -> tuple[float, Mapping[Linear, float]] | None:
    """Return k and the powers of sigmoids, the product of which is exp(exponent) * total ** power; else None."""
    pair = total.pair()
    if pair is None or power >= 0 or not power.is_integer() or power < -MOST_TERMS:
        return None
    scale, a, b = pair
    for ups in range(int(-power) + 1):
        if exponent == a * ups + b * (-power - ups):
            return scale**power, {a - b: float(ups), b - a: -power - ups}
    return None


def rewritten_logarithm(inner: Expression, finish: Finish) -> Expression | None:
    """Return log(inner) in a form that does not overflow on the way; None where it need not be rewritten."""
    match inner:
        case Call("abs", (signed,)):
            return _logarithm(product_of(signed), finish, absolute=True)
    return _logarithm(product_of(inner), finish)


def _logarithm(product: Product, finish: Finish, *, absolute: bool = False) -> Expression | None:
    offset = product.term.exponent + product.shift
    if not product.sums and offset.is_constant:
        return None
    soft: list[tuple[float, Expression]] = []
    rest: list[Expression] = []
    sums, offset = _with_constant_exponent(product.sums, offset)
    for total, power in sums.items():
        softened = _softened(total, finish) if len(sums) == 1 else None
        base = softened[0] if softened else total.largest_exponent(finish)
        offset = offset + base * power
        if softened:
            soft.append((power, softened[1]))
        else:
            rest.append(_raised(total.divided(base, finish), power))
    term = product.term
    if not rest and not term.factors and (term.number > 0 or absolute):
        offset = offset + Linear.of([(_ONE, math.log(abs(term.number)))])
    else:
        sign = [] if term.number > 0 or absolute else [number(-1)]
        inside = _product([*sign, *_above(abs(term.number), term.factors, finish), *rest], _below(term.factors, finish))
        soft.append((1.0, log(abs(inside) if absolute else inside)))
    return _sum_with(offset, soft, finish)


def _with_constant_exponent(sums: Mapping[Sum, float], offset: Linear) -> tuple[Mapping[Sum, float], Linear]:
    """Move the offset into a single sum that then has a term without x: log(exp(-x) + 1) for -x + log(1 + exp(x)), the
    terms of which cancel for large x."""
    if len(sums) == 1:
        ((total, power),) = sums.items()
        shift = Term(1.0, (), offset * (1 / power))
        moved = Sum(tuple(term * shift for term in total.terms))
        if any(term.exponent.is_constant for term in moved.terms):
            return {moved: power}, Linear()
    return sums, offset


def rewritten_power(base: Expression, exponent: Expression, finish: Finish) -> Expression | None:
    """Return base ** exponent as exp(exponent * log(base)) for a base of exponentials that is positive, whose logarithm
    is finite where it overflows; None for another base."""
    product = product_of(base)
    is_positive = product.term.number > 0 and not product.term.factors
    if not is_positive or any(term.factors or term.number < 0 for total in product.sums for term in total.terms):
        return None
    logarithm = _logarithm(product, finish)
    return None if logarithm is None else exp(finish(exponent) * logarithm)


def _sum_with(offset: Linear, parts: Sequence[tuple[float, Expression]], finish: Finish) -> Expression:
    """Return the sum of an offset and of parts with their coefficients: what varies first, a constant last."""
    varying = Linear.of([(part, coefficient) for _, part, coefficient in offset.terms if part != _ONE])
    first = [(1.0, varying.expression(finish))] if varying.terms else []
    return _total([*first, *parts, *([(offset.constant, _ONE)] if offset.constant else [])])


def _softened(total: Sum, finish: Finish) -> tuple[Linear, Expression] | None:
    """Return b and softplus(a - b), the sum of which is the logarithm of two exponentials with positive numbers before
    them; None for another sum."""
    if len(total.terms) != 2 or not total.is_plain or min(term.number for term in total.terms) <= 0:
        return None
    one, other = (_with_number_inside(term) for term in total.terms)
    a, b = (other, one) if total.terms[0].exponent.is_constant else (one, other)
    return b, softplus((a - b).expression(finish))


def _with_number_inside(term: Term) -> Linear:
    return term.exponent + Linear.of([(_ONE, math.log(term.number))])


def rewritten_sum(expression: Expression, finish: Finish) -> Expression | None:
    """Return a sum of quotients as one quotient, where exponentials that grow cancel in it; None for another sum."""
    products = [product_of(part) for part in _addends(expression)]
    divisors: dict[Sum, float] = {}
    for product in products:
        for total, power in product.sums.items():
            divisors[total] = max(divisors.get(total, 0.0), -power)
    if sum(product.explicit_sums + product.exponentials for product in products) < 2:
        return None
    numerators = [_numerator(product, divisors) for product in products]
    numerator: Sum | None = Sum(())
    for one in numerators:
        numerator = _plus(numerator, one)
    if numerator is None or any(one is None for one in numerators):
        return None
    grown = [rate for one in numerators if one is not None and (rate := _rates(one)) is not None]
    left, total_rates = [max(rates) for rates in zip(*grown, strict=True)] if grown else [], _rates(numerator)
    if len(grown) < len(numerators) or total_rates is None or not _grow(left, divisors):
        return None
    if not any(now < before for now, before in zip(total_rates, left, strict=True)):
        return None
    quotient = Product(Term(1.0 if numerator.terms else 0.0))
    for total, power in ((numerator, 1.0), *((total, -power) for total, power in divisors.items() if power)):
        if len(total.terms) > 1:
            quotient.multiply_sum(total, power)
        elif total.terms and (term := total.terms[0].to_power(power)) is not None:
            quotient.term = quotient.term * term
    return _written(quotient, finish)


def _addends(expression: Expression, sign: int = 1) -> list[Expression]:
    match expression:
        case Call("+", (left, right)):
            return [*_addends(left, sign), *_addends(right, sign)]
        case Call("-", (left, right)):
            return [*_addends(left, sign), *_addends(right, -sign)]
        case Call("negative", (inner,)):
            return _addends(inner, -sign)
    return [expression if sign > 0 else -expression]


def _numerator(product: Product, divisors: Mapping[Sum, float]) -> Sum | None:
    """Return a product times the divisors, expanded; None where that is no sum of terms."""
    term = product.term * Term(1.0, (), product.shift)
    total: Sum | None = Sum((term,))
    for factor, power in divisors.items():
        left = power + product.sums.get(factor, 0.0)
        if not left.is_integer() or left < 0:
            return None
        for _ in range(int(left)):
            total = _times(total, factor)
    return total


def _rates(total: Sum) -> tuple[float, float] | None:
    """Return the largest coefficient in the exponents and the largest of its opposite; None where exponents have more
    than one part that varies."""
    parts = {text for term in total.terms for text, part, _ in term.exponent.terms if part != _ONE}
    if len(parts) > 1:
        return None
    rates = [sum(c for _, part, c in term.exponent.terms if part != _ONE) for term in total.terms]
    return (max(rates), -min(rates)) if rates else (-math.inf, -math.inf)


def _grow(rates: Sequence[float], divisors: Mapping[Sum, float]) -> bool:
    """Tell whether a numerator grows faster than the divisors on one side."""
    below = [(_rates(total), power) for total, power in divisors.items()]
    if any(own is None for own, _ in below):
        return False
    return any(rate > sum(power * own[side] for own, power in below if own) for side, rate in enumerate(rates))


_LOGARITHMS: Mapping[str, float] = {"log": 1.0, "log2": 1 / math.log(2), "log10": 1 / math.log(10)}


def rewritten(call: Call, finish: Finish) -> Expression | None:
    """Return a call in a form that overflows only where the function does; None where it need not be rewritten."""
    try:
        return _rewritten(call, finish)
    except (OverflowError, ValueError):  # a number of the new form is beyond float64
        return None


def _rewritten(call: Call, finish: Finish) -> Expression | None:
    match call:
        case Call("**", (base, exponent)) if constant(exponent) is None:
            return rewritten_power(base, exponent, finish)
        case Call("*" | "/" | "**" | "sqrt", _):
            return rewritten_product(call, finish)
        case Call("+" | "-", _):
            return rewritten_sum(call, finish)
        case Call("log" | "log2" | "log10", (inner,)):
            form = rewritten_logarithm(inner, finish)
            return form if form is None or call.function == "log" else _LOGARITHMS[call.function] * form
        case Call("log1p", (inner,)) if (total := sum_of(1 + inner)) is not None and total.has_exponential:
            return rewritten_logarithm(1 + inner, finish)
    return None
