"""The order of the queue: shares of the training time of the last hour, per priority."""

from uuid import UUID

import pytest
from sqlalchemy import select, update

from service.domain.status import Cause
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.queue import order, shares, transitions
from service.storage.queue.leases import Fence
from service.storage.tables.base import new_id
from service.storage.tables.experiments import Attempt
from service.storage.tables.studies import Study
from tests.conftest import make_experiment
from tests.making import make_run
from tests.storage.steps import claimed, do


@pytest.fixture
def studies(database: Database) -> list[UUID]:
    """The ids of three studies without experiments."""
    return [do(database, _study) for _ in range(3)]


def _study(session: UnitOfWork, tunes: UUID | None = None) -> UUID:
    study = Study(id=new_id(), principal="local", base={}, factors={}, grids=[], seeds=[0], tunes=tunes)
    session.add(study)
    return study.id


def queue(database: Database, study: UUID | None, number: int = 1, priority: int = 0) -> list[UUID]:
    def make(session: UnitOfWork) -> UUID:
        experiment = make_experiment(session, priority=priority)
        experiment.study_id = study
        return experiment.id

    return [do(database, make) for _ in range(number)]


def train(database: Database, seconds: float, ago: float = 0.0, worker: str = "w1") -> UUID:
    """Claim an experiment, and let it succeed as if it had started `seconds` before it ended `ago` seconds ago."""
    fence = claimed(database, worker)
    do(database, transitions.succeed, fence, make_run())
    _set_times(database, fence, started_at=after(-ago - seconds), ended_at=after(-ago))
    return fence.id


def _set_times(database: Database, fence: Fence, **times: object) -> None:
    own = (Attempt.experiment_id == fence.id, Attempt.attempt == fence.attempt)
    database.run("times", lambda session: session.execute(update(Attempt).where(*own).values(**times)))


def positions(database: Database, ids: list[UUID]) -> list[int]:
    places = do(database, order.waiting, ids)
    return [places[id].position for id in ids]


def test_claim_lets_a_small_study_pass_a_large_one_on_one_worker(database: Database, studies: list[UUID]) -> None:
    large, small = queue(database, studies[0], 5), queue(database, studies[1])
    assert positions(database, [*large, *small]) == [1, 3, 4, 5, 6, 2]
    assert train(database, 10) == large[0]
    assert positions(database, [*large[1:], *small]) == [2, 3, 4, 5, 1]
    assert train(database, 10) == small[0]
    assert train(database, 10) == large[1]


def test_claim_gives_two_studies_the_same_time(database: Database, studies: list[UUID]) -> None:
    """Experiments of one take three times as long as those of the other."""
    slow, fast = queue(database, studies[0], 3), queue(database, studies[1], 5)
    seconds = dict.fromkeys(slow, 30.0) | dict.fromkeys(fast, 10.0)
    expected = [slow[0], fast[0], fast[1], fast[2]]
    for id in expected:
        assert train(database, seconds[id]) == id
    assert positions(database, [slow[1], fast[3]]) in ([1, 2], [2, 1])  # 30 s each


def test_claim_takes_an_experiment_of_no_study_as_a_share_of_its_own(database: Database, studies: list[UUID]) -> None:
    many = queue(database, studies[0], 3)
    first, second = queue(database, None, 2)
    assert positions(database, [*many, first, second]) == [1, 4, 5, 2, 3]
    assert [train(database, 5) for _ in range(4)] == [many[0], first, second, many[1]]


def test_claim_keeps_the_place_of_a_released_experiment_of_no_study(database: Database) -> None:
    first, second = queue(database, None, 2)
    released = claimed(database)
    assert released.id == first
    do(database, transitions.release, released)
    _set_times(database, released, started_at=after(-100))
    assert positions(database, [first, second]) == [1, 2]
    assert [train(database, 5), train(database, 5)] == [first, second]


def test_claim_counts_what_runs_now(database: Database, studies: list[UUID]) -> None:
    busy, idle = queue(database, studies[0], 2), queue(database, studies[1])
    running = claimed(database, "w1")
    assert running.id == busy[0]
    _set_times(database, running, started_at=after(-100))
    assert [claimed(database, "w2").id, claimed(database, "w3").id] == [idle[0], busy[1]]


