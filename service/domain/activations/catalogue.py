"""The catalogue: one definition of every activation, from which plots, training and documentation all follow."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.domain.activations.expression import (
    Expression,
    Reference,
    X,
    erf,
    expm1,
    formula,
    is_elementwise,
    sigmoid,
    softmax,
    softplus,
    sqrt,
    tanh,
    where,
)


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


BETA = Parameter("beta", 1.0, 0.0, 100.0, may_learn=True)

# Klambauer et al. 2017, section 2: the fixed point of mean 0 and variance 1.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805

beta, slope, alpha = Reference("beta"), Reference("slope"), Reference("alpha")

_ROWS = (
    Activation(
        "step",
        "Step",
        where(X > 0, 1, 0),
        "McCulloch & Pitts 1943. Its gradient is 0 everywhere, so nothing below it learns; straight_through is the"
        " slope that back-propagation takes instead (1: the identity's, Bengio et al. 2013, arXiv:1308.3432).",
        (Parameter("straight_through", 0.0, 0.0, 1.0),),
        named_in_article=True,
        # It falls nowhere, but its ties carry a straight-through gradient, which pooling first would send elsewhere.
        non_decreasing=False,
    ),
    Activation(
        "linear",
        "Linear",
        X,
        "The identity: a stack of linear layers is one linear layer.",
        named_in_article=True,
        non_decreasing=True,  # f' = 1
    ),
    Activation(
        "sigmoid",
        "Sigmoid",
        sigmoid(X),
        "The logistic function, 1 / (1 + exp(-x)); Verhulst 1845.",
        named_in_article=True,
        non_decreasing=True,  # f' = f (1 - f) > 0
    ),
    Activation(
        "tanh",
        "Tanh",
        tanh(X),
        "2 sigmoid(2x) - 1; centred on zero, which speeds convergence (LeCun et al. 1998, Efficient BackProp).",
        named_in_article=True,
        non_decreasing=True,  # f' = 1 - f^2 > 0
    ),
    Activation(
        "softmax",
        "Softmax",
        softmax(X),
        "exp(x) divided by its sum over the channels or units of one example (Bridle 1990).",
        named_in_article=True,
    ),
    Activation(
        "relu",
        "ReLU",
        where(X > 0, X, 0),
        "Rectified linear unit (Nair & Hinton 2010).",
        named_in_article=True,
        non_decreasing=True,  # f' is 0 or 1
    ),
    Activation(
        "leaky_relu",
        "Leaky ReLU",
        where(X > 0, X, slope * X),
        "Slope 0.01 on the left (Maas, Hannun & Ng 2013).",
        (Parameter("slope", 0.01, 0.0, 1.0),),
        named_in_article=True,
        non_decreasing=True,  # f' is 1 or slope >= 0
    ),
    Activation(
        "rrelu",
        "Randomized leaky ReLU",
        where(X > 0, X, slope * X),
        "Xu et al. 2015 (arXiv:1505.00853), who divide by a number drawn from 3 to 8; here, as in PyTorch, the slope"
        " itself is drawn, from 1/8 to 1/3, for each element in training; evaluation takes the mean slope.",
        (Parameter("lower", 1 / 8, 0.0, 1.0), Parameter("upper", 1 / 3, 0.0, 1.0)),
        named_in_article=True,
        # Each element has its own slope in training: of two negative inputs the larger may come out smaller.
        non_decreasing=False,
        draw=UniformDraw("slope", "lower", "upper"),
    ),
    Activation(
        "swish",
        "Swish",
        X * sigmoid(beta * X),
        "Ramachandran, Zoph & Le 2017 (arXiv:1710.05941). beta 0 gives x / 2; a large beta approaches ReLU.",
        (BETA,),
        named_in_article=True,
    ),
    Activation(
        "swish2",
        "Doubled swish",
        2 * X * sigmoid(beta * X),
        "The formula that the article prints under swish (Kizrak 2019). beta 0 gives x, a large beta nearly 2 ReLU.",
        (BETA,),
        named_in_article=True,
    ),
    Activation(
        "softplus",
        "Softplus",
        softplus(X),
        "log(1 + exp(x)), a smooth ReLU (Dugas et al. 2001).",
        named_in_article=True,
        non_decreasing=True,  # f' = sigmoid(x) > 0
    ),
    Activation(
        "gelu",
        "GELU",
        X * (1 + erf(X / sqrt(2))) / 2,
        "x times the normal distribution function at x, in its exact form (Hendrycks & Gimpel 2016, arXiv:1606.08415).",
    ),
    Activation(
        "elu",
        "ELU",
        where(X > 0, X, alpha * expm1(X)),
        "Clevert, Unterthiner & Hochreiter 2015 (arXiv:1511.07289), with alpha 1. alpha 0 gives ReLU.",
        (Parameter("alpha", 1.0, 0.0, 10.0),),
        non_decreasing=True,  # continuous at 0; f' is 1 or alpha exp(x) >= 0
    ),
    Activation(
        "selu",
        "SELU",
        SELU_SCALE * where(X > 0, X, SELU_ALPHA * expm1(X)),
        "Klambauer et al. 2017 (arXiv:1706.02515): both constants follow from keeping mean 0 and variance 1.",
        non_decreasing=True,  # a positive multiple of ELU
    ),
    Activation(
        "silu",
        "SiLU",
        X * sigmoid(X),
        "Hendrycks & Gimpel 2016; Elfwing, Uchibe & Doya 2017 (arXiv:1702.03118). It is swish with beta 1.",
    ),
    Activation("mish", "Mish", X * tanh(softplus(X)), "Misra 2019 (arXiv:1908.08681)."),
    Activation(
        "prelu",
        "PReLU",
        where(X > 0, X, slope * X),
        "He et al. 2015 (arXiv:1502.01852): the slope starts at 0.25 and is learned, one for each layer.",
        (Parameter("slope", 0.25, -1.0, 1.0, learnable=True, may_learn=True),),
    ),
)

CATALOGUE: Mapping[str, Activation] = {row.name: row for row in _ROWS}
