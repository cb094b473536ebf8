"""The pages under /: one HTML shell, whose modules read the address and the public API."""

import base64
import hashlib
import json
import re
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from service.dashboard.assets import DASHBOARD, headers, rooted

SHELL = DASHBOARD / "app" / "index.html"
ADDRESSES = (
    "/",
    "/studies",
    "/studies/{id}",
    "/experiments",
    "/experiments/{id}",
    "/compare",
    "/activations",
    "/activations/{name}",
    "/workers",
)
SPEC_PLACE = '<script type="application/json" id="spec">{}</script>'
"""The element of the shell that holds the schema of a spec for the forms. Browsers do not run a script of this type."""

Schema = dict[str, Any]


def policy(shell: str) -> str:
    """Return a policy for the shell under which nothing inline runs but the import map, which its hash names.

    Browsers take an import map from no file. Charts and components set styles through the CSS object model, which needs
    no `unsafe-inline`.
    """
    [imports] = re.findall(r'<script type="importmap">(.*?)</script>', shell, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(imports.encode()).digest()).decode()
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self';"
        " font-src 'self'; img-src 'self' data:; style-src 'self'; worker-src 'self';"
        f" script-src 'self' 'sha256-{digest}'"
    )


def add_pages(app: FastAPI, root: str = "") -> None:
    """Add every address of the pages; all answer the shell, and the browser chooses the page. `root` is the path of the
    service."""
    page = rooted(SHELL.read_text(), root)
    sent = headers(policy(page))

    @cache
    def text() -> str:
        spec = json.dumps(spec_of(app.openapi()), separators=(",", ":")).replace("<", "\\u003c")
        return page.replace(SPEC_PLACE, SPEC_PLACE.replace("{}", spec))

    def shell() -> HTMLResponse:
        return HTMLResponse(text(), headers=sent)

    for address in ADDRESSES:
        app.add_api_route(address, shell, include_in_schema=False, name=f"page {address}")


def spec_of(document: Schema) -> Schema:
    """Return the usual values and the choices of a spec's fields, as an OpenAPI document has them.

    `usual` holds the default of each field; `choices` the values of each field that has a fixed set, by its path, with
    those of a study's preset and of an experiment's status.
    """
    components: dict[str, Schema] = document.get("components", {}).get("schemas", {})
    spec = components.get("ExperimentSubmission", {}).get("properties", {})
    parts = {
        f"{field}.{name}": inner
        for field, schema in spec.items()
        if "$ref" in schema
        for name, inner in components[schema["$ref"].rpartition("/")[2]]["properties"].items()
    }
    others = {
        "preset": components.get("StudySpec", {}).get("properties", {}).get("preset", {}),
        "status": components.get("Status", {}),
    }
    return {
        "usual": {field: usual for field, schema in spec.items() for usual in _usual(schema)},
        "choices": {path: values for path, schema in (spec | parts | others).items() if (values := _choices(schema))},
    }


def _usual(schema: Schema) -> list[Any]:
    """Return the default of a schema or, in a union, those of the fields of its object; an empty list without one."""
    if "default" in schema:
        return [schema["default"]]
    fields = [branch.get("properties", {}) for branch in schema.get("anyOf", [])]
    inner = {name: field["default"] for part in fields for name, field in part.items() if "default" in field}
    return [inner] if inner else []


def _choices(schema: Schema) -> list[Any]:
    """Return the values that a schema enumerates, itself or as one that may be null; else an empty list."""
    branches = [schema, *schema.get("anyOf", [])]
    if any(branch.get("type") not in ("string", "null", None) for branch in branches):
        return []
    return [value for branch in branches for value in branch.get("enum", [])]
