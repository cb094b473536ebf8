"""The OpenAPI document: what FastAPI derives, with our one shape of errors and tags in reading order."""

import json
import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.api.http.problem import Problem
from service.api.openapi.examples import BY_COMPONENT

TAGS = [
    {"name": "experiments", "description": "Submit a spec, watch it train, read its result."},
    {"name": "studies", "description": "A grid of experiments that share a question."},
    {"name": "events", "description": "Be told when something changes, instead of asking."},
    {"name": "comparisons", "description": "Groups side by side, with their uncertainty."},
    {"name": "activations", "description": "The functions to choose from."},
    {"name": "workers", "description": "Who trains, and what waits."},
    {"name": "system", "description": "For whoever runs the service."},
]
SPELT_OUT = ("ActivationSpec", "ParameterValue", "Dropout")  # with their short forms, where they are used
SUMMARY = "Which activation function should this network use, and why? Evidence, over HTTP."
DESCRIPTION = """
Post a spec, and workers train the network it describes; figures per epoch, test results and comparisons with their
uncertainty are kept and served.

Every error is an `application/problem+json` with a stable `code` and, for invalid input, one entry in `errors` for
each wrong field. Every list is paged by `cursor`. Resources carry an `ETag`: send it back as `If-None-Match` and get
304 while nothing has changed; add `wait=30` to be answered when something does. Send an `Idempotency-Key` with a
POST, and sending it again creates nothing twice.
"""


def describe(app: FastAPI) -> None:
    """Let the app answer /openapi.json with the document below, made once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way


def _document(app: FastAPI) -> dict[str, Any]:
    document = _named_by_title(
        get_openapi(
            title=app.title,
            version=app.version,
            summary=SUMMARY,
            description=DESCRIPTION,
            tags=TAGS,
            routes=app.routes,
        )
    )
    schemas = document["components"]["schemas"]
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    for unused in ("HTTPValidationError", "ValidationError", *SPELT_OUT):
        schemas.pop(unused, None)
    for name, example in BY_COMPONENT.items():  # not in the models: FastAPI leaves out what is null in an example
        schemas[name]["examples"] = [example]
    return document


def _named_by_title(document: dict[str, Any]) -> dict[str, Any]:
    """Name each component by the title of its model, which stays when the class is renamed."""
    schemas = document["components"]["schemas"]
    names = {name: schema["title"] for name, schema in schemas.items() if schema.get("title", "").isidentifier()}
    text = re.sub(
        r'"#/components/schemas/(\w+)"',
        lambda match: f'"#/components/schemas/{names.get(match[1], match[1])}"',
        json.dumps(document),
    )
    renamed: dict[str, Any] = json.loads(text)
    components = renamed["components"]
    components["schemas"] = {names.get(name, name): schema for name, schema in components["schemas"].items()}
    assert len(components["schemas"]) == len(schemas), "two models have the same title"
    return renamed
