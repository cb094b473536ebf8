"""The path below which the service is reached, such as /actlab behind a proxy."""

from starlette.types import ASGIApp, Receive, Scope, Send


class RootPath:
    """Serve the paths below `root_path`, whether a proxy has removed it or not, and know it for what is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root = scope["app"].state.settings.root_path if scope["type"] == "http" else ""
        if root:
            path = scope["path"]
            whole = path if path == root or path.startswith(f"{root}/") else f"{root}{path}"
            scope = {**scope, "root_path": root, "path": whole}
        await self.app(scope, receive, send)
