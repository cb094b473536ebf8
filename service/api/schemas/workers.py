"""Bodies of answers about workers and the queue."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from service.api.schemas.base import View


class WorkerView(View):
    """A worker, its device and the experiments that it trains."""

    id: str
    hostname: str
    pid: int
    device: str
    device_name: str
    memory: dict[str, int | None] = Field(
        description="Bytes: `total` of the machine, or of the GPU where the worker trains on one, and"
        " `used` of them; null where not known."
    )
    status: str = Field(examples=["idle", "busy", "unusable"])
    alive: bool = Field(
        description="Whether it sent a heartbeat within the last 15 s, or within three times its ACTLAB_RENEW_SECONDS"
        " where that is longer."
    )
    problem: str | None = Field(
        None, description="The reason why it could not start, with the setting to change; null for a worker that runs."
    )
    experiments: list[UUID]
    versions: dict[str, str]
    started_at: datetime
    last_seen: datetime


class WorkersView(View):
    """The workers, the one heard of last first."""

    items: list[WorkerView]


class QueueView(View):
    """The length of the queue and the estimated time until it is empty."""

    queued: int
    running: int
    oldest_queued_seconds: float | None
    eta_seconds: float | None = Field(
        description="Seconds until it is empty, as a dry run of a study estimates them, less what running experiments"
        " have done; null while unknown."
    )
    by_priority: dict[int, int]
