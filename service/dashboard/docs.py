"""The documentation pages /docs (Swagger UI) and /redoc, which load nothing from another host."""

from fastapi import FastAPI
from fastapi.responses import FileResponse

from service.dashboard.assets import DASHBOARD, ListedFiles, assets, headers

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
    """Add GET /docs, GET /redoc and the files that all pages load, under /assets/."""
    app.add_api_route("/docs", swagger, include_in_schema=False)
    app.add_api_route("/redoc", redoc, include_in_schema=False)
    app.mount("/assets", ListedFiles(assets()), name="assets")


def swagger() -> FileResponse:
    return FileResponse(DASHBOARD / "docs" / "swagger.html", headers=headers(SWAGGER_POLICY))


def redoc() -> FileResponse:
    return FileResponse(DASHBOARD / "docs" / "redoc.html", headers=headers(REDOC_POLICY))
