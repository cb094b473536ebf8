"""Bodies of answers about activations."""

from datetime import datetime

from pydantic import Field

from service.api.schemas.base import View
from service.domain.activations.cost import EstimatedCost
from service.domain.activations.properties import Properties


class ParameterView(View):
    name: str
    default: float
    minimum: float
    maximum: float
    learnable: bool = Field(description="Trained unless the spec says otherwise.")
    may_learn: bool = Field(description="A spec may ask for training it.")


class InitialisationView(View):
    name: str = Field(description="What `model.init: recommended` takes.")
    source: str


class AdviceView(View):
    text: str
    source: str


class ActivationView(View):
    """A function of the catalogue, or a version of a registered formula; derivative and properties are those at its
    default parameters."""

    name: str
    version: int | None = Field(description="Of a registered formula; null for the catalogue, which has none.")
    newest_version: int | None = Field(description="There are all versions from 1 to this.")
    title: str
    formula: str = Field(description="In the formula language: a spec may give it in place of the name.")
    computed_as: str = Field(description="The same function in the form that is evaluated, which keeps more digits.")
    same_as: str | None = Field(description="The row of the catalogue that it is, with the row's own fast kernel.")
    latex: str
    derivative: str | None = Field(description="f'(x) in the formula language; null for softmax, which has a Jacobian.")
    derivative_latex: str | None
    parameters: list[ParameterView]
    properties: Properties
    recommended_initialisation: InitialisationView
    advice: AdviceView | None = Field(description="When to take it, and who says so; null for registered formulas.")
    known_problem: AdviceView | None = Field(description="What goes wrong with it; null for registered formulas.")
    named_in_article: bool
    note: str | None
    estimated_cost: EstimatedCost
    created_at: datetime | None = Field(description="When this version was registered.")
    archived_at: datetime | None = Field(description="When the name was taken out of lists; no new spec may use it.")


class CurveView(View):
    """Points of the graph, in float64. y and dy are null where they are not finite, and everywhere for softmax, which
    is no function of one number."""

    x: list[float]
    y: list[float | None] = Field(description="f(x).")
    dy: list[float | None] = Field(description="f'(x), at a kink as torch's autograd takes it.")


class GivenParameterView(View):
    value: float = Field(description="Or where learning starts.")
    learnable: bool


class PreviewView(View):
    """What a formula is, before anything is trained with it. Nothing is stored."""

    formula: str = Field(description="The canonical text, as a spec would keep it.")
    computed_as: str = Field(description="The same function in the form that is evaluated, which keeps more digits.")
    same_as: str | None = Field(description="The row of the catalogue that it is, with the row's own fast kernel.")
    latex: str
    derivative: str | None = Field(description="f'(x) in the formula language; null where too long, and for softmax.")
    derivative_latex: str | None
    parameters: dict[str, GivenParameterView]
    properties: Properties
    curve: CurveView = Field(description="241 points from -6 to 6.")
    estimated_cost: EstimatedCost
