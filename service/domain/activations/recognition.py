"""Whether a formula is a row of the catalogue, written out again."""

from collections.abc import Collection, Mapping

from service.domain.activations.activation import Activation
from service.domain.formulas.expression import Call, Expression, Reference
from service.domain.formulas.parser import constant


def bindings(
    row: Activation, tree: Expression, values: Mapping[str, float], learned: Collection[str]
) -> dict[str, float] | None:
    """The value of each of the row's parameters with which it is the tree; None where it is another function, or one
    that the row would not take. A number, or a parameter that is not learned, stands for its value; a learned one must
    have the name that the row gives it."""
    if row.draw is not None:
        return None  # its expression is the mean of what it does in training
    found: dict[str, float] = {}
    if not _binds(row.expression, tree, values, learned, found):
        return None
    bounds = {p.name: p for p in row.parameters}
    allowed = all(bounds[name].minimum <= value <= bounds[name].maximum for name, value in found.items())
    return found if allowed and all(bounds[name].may_learn for name in found if name in learned) else None


def _binds(
    pattern: Expression,
    tree: Expression,
    values: Mapping[str, float],
    learned: Collection[str],
    found: dict[str, float],
) -> bool:
    match pattern, tree:
        case Reference(wanted), Reference(name):
            usable = name == wanted or not {name, wanted} & set(learned)
            return usable and found.setdefault(wanted, values[name]) == values[name]
        case Reference(wanted), _:
            value = constant(tree)
            return value is not None and wanted not in learned and found.setdefault(wanted, value) == value
        case Call(function, inside), Call(other, arguments):
            pairs = zip(inside, arguments, strict=False)
            return function == other and all(_binds(p, t, values, learned, found) for p, t in pairs)
    return pattern == tree
