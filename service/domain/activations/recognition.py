"""Recognise formulas that are functions of the catalogue."""

from collections.abc import Collection, Mapping

from service.domain.activations.activation import Activation
from service.domain.formulas.expression import Call, Expression, Reference
from service.domain.formulas.parser import constant


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
    bound: dict[str, float] = {}
    if not _binds(row.expression, tree, values, learned, bound):
        return None
    parameters = {parameter.name: parameter for parameter in row.parameters}
    within_bounds = all(parameters[name].minimum <= value <= parameters[name].maximum for name, value in bound.items())
    return bound if within_bounds and all(parameters[name].may_learn for name in bound if name in learned) else None


def _binds(
    pattern: Expression,
    tree: Expression,
    values: Mapping[str, float],
    learned: Collection[str],
    bound: dict[str, float],
) -> bool:
    """Match a tree with a row's expression, and add the values of the row's parameters to `bound`."""
    match pattern, tree:
        case Reference(parameter), Reference(name):
            usable = name == parameter or not {name, parameter} & set(learned)
            return usable and bound.setdefault(parameter, values[name]) == values[name]
        case Reference(parameter), _:
            value = constant(tree)
            return value is not None and parameter not in learned and bound.setdefault(parameter, value) == value
        case Call(function, inside), Call(other, arguments):
            pairs = zip(inside, arguments, strict=False)
            return function == other and all(_binds(p, t, values, learned, bound) for p, t in pairs)
    return pattern == tree
