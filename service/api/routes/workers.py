"""Routes of workers and the queue."""

from fastapi import APIRouter

from service.api.http.dependencies import ReadSession
from service.api.schemas.workers import QueueView, WorkersView, WorkerView
from service.domain.workers import WorkerMemory
from service.storage.queue import order
from service.storage.records import workers
from service.storage.records.workers import Listed

router = APIRouter(tags=["workers"])


@router.get("/workers")
def list_workers(session: ReadSession) -> WorkersView:
    """Who is alive, on which device, and what it runs."""
    return WorkersView(items=[_view(listed) for listed in workers.listed(session)])


@router.get("/queue")
def get_queue(session: ReadSession) -> QueueView:
    """How much waits, for how long, and when it should be done."""
    return QueueView.model_validate(order.depth(session))


def _view(listed: Listed) -> WorkerView:
    row = listed.worker
    memory = WorkerMemory.model_validate(row.memory).model_dump()
    return WorkerView.model_validate({**vars(row), "memory": memory, "status": row.status, "alive": listed.alive})
