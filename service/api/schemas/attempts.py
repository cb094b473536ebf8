"""Bodies of answers about attempts."""

from datetime import datetime

from pydantic import Field

from service.api.schemas.base import View
from service.domain.status import Cause, Outcome


class AttemptView(View):
    """One attempt of a worker to train an experiment."""

    attempt: int
    worker: str
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    cause: Cause | None
    detail: str | None
    epochs: int = Field(description="Epochs done at its end, those of earlier attempts included.")
    log_tail: str


class AttemptsView(View):
    """The attempts of an experiment, oldest first."""

    items: list[AttemptView]
