"""The types of a row of the catalogue: a function, its parameters, and advice on its use."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from service.domain.formulas.expression import Expression, formula, is_elementwise

InitialisationName = Literal["glorot_uniform", "he_normal", "lecun_normal"]


@dataclass(frozen=True)
class Parameter:
    """A parameter of a function with its default and its bounds, both included.

    The bounds hold for the value in a spec, which for a learned parameter is the one that training starts from.
    Training does not clip it.
    """

    name: str
    default: float
    minimum: float
    maximum: float
    learnable: bool = False  # trained unless the spec says otherwise (PReLU)
    may_learn: bool = False  # trained if the spec says so


@dataclass(frozen=True)
class UniformDraw:
    """A random number in the expression, drawn in training for each element of each batch, uniformly between the values
    of two parameters. Evaluation and plots take its mean."""

    name: str  # in the expression
    lower: str  # the parameter that is the lower bound
    upper: str  # the parameter that is the upper bound

    def mean(self, parameters: Mapping[str, float]) -> float:
        return (parameters[self.lower] + parameters[self.upper]) / 2


@dataclass(frozen=True)
class Initialisation:
    """The recommended initialisation of the kernels before a function, with its source."""

    name: InitialisationName
    source: str


@dataclass(frozen=True)
class Advice:
    """A recommendation or a known problem of a function, with its source."""

    text: str
    source: str


GLOROT = Initialisation(
    "glorot_uniform",
    "Glorot & Bengio 2010 (AISTATS), section 4.2: keeps the variance through functions that are like the identity at 0",
)
HE = Initialisation(
    "he_normal",
    "He et al. 2015 (arXiv:1502.01852), section 2.2: makes up for the half of the variance that a rectifier drops",
)
LECUN = Initialisation(
    "lecun_normal",
    "Klambauer et al. 2017 (arXiv:1706.02515), section 2: the fixed point of SELU holds for this variance alone",
)

ARTICLE = "Kizrak 2019, Comparison of Activation Functions for Deep Neural Networks"


@dataclass(frozen=True)
class Activation:
    """A function. `note` gives its origin and the sources of its constants.

    `non_decreasing` states that max-pooling before the function gives the same values and gradients as after it: for
    all values of its parameters it is a function of x alone that does not fall. A comment beside each True proves it.
    False states nothing.
    """

    name: str
    title: str
    expression: Expression
    note: str
    parameters: tuple[Parameter, ...] = ()
    named_in_article: bool = False
    non_decreasing: bool = False
    draw: UniformDraw | None = None
    initialisation: Initialisation = GLOROT
    advice: Advice | None = None
    known_problem: Advice | None = None

    @property
    def formula(self) -> str:
        return formula(self.expression)

    @property
    def elementwise(self) -> bool:
        return is_elementwise(self.expression)

    def values(self, **parameters: float) -> dict[str, float]:
        """Return a value for each name in the expression, as in evaluation mode: `parameters` over the defaults."""
        values = {parameter.name: parameter.default for parameter in self.parameters} | parameters
        return values | ({self.draw.name: self.draw.mean(values)} if self.draw else {})
