"""A parser of the HTML of our pages."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """The addresses that a page refers to, also with the element that does, and its inline scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.references: list[tuple[str, str]] = []
        self.inline: list[str] = []
        self._open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # A script of data is not run.
        self._open = "" if ("type", "application/json") in attrs else tag
        for name, value in attrs:
            if name in ("src", "href"):
                self.addresses.append(value or "")
                self.references.append((tag, value or ""))
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{tag} {name}")

    def handle_data(self, data: str) -> None:
        if self._open in ("script", "style") and data.strip():
            self.inline.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._open = ""
