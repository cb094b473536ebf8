"""The catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """A named number of a function: its default, its bounds (both included), and whether it is trained unless the spec
    says otherwise."""

    name: str
    default: float
    minimum: float
    maximum: float
    learnable: bool = False  # trained by default (PReLU)
    may_learn: bool = False  # a spec may ask for training it


@dataclass(frozen=True)
class Activation:
    name: str
    title: str
    parameters: tuple[Parameter, ...] = ()


CATALOGUE: Mapping[str, Activation] = {
    row.name: row
    for row in (
        Activation("relu", "ReLU"),
        Activation("swish", "Swish", (Parameter("beta", 1.0, 0.0, 100.0, may_learn=True),)),
    )
}
