"""Routes of workers and the queue."""

from fastapi import APIRouter

from service.access.roles import Role, needs
from service.api.http.dependencies import ReadSession
from service.api.http.guarded import GuardedRoute
from service.api.schemas.workers import QueueView, WorkersView, WorkerView
from service.domain.workers import WorkerMemory
from service.storage.analysis import pace
from service.storage.queue import order
from service.storage.records import workers
from service.storage.records.workers import Listed

router = APIRouter(tags=["workers"], route_class=GuardedRoute)


@router.get("/workers")
@needs(Role.VIEWER)
def list_workers(session: ReadSession) -> WorkersView:
    """List the workers: the device, memory and experiments of each, and whether it is alive."""
    return WorkersView(items=[_view(listed) for listed in workers.listed(session)])


@router.get("/queue")
@needs(Role.VIEWER)
def get_queue(session: ReadSession) -> QueueView:
    """Read the length of the queue, the longest wait and the estimated time until it is empty."""
    return QueueView(**vars(order.depth(session)), eta_seconds=pace.seconds_left(session))


def _view(listed: Listed) -> WorkerView:
    row = listed.worker
    memory = WorkerMemory.model_validate(row.memory).model_dump()
    return WorkerView.model_validate({**vars(row), "memory": memory, "status": row.status, "alive": listed.alive})
