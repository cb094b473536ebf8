"""What a wake makes a worker do."""

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.queue import Waker
from service.storage import lifecycle
from service.storage.database import Database
from worker.identity import Identity
from worker.run import Bench, run

log = structlog.get_logger(__name__)


def train(bench: Bench, database: Database, identity: Identity, waker: Waker) -> int:
    """Run what is due, if anything; how many that was. Where there was something there may be more: wake on."""
    if bench.shutdown.requested:
        return 0
    lease = bench.settings.lease_seconds
    try:
        claims = database.run("claim", lambda session: lifecycle.claim(session, identity.id, 1, lease))
    except (DBAPIError, PoolTimeout) as error:
        log.warning("claim_failed", error=str(error.__cause__ or error))  # the reconciler wakes again
        return 0
    for claim in claims:
        log.info("claimed", experiment=str(claim.fence.id), attempt=claim.fence.attempt)
        run(bench, claim)
    if claims and not bench.shutdown.requested:
        waker.wake()
    return len(claims)
