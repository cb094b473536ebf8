"""The error of a query that cannot be read."""


class QueryError(ValueError):
    """An error in a query: the column (from 1), the reason with the remedy, and a stable code."""

    def __init__(self, column: int, reason: str, code: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason
        self.code = code


def shortened(text: str) -> str:
    """Quote the first 30 characters of a text, in ASCII."""
    return ascii(text if len(text) <= 30 else f"{text[:30]}...")
