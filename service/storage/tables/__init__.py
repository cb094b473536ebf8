"""The tables, one module for each aggregate.

Importing any of them registers all of them in the metadata, because foreign keys name tables of other modules.
"""

from service.storage.tables import (
    activations,
    audit,
    base,
    changes,
    diagnostics,
    downloads,
    epochs,
    experiments,
    keys,
    requests,
    shares,
    studies,
    totals,
    workers,
)

__all__ = [
    "activations", "audit", "base", "changes", "diagnostics", "downloads", "epochs", "experiments", "keys", "requests",
    "shares", "studies", "totals", "workers",
]  # fmt: skip
