"""Record the errors of pages: messages in the console, exceptions, and requests to other hosts."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError

# Warnings about a slow machine, not about the page.
ALWAYS_EXPECTED = ("was preloaded using link preload but not used within a few seconds",)


class Watch:
    def __init__(self) -> None:
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.expected: tuple[str, ...] = ALWAYS_EXPECTED
        self.closing = False

    def expect(self, *parts: str) -> None:
        """Ignore messages that contain one of these parts, such as `status of 422` where a test sends a wrong formula,
        or `ERR_CONNECTION_REFUSED` where it stops the API: Chromium itself reports both."""
        self.expected += parts

    def close(self) -> None:
        """Ignore the messages of requests that are cut off while pages close."""
        self.closing = True

    def attach(self, context: BrowserContext, port: int) -> None:
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("request", lambda request: self._on_request(request, port))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._record(f"{message.text} ({message.location['url']})")

    def _on_error(self, error: WebError) -> None:
        self._record(str(error.error))

    def _record(self, text: str) -> None:
        if not self.closing and not any(part in text for part in self.expected):
            self.errors.append(text)

    def _on_request(self, request: Request, port: int) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.netloc != f"127.0.0.1:{port}":
            self.foreign.append(request.url)
