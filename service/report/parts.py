"""The parts of a section of a report."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Table:
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: frozenset[str] = frozenset()  # heads of columns that hold sentences


@dataclass(frozen=True)
class Figure:
    svg: str
    alt: str
    caption: str

    @property
    def address(self) -> str:
        """The whole figure as a data: URL."""
        return f"data:image/svg+xml;base64,{base64.b64encode(self.svg.encode()).decode()}"


@dataclass(frozen=True)
class Section:
    title: str
    lead: str = ""
    figure: Figure | None = None
    table: Table | None = None
    paragraphs: Sequence[str] = field(default=())
    code: str = ""
