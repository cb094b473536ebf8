"""The OpenAPI document: FastAPI's, with one shape of errors, tags in reading order and examples of answers."""

import json
import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from service.api.http.credentials import COOKIE
from service.api.http.guarded import GuardedRoute
from service.api.http.problem import Problem

TAGS = [
    {"name": "experiments", "description": "Submit a spec, follow its training and read its result."},
    {"name": "studies", "description": "A grid of experiments that share a question."},
    {"name": "events", "description": "Follow changes as they happen, instead of polling."},
    {"name": "comparisons", "description": "Compare groups of experiments, with their uncertainty."},
    {"name": "activations", "description": "The catalogue of activation functions, and registered formulas."},
    {"name": "datasets", "description": "The test images of data sets."},
    {"name": "workers", "description": "The workers and the queue."},
    {"name": "access", "description": "API keys, who one is, and the sessions of browsers."},
    {"name": "system", "description": "The health of the service, for operators."},
]
SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
    "basic": {"type": "http", "scheme": "basic", "description": "An API key as the password, with any user name."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "The cookie of `POST /api/v1/session`.",
    },
}
SPELT_OUT = ("ActivationSpec", "ParameterValue", "Dropout")  # inline, with their short forms
SUMMARY = "Experiments that show which activation function suits a network, and why."
DESCRIPTION = """
Submit the spec of an experiment, and a worker trains the network that it describes. The service stores the figures of
each epoch and the test results, and compares groups of experiments with their uncertainty.

* **Errors** are `application/problem+json` with a stable `code` and, for invalid input, an entry in `errors` for each
  wrong field.
* **Lists** are paged with `cursor`.
* **Resources** have an `ETag`. Send it in `If-None-Match` to get 304 until something changes; add `wait=30` to wait for
  the change.
* **Access**: once there is an API key, every request needs one, as a bearer token or as the password of Basic. A
  `viewer` reads, a `submitter` changes, an `admin` makes keys; each operation names the role that it needs.
* **Idempotency**: a POST that is sent again with the same `Idempotency-Key` creates nothing a second time.
"""


def describe(app: FastAPI) -> None:
    """Make the app answer /openapi.json with this document, which is built once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way


def _document(app: FastAPI) -> dict[str, Any]:
    from service.api.openapi.example_table import BY_COMPONENT  # here, since its import takes long

    document = _named_by_title(
        get_openapi(
            title=app.title,
            version=app.version,
            summary=SUMMARY,
            description=DESCRIPTION,
            tags=TAGS,
            routes=app.routes,
            servers=[{"url": app.state.settings.root_path or "/", "description": "This service."}],
            license_info={"name": "Apache 2.0", "identifier": "Apache-2.0"},
            contact={"name": "The maintainers of ActLab"},
        )
    )
    schemas = document["components"]["schemas"]
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    for unused in ("HTTPValidationError", "ValidationError", *SPELT_OUT):
        schemas.pop(unused, None)
    document["components"]["securitySchemes"] = SCHEMES
    document["security"] = [{name: []} for name in SCHEMES]
    _add_roles(app, document["paths"])
    _add_items(document)
    for name, example in BY_COMPONENT.items():  # not in the models: FastAPI leaves nulls out of their examples
        schemas[name]["examples"] = [example]
    return document


def _add_roles(app: FastAPI, paths: dict[str, Any]) -> None:
    """Name the role of each operation in its description; those without one need no key."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, GuardedRoute) or not route.include_in_schema:
            continue
        for method in context.methods or ():
            operation = paths[str(context.path_format)][method.lower()]
            if route.role is None:
                operation["security"] = []
            else:
                operation["description"] += f"\n\n{_sentence(route)}"


def _sentence(route: GuardedRoute) -> str:
    if route.role == route.endpoint.role:  # type: ignore[attr-defined]  # service.access.roles.needs sets it
        return f"Needs the role `{route.role}`."
    return f"Needs the role `{route.endpoint.role}`; a dry run `{route.role}`."  # type: ignore[attr-defined]


def _add_items(value: Any) -> None:
    """Give each array with `prefixItems` the `items` that its members have: tools for older documents require it."""
    if isinstance(value, list):
        for member in value:
            _add_items(member)
    elif isinstance(value, dict):
        if isinstance(members := value.get("prefixItems"), list):
            kinds = [kind for index, kind in enumerate(members) if kind not in members[:index]]
            value.setdefault("items", kinds[0] if len(kinds) == 1 else {"anyOf": kinds})
        for part in value.values():
            _add_items(part)


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
