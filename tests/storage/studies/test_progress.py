"""Progress of studies: experiments by status, and the time that is left."""

import pytest

from service.domain.status import Status
from service.storage.engine.clock import now
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.records import workers
from service.storage.studies import progress
from service.storage.studies.progress import Progress
from service.storage.tables.base import new_id
from service.storage.tables.studies import Study
from tests.conftest import make_experiment
from tests.making import make_heartbeat, make_run
from tests.storage.steps import claimed, do

NONE = dict.fromkeys(Status, 0)


def test_of_studies_counts_the_experiments_of_each(database: Database) -> None:
    study, other_study = new_id(), new_id()
    with database.write("make") as session:
        for id in (study, other_study):
            session.add(Study(id=id, principal="local", base={}, factors={}, grids=[], seeds=[0]))
        session.flush()
        for _ in range(3):
            make_experiment(session).study_id = study
    do(database, transitions.succeed, claimed(database), make_run(seconds=4.0))
    claimed(database)
    do(database, workers.beat, make_heartbeat("w1"))
    with database.read() as session:
        counted = progress.of_studies(session, [study, other_study])
    assert counted[study].counts == NONE | {Status.SUCCEEDED: 1, Status.RUNNING: 1, Status.QUEUED: 1}
    assert (counted[study].total, counted[study].active, counted[study].eta_seconds) == (3, 2, 8.0)
    assert (counted[other_study].counts, counted[other_study].eta_seconds) == (NONE, 0.0)


@pytest.mark.parametrize(
    ("study", "queued", "finished"),
    [
        (Study(), 1, False),
        (Study(), 0, True),
        (Study(tuning={}), 0, False),
        (Study(tuning={}, tuned_at=now()), 0, True),
        (Study(tuning={}, cancelled_at=now()), 0, True),
    ],
    ids=["active", "ended", "ranking to come", "ranked", "cancelled"],
)
def test_is_finished_waits_for_the_ranking(study: Study, queued: int, finished: bool) -> None:
    assert progress.is_finished(study, Progress(NONE | {Status.QUEUED: queued}, 0, None)) is finished
