"""Records of the audit. Each commits in the same transaction as the change that it tells of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from service.access.principals import Principal
from service.storage.engine.clock import after
from service.storage.engine.keyset import Page, Position, page_of
from service.storage.engine.unit_of_work import BLIND
from service.storage.tables.audit import AuditEntry


@dataclass(frozen=True)
class Sender:
    """The caller of a change, with its action, path and address. `action` is an operation id."""

    principal: Principal
    action: str
    path: str | None = None
    address: str | None = None


@dataclass(frozen=True)
class Filter:
    """Conditions on entries. An empty field sets none, and one with several values takes any."""

    principals: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    at_min: datetime | None = None
    at_max: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if self.principals:
            conditions.append(AuditEntry.principal.in_(self.principals))
        if self.actions:
            conditions.append(AuditEntry.action.in_(self.actions))
        if self.at_min is not None:
            conditions.append(AuditEntry.at >= self.at_min)
        if self.at_max is not None:
            conditions.append(AuditEntry.at <= self.at_max)
        return conditions


def record(session: Session, sender: Sender, details: Mapping[str, Any]) -> None:
    """Record a change of this transaction."""
    principal = sender.principal
    session.add(
        AuditEntry(
            principal=principal.id,
            name=principal.name,
            action=sender.action,
            path=sender.path,
            address=sender.address,
            details=dict(details),
        )
    )


def page(session: Session, filters: Filter, *, limit: int, after: Position | None) -> Page[AuditEntry]:
    """Return one page of entries, the newest first."""
    query = select(AuditEntry).where(*filters.conditions())
    if after is not None:
        query = query.where(AuditEntry.id < after.id)
    rows = session.scalars(query.order_by(AuditEntry.id.desc()).limit(limit + 1)).all()
    return page_of(rows, limit, lambda last: Position(None, last.id))


def sweep(session: Session, days: float) -> None:
    """Delete entries that are older than so many days."""
    session.execute(delete(AuditEntry).where(AuditEntry.at < after(-days * 86_400)), execution_options=BLIND)
