"""What a page must not do: complain in the console, raise, or ask another host for anything."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError

# Of how long the machine took, and of nothing that a page does.
EVER = ("was preloaded using link preload but not used within a few seconds",)


class Watch:
    def __init__(self) -> None:
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.expected: tuple[str, ...] = EVER
        self.over_with = False

    def expect(self, *parts: str) -> None:
        """From here on a complaint that holds one of these is no fault, such as `status of 422` where a test sends a
        wrong formula, or `ERR_CONNECTION_REFUSED` where it stops the API: Chromium reports both by itself."""
        self.expected += parts

    def close(self) -> None:
        """From here on pages are being closed: what their broken-off requests complain of is no fault of theirs."""
        self.over_with = True

    def over(self, context: BrowserContext, port: int) -> None:
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("request", lambda request: self._on_request(request, port))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._complain(f"{message.text} ({message.location['url']})")

    def _on_error(self, error: WebError) -> None:
        self._complain(str(error.error))

    def _complain(self, text: str) -> None:
        if not self.over_with and not any(part in text for part in self.expected):
            self.errors.append(text)

    def _on_request(self, request: Request, port: int) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.netloc != f"127.0.0.1:{port}":
            self.foreign.append(request.url)
