"""The states of an experiment, the causes of a bad end, and how an attempt can end."""

from enum import StrEnum


class Status(StrEnum):
    """The state of an experiment."""

    QUEUED = "queued"  # accepted and durable; waits for a worker
    RUNNING = "running"  # one worker holds its lease
    SUCCEEDED = "succeeded"  # trained to the end; has a result
    FAILED = "failed"  # ended without a result; `cause` says why
    CANCELLED = "cancelled"  # ended at a client's request

    @property
    def terminal(self) -> bool:
        return self in TERMINAL


TERMINAL = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED})
ACTIVE = frozenset({Status.QUEUED, Status.RUNNING})


class Cause(StrEnum):
    """Why an experiment failed or was cancelled."""

    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out_of_memory"
    WORKER_LOST = "worker_lost"
    TIMEOUT = "timeout"
    INVALID_DATA = "invalid_data"
    INTERNAL_ERROR = "internal_error"
    CANCELLED = "cancelled"

    @property
    def remedy(self) -> str:
        return _REMEDIES[self]


_REMEDIES = {
    Cause.DIVERGED: "The loss became infinite or NaN. Lower optimizer.learning_rate, turn model.batch_norm on, or"
    " choose a bounded activation; the metrics up to that epoch are kept.",
    Cause.OUT_OF_MEMORY: "The device ran out of memory. Lower batch_size or the model's width, or retry on a larger"
    " device.",
    Cause.WORKER_LOST: "The worker disappeared or hung too often while it ran this. Read the attempts' logs, then"
    " retry.",
    Cause.TIMEOUT: "It ran longer than max_seconds allows. Raise max_seconds or lower epochs.",
    Cause.INVALID_DATA: "The data set is missing, truncated or corrupt. Run `actlab data fetch`, then retry.",
    Cause.INTERNAL_ERROR: "A defect or a fault of the machine. The attempt's log holds the traceback; retry, and report"
    " it if it happens again.",
    Cause.CANCELLED: "A client cancelled it. Retry to run it again.",
}


class Outcome(StrEnum):
    """The end of one attempt."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RELEASED = "released"  # the worker handed it back: it was shut down, or could not download the data set
    LOST = "lost"  # the worker disappeared or hung; the lease ran out or the supervisor saw it die
