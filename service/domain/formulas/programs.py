"""Programs: elementwise formulas as lists of operations, each of which is computed once, with their slopes.

Slopes are derived by forward-mode differentiation with the rules of `service.domain.formulas.partials`, so that what is
trained is what previews show. A formula's slope is one operation's result, whatever the formula.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from service.domain.formulas.expression import CONSTANTS, NAMED, Call, Expression, Number, Reference, Variable
from service.domain.formulas.library import DEFINITIONS
from service.domain.formulas.parser import constant, whole_power
from service.domain.formulas.partials import QUICK_PARTIALS, RESULT, SLOTS, TRAINED_PARTIALS

INPUT = "x"
"""The name of x beside those of parameters, none of which may have it."""

COMPARISONS = ("<", "<=", ">", ">=")

# The functions of steps that are not functions of the formula language.
READ = "read"
"""The value of an input, whose name is `name`."""
NUMBER = "number"
"""The constant `number`."""
POWER = "power"
"""A power with the whole number `number`."""
TEST = "test "
"""With a comparison after it: its result as a truth value."""
IS_NOT_ZERO = "is not zero"
"""A truth value too."""
PRODUCT_OR_ZERO = "product or zero"
"""A product in which 0 times infinity or NaN is 0."""

Slope: TypeAlias = int | float
"""The index of a step, or a number that is the slope of every element."""


class Step(NamedTuple):
    """One operation of a program on the results of earlier steps, whose indexes are `operands`."""

    function: str
    operands: tuple[int, ...] = ()
    number: float = 0.0
    name: str = ""


@dataclass(frozen=True)
class Program:
    """The steps of a formula in an order in which they can be computed.

    `value` is the index of f(x), and `slopes` has by the name of an input f's slope by it. `varying` are the indexes of
    the steps whose result differs from element to element.
    """

    steps: tuple[Step, ...]
    value: int
    slopes: Mapping[str, Slope]
    varying: frozenset[int]

    @property
    def results(self) -> list[int]:
        """The indexes of value and slopes that differ from element to element, each once."""
        slopes = [slope for slope in self.slopes.values() if isinstance(slope, int)]
        return [index for index in dict.fromkeys((self.value, *slopes)) if index in self.varying]


class _Index(int):
    """The index of a step, which is never taken for a number."""


class _Dual(NamedTuple):
    """A value and its slopes with respect to the inputs, by name; an input that is not there has slope 0.

    `degree` bounds how fast value and slopes grow, as a power of x; infinite where one of them may overflow.
    """

    value: _Index
    slopes: Mapping[str, "_Index | float"]
    degree: float


def program_of(
    expression: Expression,
    fixed: Mapping[str, float],
    learned: Collection[str] = (),
    slopes_by: Collection[str] = (),
    *,
    guarded: bool = True,
    spread: bool = False,
) -> Program:
    """Return the program of an elementwise formula with the slopes by the inputs `slopes_by`: INPUT and names in
    `learned`.

    `fixed` are the values of the other parameters. Without `guarded`, the slopes are infinite or NaN where guards make
    them finite: at 0 times infinity and at a vertical tangent; elsewhere they are equal, and take less time. With
    `spread`, learned parameters have a value for each element.
    """
    builder = _Builder(guarded)
    parameters = {name: builder.number(value) for name, value in fixed.items()}
    for name in learned:
        parameters[name] = _Dual(builder.add(Step(READ, name=name)), {name: 1.0} if name in slopes_by else {}, 0.0)
    x = _Dual(builder.add(Step(READ, name=INPUT)), {INPUT: 1.0} if INPUT in slopes_by else {}, 1.0)
    return builder.program(builder.dual(expression, x, parameters), {INPUT, *(learned if spread else ())})


class _Builder:
    """Collects the steps of a program, each once however often the formula or its slopes name it."""

    def __init__(self, guarded: bool) -> None:
        self._guarded = guarded
        self._steps: dict[Step, _Index] = {}
        self._all: list[Step] = []

    def add(self, step: Step) -> _Index:
        index = self._steps.setdefault(step, _Index(len(self._all)))
        if index == len(self._all):
            self._all.append(step)
        return index

    def number(self, value: float) -> _Dual:
        return _Dual(self.add(Step(NUMBER, number=value)), {}, 0.0 if abs(value) <= _LARGE else math.inf)

    def program(self, dual: _Dual, varying_inputs: Collection[str]) -> Program:
        """Return the program without the steps that neither value nor slopes need."""
        ends = [dual.value, *(slope for slope in dual.slopes.values() if isinstance(slope, _Index))]
        needed = set(ends)
        for index in range(len(self._all) - 1, -1, -1):
            if index in needed:
                needed.update(map(_Index, self._all[index].operands))
        new = {old: place for place, old in enumerate(sorted(needed))}
        steps = [
            step._replace(operands=tuple(new[_Index(operand)] for operand in step.operands))
            for step in (self._all[old] for old in new)
        ]
        slopes = {
            name: new[slope] if isinstance(slope, _Index) else float(slope) for name, slope in dual.slopes.items()
        }
        return Program(tuple(steps), new[dual.value], slopes, _varying(steps, varying_inputs))

    def dual(self, expression: Expression, x: _Dual, parameters: Mapping[str, _Dual]) -> _Dual:
        match expression:
            case Number(number):
                return self.number(number)
            case Variable():
                return x
            case Reference(name):
                return parameters[name]
            case Call(function, ()):
                return self.number(CONSTANTS[function])
            case Call(function, arguments):
                inner = [self.dual(argument, x, parameters) for argument in arguments]
                if function == "where":
                    return self._chosen(*inner)
                if function in DEFINITIONS:
                    inside = dict(zip(NAMED[function], inner[1:], strict=True))
                    return self.dual(DEFINITIONS[function], inner[0], inside)
                return self._called(expression, inner)
        raise TypeError(f"Not a node of a formula: {expression!r}")

    def _chosen(self, condition: _Dual, taken: _Dual, otherwise: _Dual) -> _Dual:
        chosen = self._truth(condition.value)
        value = self.add(Step("where", (chosen, taken.value, otherwise.value)))
        slopes: dict[str, _Index | float] = {}
        for name in dict.fromkeys((*taken.slopes, *otherwise.slopes)):
            one, other = (branch.slopes.get(name, 0.0) for branch in (taken, otherwise))
            same = not isinstance(one, _Index) and one == other
            slopes[name] = one if same else self.add(Step("where", (chosen, self._index(one), self._index(other))))
        return _Dual(value, slopes, max(condition.degree, taken.degree, otherwise.degree))

    def _truth(self, condition: _Index) -> _Index:
        step = self._all[condition]
        if step.function in COMPARISONS:
            return self.add(Step(TEST + step.function, step.operands))
        return self.add(Step(IS_NOT_ZERO, (condition,)))

    def _index(self, slope: "_Index | float") -> _Index:
        return slope if isinstance(slope, _Index) else self.add(Step(NUMBER, number=slope))

    def _called(self, call: Call, inner: Sequence[_Dual]) -> _Dual:
        power = whole_power(call.arguments[1]) if call.function == "**" else None
        operands = tuple(argument.value for argument in inner)
        result = self.add(
            Step(call.function, operands) if power is None else Step(POWER, operands[:1], number=float(power))
        )
        degree = _degree(call.function, power, [argument.degree for argument in inner])
        slots = {
            name: _Dual(value, {}, math.inf) for name, value in ((RESULT, result), *zip(SLOTS, operands, strict=False))
        }
        slopes: dict[str, _Index | float] = {}
        for rule, argument in zip(self._rules(call.function, power), inner, strict=False):
            if argument.slopes:
                number = constant(rule)
                local = self.dual(rule, slots[RESULT], slots).value if number is None else number
                for name, slope in argument.slopes.items():
                    term = self._chained(local, slope, guarded=self._guarded and degree > _TAME)
                    slopes[name] = self._sum(slopes[name], term) if name in slopes else term
        return _Dual(result, slopes, degree)

    def _rules(self, function: str, power: int | None) -> Sequence[Expression]:
        if power is not None:
            return (POWER_RULES[power],) if power in POWER_RULES else (power * _BASE ** (power - 1),)
        return (TRAINED_PARTIALS if self._guarded else QUICK_PARTIALS).get(function, ())

    def _chained(self, local: "_Index | float", slope: "_Index | float", *, guarded: bool) -> "_Index | float":
        """Multiply a partial derivative by the slope of its argument; where `guarded`, 0 times inf or NaN is 0.

        A number 0, the slope of an argument that is constant such as x - x, always is.
        """
        if any(not isinstance(factor, _Index) and factor == 0 for factor in (local, slope)):
            return 0.0
        if isinstance(local, _Index) and isinstance(slope, _Index):
            return self.add(Step(PRODUCT_OR_ZERO if guarded else "*", (local, slope)))
        if not isinstance(local, _Index) and not isinstance(slope, _Index):
            return local * slope
        number, index = (slope, local) if isinstance(local, _Index) else (local, slope)
        if number == 1:
            return index
        return self.add(Step("*", (self._index(number), self._index(index))))

    def _sum(self, one: "_Index | float", other: "_Index | float") -> "_Index | float":
        if isinstance(one, _Index) or isinstance(other, _Index):
            return self.add(Step("+", (self._index(one), self._index(other))))
        return one + other


def _varying(steps: Sequence[Step], inputs: Collection[str]) -> frozenset[int]:
    varying: set[int] = set()
    for index, step in enumerate(steps):
        if step.name in inputs or not varying.isdisjoint(step.operands):
            varying.add(index)
    return frozenset(varying)


_BASE = Reference(SLOTS[0])
POWER_RULES: Mapping[int, Expression] = {0: Number(0), 1: Number(1), 2: 2 * _BASE}

_LARGE = 1e3  # larger numbers may make a product overflow
_TAME = 8.0  # a power up to this one is finite in float32 up to 1e4, and so are its slopes
_HARMLESS = frozenset(
    (*COMPARISONS, "+", "-", "negative", "abs", "minimum", "maximum", "sin", "cos", "atan", "tanh", "erf",
     "sign", "sigmoid", "softplus", "asinh", "floor", "ceil", "round")
)  # fmt: skip


def _degree(function: str, power: int | None, degrees: Sequence[float]) -> float:
    if function in _HARMLESS:
        return max(degrees)
    if function == "*":
        return sum(degrees)
    if power is not None and power >= 0:
        return degrees[0] * power if power else 0.0
    return math.inf
