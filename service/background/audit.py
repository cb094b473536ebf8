"""Removing entries of the audit that are older than they are kept."""

from service.storage.engine.database import Database
from service.storage.records import audit

SWEEP_SECONDS = 3600.0


def sweep(database: Database, days: float) -> None:
    database.run("sweep_audit", lambda session: audit.sweep(session, days))
