"""The places of queued experiments, and the depth of the queue."""

from typing import Any
from uuid import UUID

from sqlalchemy import update

from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.queue import order
from service.storage.queue.order import Depth
from service.storage.records import workers
from service.storage.tables.experiments import Experiment
from tests.conftest import make_experiment
from tests.making import make_heartbeat
from tests.storage.steps import claimed, do


def make(database: Database, **fields: Any) -> UUID:
    with database.write("make") as session:
        return make_experiment(session, **fields).id


def test_waiting_numbers_queued_experiments_by_priority_then_age(database: Database) -> None:
    old, urgent, young = make(database), make(database, priority=9), make(database)
    do(database, workers.beat, make_heartbeat("w1"))
    places = do(database, order.waiting, [old, urgent, young])
    assert {id: place.position for id, place in places.items()} == {urgent: 1, old: 2, young: 3}
    assert {(place.back_off_seconds, place.workers_alive) for place in places.values()} == {(0.0, 1)}


def test_waiting_leaves_out_running_experiments(database: Database, experiment: UUID) -> None:
    claimed(database)
    assert do(database, order.waiting, [experiment]) == {}


def test_waiting_tells_the_rest_of_a_back_off(database: Database, experiment: UUID) -> None:
    database.run("wait", lambda s: s.execute(update(Experiment).values(not_before=after(60))))
    place = do(database, order.waiting, [experiment])[experiment]
    assert 50 < place.back_off_seconds <= 60


def test_depth_of_an_empty_queue(database: Database) -> None:
    assert do(database, order.depth) == Depth(0, 0, None, {})


def test_depth_counts_by_status_and_priority(database: Database) -> None:
    for priority in (5, 5, 0, 5):
        make(database, priority=priority)
    claimed(database)
    depth = do(database, order.depth)
    assert (depth.queued, depth.running, depth.by_priority) == (3, 1, {5: 2, 0: 1})
    assert 0 <= depth.oldest_queued_seconds < 60
