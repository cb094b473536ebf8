"""The route of an experiment's diagnostics."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from service.access.roles import Role, needs
from service.api.http import conditional
from service.api.http.dependencies import ServicesDep, Wait
from service.api.http.guarded import GuardedRoute
from service.api.routes.experiments import NOT_FOUND, NOT_MODIFIED
from service.api.schemas.diagnostics import DiagnosticsView
from service.api.views import experiments as views
from service.domain.diagnostics import Measure
from service.domain.network import LAYER_NAMES, LAYER_PATTERN

router = APIRouter(prefix="/experiments", tags=["experiments"], route_class=GuardedRoute)

Layers = Annotated[
    list[Annotated[str, Field(pattern=LAYER_PATTERN)]],
    Query(
        default_factory=list,
        max_length=40,
        description=f"{LAYER_NAMES}; repeat it for several. Default: all.",
    ),
]
Measures = Annotated[
    list[Measure],
    Query(default_factory=list, max_length=40, description="Only these measures; repeat it for several. Default: all."),
]


@router.get("/{id}/diagnostics", responses=NOT_FOUND | NOT_MODIFIED, response_model=DiagnosticsView)
@needs(Role.VIEWER)
async def get_diagnostics(
    id: UUID,
    request: Request,
    services: ServicesDep,
    layer: Layers,
    measure: Measures,
    since: Annotated[
        int | None, Query(ge=0, le=2**63 - 1, description="Only records that changed after this revision.")
    ] = None,
    wait: Wait = 0,
) -> Response:
    """Read the diagnostics of each layer after each epoch (0 is the start): zero, saturated and dead units, gradients,
    updates and learned parameters. With `since`, only those that changed: drop the epochs after `valid_through_epoch`,
    then insert or replace by epoch and layer. The list is empty if the spec turns diagnostics off."""
    return await conditional.answer(request, services, views.diagnostics_resource(id, layer, measure, since), wait)
