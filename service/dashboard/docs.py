"""The documentation pages /docs (Swagger UI) and /redoc, which load nothing from another host."""

from collections.abc import Callable

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from service.dashboard.assets import DASHBOARD, ListedFiles, assets, headers, rooted

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


def add_docs(app: FastAPI, root: str = "") -> None:
    """Add GET /docs, GET /redoc and the files that all pages load, under /assets/, all below the path `root`."""
    app.add_api_route("/docs", _page("swagger.html", root, SWAGGER_POLICY), include_in_schema=False, name="swagger")
    app.add_api_route("/redoc", _page("redoc.html", root, REDOC_POLICY), include_in_schema=False, name="redoc")
    app.mount("/assets", ListedFiles(assets()), name="assets")


def _page(file: str, root: str, policy: str) -> Callable[[], HTMLResponse]:
    text, sent = rooted((DASHBOARD / "docs" / file).read_text(), root), headers(policy)

    def page() -> HTMLResponse:
        return HTMLResponse(text, headers=sent)

    return page
