"""Write to the database as APIs and workers do, without pauses, as one of several processes.

python -m tests.faults.writer sqlite:///actlab.db name-of-this-writer 10
"""

import sys

from service.domain.spec import ExperimentSubmission
from service.storage.engine.database import Database
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.queue import transitions
from service.storage.queue.leases import Fence
from service.storage.records import experiments
from service.storage.tables.base import new_id
from tests.making import make_epoch, make_run

LEASE_SECONDS = 600.0  # long enough that no lease runs out
SUBMISSION = ExperimentSubmission.model_validate({"activation": "relu", "dataset": "mnist_5k", "epochs": 1})


def main(url: str, name: str, count: int) -> None:
    """Queue an experiment, claim one (its own or another writer's) and finish it, `count` times."""
    database = Database(url, trace=True)
    for _ in range(count):
        database.run("queue", _queue)
        for claim in database.run("claim", lambda s: transitions.claim(s, name, 1, LEASE_SECONDS)):
            _finish(database, claim.fence)
    database.close()


def _queue(session: UnitOfWork) -> None:
    experiments.create(session, "local", SUBMISSION, id=new_id())


def _finish(database: Database, fence: Fence) -> None:
    database.run("renew", lambda s: transitions.renew(s, [fence], LEASE_SECONDS))
    database.run("epoch", lambda s: transitions.record_epoch(s, fence, make_epoch(1)))
    database.run("finish", lambda s: transitions.succeed(s, fence, make_run()))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
