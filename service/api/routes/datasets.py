"""Routes of data sets."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from service.access.roles import Role, needs
from service.api.http import conditional
from service.api.http.dependencies import ServicesDep
from service.api.http.guarded import GuardedRoute
from service.api.routes.experiments import NOT_FOUND, NOT_MODIFIED
from service.api.schemas.datasets import DatasetView
from service.api.schemas.several import Several, distinct
from service.domain.datasets import DATASETS, MOST_CLASSES

router = APIRouter(prefix="/datasets", tags=["datasets"], route_class=GuardedRoute)

PNG = "image/png"
CACHING = {"Cache-Control": "private, max-age=31536000, immutable", "Vary": "Authorization, Cookie"}
"""A data set never changes, so that a browser asks once."""
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The image, in grey or in colours.",
        "content": {PNG: {"schema": {"type": "string", "format": "binary", "examples": ["..."]}}},
    }
}
Name = Annotated[str, Path(max_length=100, description="The name of a data set.", examples=list(DATASETS))]
Index = Annotated[int, Path(ge=0, le=10**9, description="The number of a test image, from 0.", examples=[17])]


class ImageQuery(BaseModel):
    """The test images that are counted."""

    model_config = ConfigDict(extra="forbid")

    classes: Several[Annotated[int, Field(ge=0, lt=MOST_CLASSES)]] = Field(
        [],
        description="Count the test images of these classes alone, as the results of a spec with `classes` do.",
        examples=[[3, 8]],
    )


@router.get("/{name}", responses=NOT_FOUND | NOT_MODIFIED, response_model=DatasetView)
@needs(Role.VIEWER)
def get_dataset(request: Request, services: ServicesDep, name: Name) -> Response:
    """Read the sizes of a data set, and whether this server can show its test images."""
    missing = services.images.missing(name)
    definition = DATASETS[name]
    view = DatasetView(
        name=name,
        shape=list(definition.shape),
        classes=definition.classes,
        training_images=definition.training_images,
        test_images=definition.test_images,
        on_server=missing is None,
        missing=missing,
    )
    return conditional.hashed(request, view)


@router.get("/{name}/images/{index}.png", response_class=Response, responses=NOT_FOUND | NOT_MODIFIED | FILE)
@needs(Role.VIEWER)
def get_test_image(
    request: Request, services: ServicesDep, name: Name, index: Index, query: Annotated[ImageQuery, Query()]
) -> Response:
    """Read one test image as a PNG; 404 `dataset_not_on_server` where this server does not have the data set's files.
    Results list the numbers of images."""
    content = services.images.png(name, index, distinct(query.classes))
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": etag, **CACHING}
    if conditional.is_known(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=PNG, headers=headers)
