"""What a picture says in words, for those who do not see it, tests among them."""

import re


def later(title: str, epoch: int) -> re.Pattern[str]:
    """The label of a chart of curves that has come to this epoch (below 10) or further."""
    return re.compile(rf"{re.escape(title)} by epoch: .* at epoch ([{epoch}-9]|\d\d+), n = ")
