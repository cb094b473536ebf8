"""The database's two kinds of transaction."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.storage import changes
from service.storage.database import Database


def test_a_write_commits_and_a_failed_one_leaves_nothing(database: Database) -> None:
    database.run("raise", changes.next_revision)
    with pytest.raises(ZeroDivisionError), database.write("raise") as session:
        changes.next_revision(session)
        _ = 1 / 0
    with database.read() as session:
        assert session.execute(text("SELECT value FROM change_counter")).scalar_one() == 1
