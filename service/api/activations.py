"""Routes of activations."""

from fastapi import APIRouter

from service.api.schemas import ActivationsView, ActivationView, ParameterView
from service.domain.activations import CATALOGUE, Activation

router = APIRouter(prefix="/activations", tags=["activations"])


@router.get("")
async def list_activations() -> ActivationsView:
    """The catalogue: every function by name, with its formula and parameters."""
    return ActivationsView(items=[_view(row) for row in CATALOGUE.values()])


def _view(row: Activation) -> ActivationView:
    return ActivationView(
        name=row.name,
        title=row.title,
        formula=row.formula,
        parameters=[ParameterView.model_validate(parameter) for parameter in row.parameters],
        named_in_article=row.named_in_article,
        note=row.note,
    )
