"""The outcome of one check."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "problem", "skipped"]


@dataclass(frozen=True)
class Finding:
    """The result of one check. A problem keeps ActLab from working; a warning does not. The remedy says what to do."""

    name: str
    state: State
    finding: str
    remedy: str | None = None
