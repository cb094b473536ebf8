"""The queue while data sets cannot be downloaded: who may claim what, and for how long experiments wait."""

from uuid import UUID

import pytest
from sqlalchemy import update

from service.domain.status import Status
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.queue import downloads as waiting_downloads
from service.storage.queue import order, transitions
from service.storage.queue.downloads import Machine, Unavailable
from service.storage.queue.leases import Fence
from service.storage.records import attempts, downloads, workers
from service.storage.tables.downloads import FailedDownload
from service.storage.tables.experiments import Experiment
from tests.conftest import make_experiment, read_experiment
from tests.making import make_heartbeat
from tests.storage.steps import do

PATIENCE = 3600.0
HOST = Machine("host", patience_seconds=PATIENCE)
REASON = "The mirror is away."


def make(database: Database, dataset: str, age: float = 0.0) -> UUID:
    """Queue an experiment that was submitted `age` seconds ago."""
    with database.write("make") as session:
        id = make_experiment(session, dataset=dataset).id
        session.execute(update(Experiment).where(Experiment.id == id).values(created_at=after(-age)))
    return id


def fail(database: Database, dataset: str = "mnist", machine: str = "host", since: float = 0.0) -> None:
    """Record a failed download whose first failure is `since` seconds ago."""
    with database.write("fail") as session:
        downloads.record(session, dataset, machine, REASON)
        session.execute(update(FailedDownload).values(since=after(-since)))


def beat(database: Database, *hostnames: str) -> None:
    for hostname in hostnames:
        do(database, workers.beat, make_heartbeat(f"worker of {hostname}", hostname=hostname))


def claim(database: Database, machine: Machine, owner: str = "w1") -> set[UUID]:
    return {claim.fence.id for claim in do(database, transitions.claim, owner, 100, 30, machine)}


def test_claim_leaves_out_a_data_set_that_is_to_be_tried_later(database: Database) -> None:
    held_back, other = make(database, "mnist"), make(database, "mnist_5k")
    fail(database)
    assert claim(database, HOST) == {other}
    database.run("due", lambda s: s.execute(update(FailedDownload).values(retry_at=after(-1))))
    assert claim(database, HOST, "w2") == {held_back}


def test_claim_takes_a_data_set_that_failed_on_another_machine(database: Database) -> None:
    id = make(database, "mnist")
    fail(database, machine="other")
    assert claim(database, HOST) == {id}


def test_claim_takes_a_data_set_that_the_worker_has(database: Database) -> None:
    id = make(database, "mnist")
    fail(database)
    assert claim(database, Machine("host", frozenset({"mnist"}), PATIENCE)) == {id}


def test_claim_takes_experiments_whose_patience_is_over(database: Database) -> None:
    """They fail then, without another attempt at the download."""
    old, young = make(database, "mnist", age=PATIENCE + 60), make(database, "mnist", age=60)
    beat(database, "host")
    fail(database, since=PATIENCE + 60)
    assert claim(database, HOST) == {old}
    assert young not in claim(database, HOST, "w2")


@pytest.mark.parametrize(
    ("age", "since", "over"),
    [(PATIENCE + 60, PATIENCE + 60, True), (PATIENCE + 60, 60, False), (60, PATIENCE + 60, False)],
)
def test_record_failure_ends_the_patience_after_failure_and_submission(
    database: Database, age: float, since: float, over: bool
) -> None:
    id = make(database, "mnist", age=age)
    fail(database, since=since)
    assert do(database, waiting_downloads.record_failure, Fence(id, 1), HOST, "mnist", REASON) is over


@pytest.mark.parametrize(("failed_there", "over"), [(False, False), (True, True)])
def test_record_failure_leaves_experiments_to_a_machine_that_may_train_them(
    database: Database, failed_there: bool, over: bool
) -> None:
    id = make(database, "mnist", age=2 * PATIENCE)
    beat(database, "host", "other")
    fail(database)
    if failed_there:
        fail(database, machine="other")
    database.run("age", lambda s: s.execute(update(FailedDownload).values(since=after(-2 * PATIENCE))))
    assert do(database, waiting_downloads.record_failure, Fence(id, 1), HOST, "mnist", REASON) is over
    assert bool(claim(database, HOST)) is over


def test_record_failure_without_patience_ends_at_the_first_failure(database: Database) -> None:
    id = make(database, "mnist")
    assert do(database, waiting_downloads.record_failure, Fence(id, 1), Machine("host"), "mnist", REASON) is True


def test_unavailable_names_what_no_live_machine_can_get(database: Database) -> None:
    beat(database, "a", "b")
    for machine in ("a", "b", "gone"):
        fail(database, machine=machine)
    fail(database, "fashion_mnist", "a")
    with database.read() as session:
        answers = waiting_downloads.unavailable(session)
    assert set(answers) == {"mnist"}
    assert answers["mnist"] == Unavailable("mnist", REASON, answers["mnist"].retry_seconds)
    assert 50 < answers["mnist"].retry_seconds <= 60


def test_unavailable_tells_when_the_first_live_machine_tries_again(database: Database) -> None:
    beat(database, "a", "b")
    for machine, seconds in (("a", 500), ("b", 30), ("gone", 5)):
        fail(database, machine=machine)
        later = update(FailedDownload).where(FailedDownload.machine == machine).values(retry_at=after(seconds))
        database.run("later", lambda s, later=later: s.execute(later))  # type: ignore[misc]
    assert 20 < do(database, waiting_downloads.unavailable)["mnist"].retry_seconds <= 30


def test_unavailable_is_empty_without_live_workers(database: Database) -> None:
    fail(database)
    assert do(database, waiting_downloads.unavailable) == {}


def test_count_due_leaves_out_what_no_machine_can_get(database: Database) -> None:
    beat(database, "host")
    for dataset in ("mnist", "mnist", "mnist_5k"):
        make(database, dataset)
    assert do(database, order.count_due) == 3
    fail(database)
    assert do(database, order.count_due) == 1


def test_waiting_puts_what_no_machine_can_get_at_the_end(database: Database) -> None:
    beat(database, "host")
    held_back, other = make(database, "mnist"), make(database, "mnist_5k")
    fail(database)
    places = do(database, order.waiting, [held_back, other])
    assert {id: (place.position, place.unavailable is None) for id, place in places.items()} == {
        other: (1, True), held_back: (2, False),
    }  # fmt: skip
    assert places[held_back].unavailable.reason == REASON


def test_release_keeps_the_reason_and_counts_no_loss(database: Database) -> None:
    id = make(database, "mnist")
    (claimed,) = do(database, transitions.claim, "w1", 1, 30)
    do(database, transitions.release, claimed.fence, REASON)
    now = read_experiment(database, id)
    assert (now.status, now.lost_count, now.owner, now.detail) == (Status.QUEUED, 0, None, None)
    with database.read() as session:
        (attempt,) = attempts.of_experiment(session, id)
    assert (attempt.outcome, attempt.cause, attempt.detail) == ("released", None, REASON)
