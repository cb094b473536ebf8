"""The guide under /guide/: the pages that `make docs` builds from docs/, which load nothing from another host."""

import base64
import hashlib
import os
import re
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import Scope

from service.dashboard.assets import DASHBOARD, headers, rooted

SITE = DASHBOARD / "guide_site"
"""The folder that `make docs` writes the guide to. Git ignores it, and the wheel contains it."""
INLINE = re.compile(r"<(script|style)(?![^>]*\ssrc=)[^>]*>(.+?)</\1>", re.DOTALL)
# The theme's search adds this style when it opens; another version of Zensical may need another hash, which the
# browser's console then names.
SEARCH_STYLE = "'sha256-NwSx/R2V/U4jnW0Tq5pQ53Y/rzPVJ4dqE7D6UTA/J1k='"
ABSENT_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'self'"


def add_guide(app: FastAPI, root: str = "", site: Path | None = None) -> None:
    """Add GET /guide, which redirects to /guide/, and the files of the site below it.

    `root` is the path of the service.
    """
    app.add_api_route("/guide", lambda: RedirectResponse(f"{root}/guide/"), include_in_schema=False, name="guide")
    app.mount("/guide", GuideFiles(site or SITE, root), name="guide files")


class GuideFiles(StaticFiles):
    """The files of a built site, each page under a policy for what it contains. Without a site, every address answers a
    page that says how to build it, with status 404."""

    def __init__(self, site: Path, root: str) -> None:
        super().__init__(directory=site, check_dir=False)
        self.config_checked = True  # The check refuses a folder that does not exist.
        self._index = site / "index.html"
        text = rooted((DASHBOARD / "docs" / "no-guide.html").read_text(), root)
        self._absent = HTMLResponse(text, status_code=404, headers=headers(ABSENT_POLICY))

    async def get_response(self, path: str, scope: Scope) -> Response:
        return await super().get_response(path, scope) if self._index.is_file() else self._absent

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        return super().lookup_path("index.html" if path == "." else path)

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "no-cache"
        if str(full_path).endswith(".html"):
            response.headers["Content-Security-Policy"] = policy(Path(full_path).read_text())
        return response


def policy(page: str) -> str:
    """Return a policy for a page of the site.

    The page may load files of this server, and run and apply of what is inline only what it was built with.
    """
    sources = {"script": ["'self'"], "style": ["'self'", SEARCH_STYLE]}
    for kind, text in INLINE.findall(page):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        sources[kind].append(f"'sha256-{digest}'")
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self';"
        " img-src 'self' data:; worker-src 'self';"
        f" script-src {' '.join(sources['script'])}; style-src {' '.join(sources['style'])}"
    )
