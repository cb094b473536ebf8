"""The pages under /: one HTML shell, whose modules read the address and the public API."""

import base64
import hashlib
import re

from fastapi import FastAPI
from fastapi.responses import FileResponse

from service.dashboard.assets import DASHBOARD, page

SHELL = "app/index.html"
ADDRESSES = (
    "/",
    "/studies",
    "/studies/{id}",
    "/experiments",
    "/experiments/{id}",
    "/activations",
    "/activations/{name}",
    "/workers",
)


def policy() -> str:
    """Nothing inline runs but the import map, which browsers take from no file; its hash names it.

    Charts and components set styles through the CSS object model, which needs no `unsafe-inline`.
    """
    [imports] = re.findall(r'<script type="importmap">(.*?)</script>', (DASHBOARD / SHELL).read_text(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(imports.encode()).digest()).decode()
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self';"
        " font-src 'self'; img-src 'self' data:; style-src 'self'; worker-src 'self';"
        f" script-src 'self' 'sha256-{digest}'"
    )


def add_pages(app: FastAPI) -> None:
    """Add every address of the pages; which page it is, the browser decides."""
    allowed = policy()

    def shell() -> FileResponse:
        return page(SHELL, allowed)

    for address in ADDRESSES:
        app.add_api_route(address, shell, include_in_schema=False, name=f"page {address}")
