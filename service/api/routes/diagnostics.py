"""The route of what goes on inside an experiment's network."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from service.api.http import conditional
from service.api.http.dependencies import ServicesDep, Wait
from service.api.routes.experiments import NOT_FOUND, NOT_MODIFIED
from service.api.schemas.diagnostics import DiagnosticsView
from service.api.views import experiments as views
from service.domain.diagnostics import LAYER_PATTERN, Measure

router = APIRouter(prefix="/experiments", tags=["experiments"])

Layers = Annotated[
    list[Annotated[str, Field(pattern=LAYER_PATTERN)]],
    Query(
        default_factory=list,
        max_length=40,
        description="`conv1`, `conv2`, `dense1` to `dense20` or `output`; several, repeated. All unless given.",
    ),
]
Measures = Annotated[
    list[Measure],
    Query(
        default_factory=list, max_length=40, description="What to tell of them; several, repeated. All unless given."
    ),
]


@router.get("/{id}/diagnostics", responses=NOT_FOUND | NOT_MODIFIED, response_model=DiagnosticsView)
async def get_diagnostics(
    id: UUID,
    request: Request,
    services: ServicesDep,
    layer: Layers,
    measure: Measures,
    since: Annotated[
        int | None, Query(ge=0, le=2**63 - 1, description="Only what changed after this revision.")
    ] = None,
    wait: Wait = 0,
) -> Response:
    """Zero, saturated and dead units, gradients, updates and learned parameters, per epoch (0 is the start) and layer;
    with `since`, only what changed. Drop epochs beyond `valid_through_epoch`, then upsert by epoch and layer. None
    without diagnostics in the spec."""
    return await conditional.answer(request, services, views.diagnostics_resource(id, layer, measure, since), wait)