def test_claim_counts_attempts_that_failed_or_were_released(database: Database, studies: list[UUID]) -> None:
    first, second = queue(database, studies[0], 3), queue(database, studies[1], 2)
    failed = claimed(database)
    do(database, transitions.fail, failed, Cause.DIVERGED, "NaN")
    _set_times(database, failed, started_at=after(-50))
    assert train(database, 20) == second[0]
    released = claimed(database)
    assert released.id == second[1]
    do(database, transitions.release, released)
    _set_times(database, released, started_at=after(-100))
    assert [train(database, 200), train(database, 1)] == [first[1], second[1]]


def test_claim_forgets_time_before_the_last_hour(database: Database, studies: list[UUID]) -> None:
    old, new = queue(database, studies[0], 3), queue(database, studies[1], 3)
    assert train(database, 3500, ago=3700) == old[0]
    assert train(database, 10) == old[1]  # nothing counts yet, and it is older
    assert train(database, 4000, ago=3595) == new[0]  # of which 5 s lie in the hour
    assert train(database, 10) == new[1]
    assert train(database, 10) == old[2]


def test_claim_keeps_the_use_of_each_priority_apart(database: Database, studies: list[UUID]) -> None:
    urgent = queue(database, studies[0], 1, priority=5)
    first, second = queue(database, studies[0], 2), queue(database, studies[1], 1)
    assert [train(database, 1000), train(database, 1), train(database, 1)] == [*urgent, first[0], *second]
    assert positions(database, [first[1]]) == [1]


def test_claim_counts_the_trials_of_a_study_with_it(database: Database, studies: list[UUID]) -> None:
    tuner = do(database, _study, studies[0])
    trial = queue(database, tuner)
    ranking, other = queue(database, studies[0], 2), queue(database, studies[1], 2)
    assert [train(database, 100), train(database, 1), train(database, 1)] == [*trial, *other]
    assert train(database, 1) == ranking[0]


def test_used_gives_the_same_seconds_at_each_reading(database: Database, studies: list[UUID]) -> None:
    queue(database, studies[0], 2)
    train(database, 35)
    train(database, 10)
    readings = [do(database, lambda session: session.scalar(select(shares.used().c.seconds))) for _ in range(5)]
    assert readings == [pytest.approx(45, abs=1)] * 5
    assert len(set(readings)) == 1


def test_waiting_places_each_share_by_the_length_of_its_experiments(database: Database, studies: list[UUID]) -> None:
    slow, fast = queue(database, studies[0], 3), queue(database, studies[1], 4)
    assert [train(database, 35), train(database, 10)] == [slow[0], fast[0]]
    # Those of fast would start after 10, 20 and 30 s of its own, those of slow after 35 and 70 s.
    assert positions(database, [*fast[1:], *slow[1:]]) == [1, 2, 3, 4, 5]


def test_claim_reads_the_attempts_of_the_hour_by_an_index(database: Database) -> None:
    with database.write("explain") as session:
        connection = session.connection()
        statement = str(order.due(1).compile(connection, compile_kwargs={"literal_binds": True}))
        if database.sqlite:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
        else:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # the tables are empty
            rows = connection.exec_driver_sql(f"EXPLAIN {statement}").all()
    plan = "\n".join(row[-1] for row in rows)
    assert "ix_attempts_ended_at" in plan, plan
    assert "SCAN attempts" not in plan, plan


def test_waiting_counts_the_place_of_one_as_it_orders_all(database: Database, studies: list[UUID]) -> None:
    used, running, unused = studies
    queue(database, used, 3)
    train(database, 60.0)
    queue(database, running, 2)
    claimed(database, "w2")
    alone = []
    for priority in (0, 3, 0, 1):
        alone += queue(database, None, 2, priority)
        queue(database, unused, 2, priority)
        queue(database, used, 1, priority)
    together = positions(database, alone)
    assert [positions(database, [id])[0] for id in alone] == together
    assert len(set(together)) == len(alone)
