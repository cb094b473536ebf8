"""What a row of the catalogue holds: a function, its parameters, and what is known about using it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from service.domain.formulas.expression import Expression, formula, is_elementwise

InitialisationName = Literal["glorot_uniform", "he_normal", "lecun_normal"]


@dataclass(frozen=True)
class Parameter:
    """A named number of a function: its default, its bounds (both included), and whether it is trained unless the spec
    says otherwise. The bounds hold for a given value or the start of learning; learning itself is not clipped."""

    name: str
    default: float
    minimum: float
    maximum: float
    learnable: bool = False  # trained by default (PReLU)
    may_learn: bool = False  # a spec may ask for training it


@dataclass(frozen=True)
class UniformDraw:
    """A number of the expression that training draws anew for every element of every batch, uniformly between the
    values of two parameters. Evaluation and plots take its mean."""

    name: str  # as the expression refers to it
    lower: str  # the parameters that bound it
    upper: str

    def mean(self, parameters: Mapping[str, float]) -> float:
        return (parameters[self.lower] + parameters[self.upper]) / 2


@dataclass(frozen=True)
class Initialisation:
    """How the kernels before a function had best start, and who says so."""

    name: InitialisationName
    source: str


@dataclass(frozen=True)
class Advice:
    """When to take a function, or not to, and who says so."""

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
    """One function. `note` is a line of origin, with the source of its constants.

    `non_decreasing` says that max-pooling may come before it with the same values and gradients: it is one function of
    x that falls nowhere, whatever its parameters, which is proven where it is written. False claims nothing.
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

    def values(self, **given: float) -> dict[str, float]:
        """A value for every name in the expression, as in evaluation mode: those given, else the defaults."""
        values = {p.name: p.default for p in self.parameters} | given
        return values | ({self.draw.name: self.draw.mean(values)} if self.draw else {})
