"""The API's own pages about itself, /docs (Swagger UI) and /redoc, which ask no other host for anything."""

import json
import os
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, RedirectResponse
from starlette.responses import Response
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import Scope

DASHBOARD = Path(__file__).parent / "dashboard"
OWN = ("docs.css", "redoc.js", "swagger.js")

# Swagger UI runs under 'self' alone; its icons are data: images in its own style sheet.
SWAGGER_POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none';"
    " img-src 'self' data:"
)
# Redoc builds its style sheets in the browser: it adds empty <style> elements (the first hash is the empty text's) and
# fills them through the CSS object model, and one with its scroll bars' style (the second; another version of Redoc
# may need another hash, which the browser's console then names). Its search runs in a worker made from a blob.
REDOC_POLICY = (
    f"{SWAGGER_POLICY}; worker-src blob:; style-src 'self'"
    " 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    " 'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"
)


def add_docs(app: FastAPI) -> None:
    """Add GET /docs, to which / leads, GET /redoc and the files they load, under /assets/."""
    app.add_api_route("/", root, include_in_schema=False)
    app.add_api_route("/docs", swagger, include_in_schema=False)
    app.add_api_route("/redoc", redoc, include_in_schema=False)
    app.mount("/assets", ListedFiles(assets()), name="assets")


def root() -> RedirectResponse:
    return RedirectResponse("/docs")


def swagger() -> FileResponse:
    return page("swagger.html", SWAGGER_POLICY)


def redoc() -> FileResponse:
    return page("redoc.html", REDOC_POLICY)


def page(name: str, policy: str) -> FileResponse:
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
    return FileResponse(DASHBOARD / "docs" / name, headers=headers)


def assets() -> dict[str, Path]:
    """Address below /assets/ -> file: our own, and what vendor.json lists; nothing else in the folders is served."""
    vendor = DASHBOARD / "vendor"
    listed = [
        f"{package['name']}/{Path(path).name}"
        for package in json.loads((vendor / "vendor.json").read_text())
        for path in package["files"]
    ]
    own = {f"docs/{name}": DASHBOARD / "docs" / name for name in OWN}
    return own | {address: vendor / address for address in listed}


class ListedFiles(StaticFiles):
    """StaticFiles (conditional GET, HEAD) over a fixed table, so that no path from outside reaches the disk."""

    def __init__(self, files: dict[str, Path]) -> None:
        super().__init__()
        self.files = files

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        file = self.files.get(path)
        return (str(file), file.stat()) if file else ("", None)

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        # Addresses carry no version: after an upgrade the browser has to ask, and a 304 answers it.
        response.headers["Cache-Control"] = "no-cache"
        return response
