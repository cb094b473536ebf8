"""What a wake makes a worker do."""

import structlog

from service.background.wakes import Waker
from service.storage.queue import transitions
from worker.attempt import Bench, run
from worker.identity import Identity
from worker.persistence import Outage

log = structlog.get_logger(__name__)


def train(bench: Bench, identity: Identity, waker: Waker) -> int:
    """Run what is due, if anything; how many that was. Where there was something there may be more: wake on."""
    if bench.shutdown.requested:
        return 0
    lease = bench.settings.lease_seconds
    try:
        # Tried again after an outage: where the lost answer was that of a commit, this finds what it has claimed.
        claims = bench.persistence.write("claim", lambda session: transitions.claim(session, identity.id, 1, lease))
    except Outage as error:
        log.warning("claim_failed", error=str(error))  # the reconciler wakes again
        return 0
    for claim in claims:
        log.info("claimed", experiment=str(claim.fence.id), attempt=claim.fence.attempt)
        run(bench, claim)
    if claims and not bench.shutdown.requested:
        waker.wake()
    return len(claims)
