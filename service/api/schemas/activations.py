"""Bodies of answers about activations."""

from datetime import datetime

from pydantic import Field

from service.api.schemas.base import View
from service.domain.activations.cost import EstimatedCost
from service.domain.activations.properties import Properties


class ParameterView(View):
    """A parameter of an activation function and its bounds."""

    name: str
    default: float
    minimum: float
    maximum: float
    learnable: bool = Field(description="Whether it is trained by default.")
    may_learn: bool = Field(description="Whether a spec may train it.")


class InitialisationView(View):
    name: str = Field(description="The initialisation that `model.init: recommended` uses.")
    source: str


class AdviceView(View):
    text: str
    source: str


class ActivationView(View):
    """A function of the catalogue, or a version of a registered formula. The derivative and properties are those at
    the default parameters."""

    name: str
    version: int | None = Field(
        description="The version of a registered formula; null for a function of the catalogue."
    )
    newest_version: int | None = Field(description="The newest version; all versions from 1 to it can be read.")
    title: str
    formula: str = Field(description="The formula, which a spec may use instead of the name.")
    computed_as: str = Field(description="The same function in the form that is evaluated, which keeps more digits.")
    same_as: str | None = Field(
        description="The equal function of the catalogue, whose fast kernel is used; null without one."
    )
    latex: str
    derivative: str | None = Field(description="f'(x) as a formula; null for softmax, which has a Jacobian.")
    derivative_latex: str | None
    parameters: list[ParameterView]
    properties: Properties
    recommended_initialisation: InitialisationView
    advice: AdviceView | None = Field(description="When to use it, with the source; null for registered formulas.")
    known_problem: AdviceView | None = Field(
        description="A known problem, with the source; null without one and for registered formulas."
    )
    named_in_article: bool
    note: str | None
    estimated_cost: EstimatedCost
    created_at: datetime | None = Field(description="The time at which this version was registered.")
    archived_at: datetime | None = Field(
        description="The time at which the name was archived; new specs cannot use it."
    )


class CurveView(View):
    """Points of a graph, in float64. y and dy are null where they are not finite, and everywhere for softmax, which
    is not a function of one number."""

    x: list[float]
    y: list[float | None] = Field(description="f(x).")
    dy: list[float | None] = Field(description="f'(x); at a kink, the value that torch's autograd uses.")


class GivenParameterView(View):
    value: float = Field(description="The value, from which learning starts if it is learnable.")
    learnable: bool


class PreviewView(View):
    """The properties of a formula before it is trained. Nothing is stored."""

    formula: str = Field(description="The formula in canonical form, as a spec stores it.")
    computed_as: str = Field(description="The same function in the form that is evaluated, which keeps more digits.")
    same_as: str | None = Field(
        description="The equal function of the catalogue, whose fast kernel is used; null without one."
    )
    latex: str
    derivative: str | None = Field(description="f'(x) as a formula; null for softmax and where it is too long.")
    derivative_latex: str | None
    parameters: dict[str, GivenParameterView]
    properties: Properties
    curve: CurveView = Field(description="241 points from -6 to 6.")
    estimated_cost: EstimatedCost
