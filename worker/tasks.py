"""The task of a wake: claim an experiment and run it."""

import time

import structlog

from service.background.wakes import Waker
from service.storage.queue import transitions
from worker.attempt import run
from worker.context import WorkerContext
from worker.identity import Identity
from worker.persistence import Outage

log = structlog.get_logger(__name__)


def train(context: WorkerContext, identity: Identity, waker: Waker) -> int:
    """Claim and run the next queued experiment, and return how many were run: 0 or 1.

    After an experiment it sends another wake, because more may be queued.
    """
    if context.shutdown.requested:
        return 0
    lease = context.settings.lease_seconds
    try:
        # A retry after an outage finds the claim again where only the answer to its commit was lost.
        begun = time.monotonic()
        claims = context.persistence.write(
            "claim", lambda session: transitions.claim(session, identity.id, 1, lease, context.machine)
        )
    except Outage as error:
        log.warning("claim_failed", error=str(error))  # the reconciler wakes again
        return 0
    context.metrics.claimed(time.monotonic() - begun, [claim.waited_seconds for claim in claims])
    for claim in claims:
        log.info("claimed", experiment=str(claim.fence.id), attempt=claim.fence.attempt)
        run(context, claim)
    if claims and not context.shutdown.requested:
        waker.wake()
    return len(claims)
