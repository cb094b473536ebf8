"""Records of the audit."""

from sqlalchemy import update

from service.access.principals import LOCAL
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.records import audit
from service.storage.records.audit import Filter, Sender
from service.storage.tables.audit import AuditEntry
from tests.storage.steps import do


def actions(database: Database, filters: Filter) -> list[str]:
    with database.read() as session:
        return [row.action for row in audit.page(session, filters, limit=50, after=None).items]


def test_page_lists_the_newest_first_by_filters(database: Database) -> None:
    for action in ("submit_study", "cancel_study", "delete_study"):
        do(database, audit.record, Sender(LOCAL, action), {})
    assert actions(database, Filter()) == ["delete_study", "cancel_study", "submit_study"]
    assert actions(database, Filter(actions=("cancel_study",), principals=("local",))) == ["cancel_study"]
    assert actions(database, Filter(principals=("nobody",))) == []


def test_sweep_removes_old_entries_alone(database: Database) -> None:
    do(database, audit.record, Sender(LOCAL, "old"), {})
    database.run("age", lambda s: s.execute(update(AuditEntry).values(at=after(-10 * 86_400))))
    do(database, audit.record, Sender(LOCAL, "new"), {})
    do(database, audit.sweep, 11)
    assert actions(database, Filter()) == ["new", "old"]
    do(database, audit.sweep, 9)
    assert actions(database, Filter()) == ["new"]
