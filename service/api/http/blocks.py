"""Requests that change many experiments: one transaction a block, and the answer after the last."""

from collections.abc import Callable
from uuid import UUID

from service.api.http import submissions
from service.api.http.services import Services
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.records import audit
from service.storage.records.audit import Sender
from service.storage.tables.base import new_id
from service.usecases.many_experiments import Block

Work = Callable[[UnitOfWork, int, UUID | None, UUID], Block]
"""Does the block of a number, from 0, that begins after one id, within those up to another."""


def in_blocks(services: Services, sender: Sender, work: Work) -> int:
    """Do all blocks and return the number of experiments; what each commits is told, and wakes workers, at once.

    The action of the sender names the transactions. A failure leaves the blocks before it done.
    """
    count, number = 0, 0
    block = _commit(services, sender, work, number, None, new_id())
    while block.last is not None:
        count, number = count + block.count, number + 1
        block = _commit(services, sender, work, number, block.last, block.until)
    return count + block.count


def _commit(services: Services, sender: Sender, work: Work, number: int, after: UUID | None, until: UUID) -> Block:
    def run(session: UnitOfWork) -> tuple[Block, UnitOfWork]:
        block = work(session, number, after, until)
        submissions.check(session, services, sender.principal, counts=number == 0)
        if block.count and session.audited:
            audit.record(session, sender, {"experiments": block.count})
        return block, session

    block, session = services.database.run(sender.action, run)
    services.wrote(session)
    return block
