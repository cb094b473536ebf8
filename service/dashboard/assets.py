"""The files that browsers load under /assets/: our own modules and style sheets, and the vendored libraries."""

import json
import os
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import Scope

DASHBOARD = Path(__file__).parent
SERVED = frozenset({".css", ".js", ".json", ".svg"})

# Folders that npm packages keep their published files in; in an address they would say nothing.
WRAPPERS = frozenset({"bundles", "dist"})


def headers(policy: str) -> dict[str, str]:
    """Return the headers of a page under a Content-Security-Policy."""
    return {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}


def rooted(page: str, root: str) -> str:
    """Return the text of a page whose addresses begin with a slash, as one below the path `root`."""
    return page.replace('"/', f'"{root}/').replace('data-root=""', f'data-root="{root}"')


def assets() -> dict[str, Path]:
    """Map each address below /assets/ to its file: our own by their kind, and those that vendor.json lists."""
    vendor = DASHBOARD / "vendor"
    own = {
        file.relative_to(DASHBOARD).as_posix(): file
        for folder in ("app", "docs")
        for file in sorted((DASHBOARD / folder).rglob("*"))
        if file.suffix in SERVED
    }
    listed = [
        f"{package['name']}/{inside(path)}"
        for package in json.loads((vendor / "vendor.json").read_text())
        for path in package["files"]
    ]
    return own | {address: vendor / address for address in listed}


def inside(path: str) -> str:
    """Return a file's path in the vendored folder, from its path in the package."""
    first, _, rest = path.partition("/")
    return rest if first in WRAPPERS else path


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
