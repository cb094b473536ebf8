"""Recognise formulas that are functions of the catalogue."""

from collections.abc import Collection, Mapping

from service.domain.activations.activation import Activation
from service.domain.formulas.expression import Call, Expression, Reference
from service.domain.formulas.parser import constant

COMMUTATIVE = ("+", "*")


def bindings(
    row: Activation, tree: Expression, values: Mapping[str, float], learned: Collection[str]
) -> dict[str, float] | None:
    """Return the values of the row's parameters with which its expression is `tree`; None if there are none.

    `values` are those of the tree's parameters, and `learned` names those that are trained. A number or a parameter
    that is not trained may take the place of any parameter of the row; a trained one must have the same name there.
    None also for values that the row's bounds exclude, and for a trained parameter that the row does not train.
    """
    if row.draw is not None:
        return None  # its expression is only the mean of its values in training
    bound = _bound(row.expression, tree, values, learned, {})
    if bound is None:
        return None
    parameters = {parameter.name: parameter for parameter in row.parameters}
    within_bounds = all(parameters[name].minimum <= value <= parameters[name].maximum for name, value in bound.items())
    return bound if within_bounds and all(parameters[name].may_learn for name in bound if name in learned) else None


def _bound(
    pattern: Expression,
    tree: Expression,
    values: Mapping[str, float],
    learned: Collection[str],
    bound: Mapping[str, float],
) -> dict[str, float] | None:
    """Match a tree with a row's expression; return `bound` with the values of the row's parameters, None if it differs.

    Terms and factors may stand in either order: the sum or product is the same, bit for bit.
    """
    match pattern, tree:
        case Reference(parameter), Reference(name):
            usable = name == parameter or not {name, parameter} & set(learned)
            return _agreeing(bound, parameter, values[name]) if usable else None
        case Reference(parameter), _:
            value = constant(tree)
            return None if value is None or parameter in learned else _agreeing(bound, parameter, value)
        case Call(function, inside), Call(other, arguments) if function == other:
            for order in (arguments, arguments[::-1]) if function in COMMUTATIVE else (arguments,):
                found: dict[str, float] | None = dict(bound)
                for part, argument in zip(inside, order, strict=True):
                    found = None if found is None else _bound(part, argument, values, learned, found)
                if found is not None:
                    return found
            return None
    return dict(bound) if pattern == tree else None


def _agreeing(bound: Mapping[str, float], parameter: str, value: float) -> dict[str, float] | None:
    return {**bound, parameter: value} if bound.get(parameter, value) == value else None
