"""The route of the audit."""

from typing import Annotated

from fastapi import APIRouter, Query

from service.access.roles import Role, needs
from service.api.http.dependencies import ReadSession
from service.api.http.guarded import GuardedRoute
from service.api.http.pagination import next_cursor, position_after
from service.api.schemas.audit import AuditQuery, AuditView
from service.api.schemas.base import Page
from service.storage.records import audit

router = APIRouter(tags=["access"], route_class=GuardedRoute)


@router.get("/audit")
@needs(Role.ADMIN)
def list_audit(query: Annotated[AuditQuery, Query()], session: ReadSession) -> Page[AuditView]:
    """List who changed what, the newest change first. Entries are kept for ACTLAB_AUDIT_DAYS."""
    page = audit.page(session, query.filter, limit=query.limit, after=position_after(query.cursor, query.filter, "-id"))
    items = [AuditView.model_validate(row) for row in page.items]
    return Page[AuditView](items=items, next_cursor=next_cursor(page, query.filter, "-id"))
