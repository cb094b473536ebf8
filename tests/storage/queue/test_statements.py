"""The statements of a running experiment are compiled once, on both databases."""

from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import event

from service.storage.engine.database import Database
from service.storage.queue import transitions
from tests.making import make_epoch, make_layer
from tests.storage.steps import claimed


def test_record_epoch_compiles_no_statement_again(database: Database, experiment: UUID) -> None:
    """Making and compiling a statement takes several times as long as executing it."""
    fence = claimed(database)
    for epoch in (1, 2):
        made = _compiled(database)
        layers = [make_layer(epoch), make_layer(epoch, "dense1")]
        database.run("epoch", partial(transitions.record_epoch, fence=fence, figures=make_epoch(epoch), layers=layers))
    assert made == []


def _compiled(database: Database) -> list[str]:
    """Return a list to which the text of each statement is added that SQLAlchemy compiles from now on."""
    texts: list[str] = []

    def note(_c: object, _cursor: object, text: str, _p: object, context: Any, _many: bool) -> None:
        if context.compiled is not None and context.cache_hit.name != "CACHE_HIT":
            texts.append(text)

    event.listen(database.engine, "before_cursor_execute", note)
    return texts
