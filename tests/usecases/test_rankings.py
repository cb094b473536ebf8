"""Starting the ranking of a study that tunes."""

from uuid import UUID

from service.domain.status import Cause, Status
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.records import experiments
from service.storage.records.experiments import Filter
from service.storage.studies import records as studies
from service.storage.tables.base import new_id
from service.storage.tables.experiments import Experiment
from service.usecases import rankings
from tests.making import make_epoch, make_run
from tests.storage.steps import claim
from tests.usecases.conftest import CODE, MakeStudy
from tests.usecases.observing import commits, run_and_crash, stored

TUNING = {"rates": [0.001, 0.01], "seeds": [1000]}


def try_rates(database: Database, best: float = 0.01, diverging: str = "") -> None:
    """Finish everything that is queued; the best rate reaches the higher validation accuracy."""
    for claimed in claim(database, limit=100):
        accuracy = 0.9 if claimed.spec["optimizer"]["learning_rate"] == best else 0.5
        with database.write("try") as session:
            if claimed.spec["activation"]["name"] == diverging:
                transitions.fail(session, claimed.fence, Cause.DIVERGED, "NaN")
                continue
            transitions.record_epoch(session, claimed.fence, make_epoch(1, validation_accuracy=accuracy))
            transitions.succeed(session, claimed.fence, make_run())


def ranking(database: Database, study: UUID) -> list[Experiment]:
    with database.read() as session:
        page = experiments.page(session, Filter(studies=(study,)), sort="id", limit=100, after=None)
    return list(page.items)


def start(database: Database, study: UUID) -> int:
    return database.run("start_ranking", lambda session: rankings.start(session, study, CODE))


def test_start_queues_each_cell_with_its_best_rate(database: Database, make_study: MakeStudy) -> None:
    study = make_study(tuning=TUNING)
    try_rates(database, best=0.01)
    with commits(database) as committed:
        assert start(database, study) == 4
    assert len(committed) == 1
    queued = ranking(database, study)
    assert {experiment.status for experiment in queued} == {Status.QUEUED}
    assert {(experiment.activation, experiment.seed) for experiment in queued} == {
        ("relu", 0), ("relu", 1), ("tanh", 0), ("tanh", 1)}  # fmt: skip
    assert {experiment.learning_rate for experiment in queued} == {0.01}


def test_start_stores_the_choice_of_each_cell(database: Database, make_study: MakeStudy) -> None:
    id = make_study(tuning=TUNING)
    try_rates(database, best=0.001)
    start(database, id)
    with database.read() as session:
        study = studies.find(session, id)
    assert study is not None
    assert study.tuned_at is not None
    assert [(choice["factors"]["activation"], choice["learning_rate"]) for choice in study.tuned or ()] == [
        ("relu", 0.001), ("tanh", 0.001)]  # fmt: skip


def test_start_leaves_out_a_cell_in_which_every_rate_diverged(database: Database, make_study: MakeStudy) -> None:
    study = make_study(tuning=TUNING)
    try_rates(database, diverging="tanh")
    assert start(database, study) == 2
    assert {experiment.activation for experiment in ranking(database, study)} == {"relu"}


def test_start_reuses_what_has_been_trained(database: Database, make_study: MakeStudy) -> None:
    make_study(base={"dataset": "mnist_5k", "epochs": 3, "optimizer": {"learning_rate": 0.01}}, seeds=[0])
    try_rates(database)
    study = make_study(tuning=TUNING, reuse=True)
    try_rates(database, best=0.01)
    assert start(database, study) == 2
    assert len(ranking(database, study)) == 4


def test_start_queues_nothing_while_a_rate_is_tried(database: Database, make_study: MakeStudy) -> None:
    study = make_study(tuning=TUNING)
    claim(database)
    before = stored(database)
    assert start(database, study) == 0
    assert stored(database) == before


def test_start_queues_nothing_a_second_time(database: Database, make_study: MakeStudy) -> None:
    study = make_study(tuning=TUNING)
    try_rates(database)
    start(database, study)
    before = stored(database)
    assert start(database, study) == 0
    assert stored(database) == before


def test_start_of_an_unknown_study_wakes_no_worker(database: Database) -> None:
    assert start(database, new_id()) == 0


def test_start_keeps_nothing_when_the_transaction_fails(database: Database, make_study: MakeStudy) -> None:
    study = make_study(tuning=TUNING)
    try_rates(database)
    before = stored(database)
    run_and_crash(database, lambda session: rankings.start(session, study, CODE))
    assert stored(database) == before
    assert start(database, study) == 4
