"""The limits on what a key queues: submissions an hour, and experiments in the queue."""

from anyio import from_thread

from service.access.principals import LOCAL, Principal
from service.api.http.middleware.rates import refusal
from service.api.http.services import Services
from service.domain.errors import QueueFull
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.queue import order


def check(session: UnitOfWork, services: Services, principal: Principal, *, counts: bool = True) -> None:
    """Check a transaction that may have queued experiments, in the thread of its request and before its commit.

    `counts` says whether it is a submission of its own. A replayed request is none. Raises QueueFull and RateLimited,
    after which nothing of the transaction stays.
    """
    if not session.wakes or not session.audited or principal is LOCAL:
        return
    most = services.settings.max_queued
    if most and (queued := order.count_queued(session, principal.id)) > most:
        raise QueueFull(
            f"This key may have {most:,} experiments in the queue; with this request they are {queued:,}. Try again"
            " when some have been trained, or cancel some.",
            Retry_After="60",
        )
    window = from_thread.run(services.rates.submission, principal.id) if counts else None
    if window is not None and not window.passes:
        raise refusal(window, "requests that queue experiments")
