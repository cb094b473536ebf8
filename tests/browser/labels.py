"""Labels of charts, which say in words what a chart shows."""

import re


def curves_at_epoch(title: str, epoch: int) -> re.Pattern[str]:
    """Return a pattern of the label of a chart whose curves have reached this epoch (below 10) or a later one."""
    return re.compile(rf"{re.escape(title)} by epoch: .* at epoch ([{epoch}-9]|\d\d+), n = ")
