"""Races of two transactions for the same row, repeated many times: each must end in exactly one of the allowed ways."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier, BrokenBarrierError
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import delete, event, select, text, update

from service.domain.status import Status
from service.storage.engine.database import Database
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.queue import leases, lost_workers, order, transitions
from service.storage.queue.leases import CancelRequested, Claim, Fence, FenceLost
from service.storage.queue.lost_workers import LostWorker
from service.storage.records import epochs, experiments, idempotency
from service.storage.records.idempotency import Request
from service.storage.tables.base import new_id
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Experiment, Result, Trace
from service.storage.tables.requests import IdempotencyKey
from tests.conftest import make_experiment, read_experiment
from tests.faults.scenario import Scenario
from tests.making import make_epoch, make_run

T = TypeVar("T")
Racer = Callable[[UnitOfWork], Any]

LEAD = 0.004  # s: about what one transaction takes
COUNTED = LostWorker(max_losses=10_000, counted=True, detail="silent")


def up_to(most: int) -> pytest.MarkDecorator:
    at_length = pytest.param(most, marks=[pytest.mark.nightly, pytest.mark.timeout(300)])
    return pytest.mark.parametrize("rounds", [pytest.param(100, marks=pytest.mark.slow), at_length])


@pytest.fixture
def database(database: Database) -> Database:
    """A database whose commits do not wait for the disk, which has no influence on who wins a race."""
    if database.sqlite:
        event.listen(database.engine, "connect", _do_not_wait)
        database.engine.dispose()  # whatever was opened before
    return database


def _do_not_wait(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


@dataclass(frozen=True)
class Race:
    """Two transactions that start at once. `prepare` runs before each round, and `judge` gets both answers after it."""

    database: Database
    prepare: Callable[[], None]
    first: Racer
    second: Racer

    def run(self, rounds: int, judge: Callable[[Any, Any], T]) -> set[T]:
        """Return all outcomes. The lead varies from round to round, so that each is first about as often."""
        judged: set[T] = set()
        answers: list[Any] = [None, None]
        start = Barrier(2, action=self.prepare, timeout=30)
        end = Barrier(2, action=lambda: judged.add(judge(*answers)), timeout=30)

        def race(place: int, racer: Racer) -> None:
            try:
                for number in range(rounds):
                    start.wait()
                    time.sleep(max(0.0, LEAD * (number % 9 - 4) / 4 * (1 - 2 * place)))
                    answers[place] = self._answer(racer)
                    end.wait()
            except BaseException:
                start.abort()
                end.abort()
                raise

        with ThreadPoolExecutor(2) as pool:
            raced = [pool.submit(race, 0, self.first), pool.submit(race, 1, self.second)]
        raised = [error for future in raced if (error := future.exception()) is not None]
        for error in sorted(raised, key=lambda error: isinstance(error, BrokenBarrierError)):
            raise error  # the cause, before the broken barrier of the other racer
        return judged

    def _answer(self, racer: Racer) -> Any:
        try:
            return self.database.run("race", racer)
        except (FenceLost, CancelRequested) as refusal:
            return type(refusal)


class Row:
    """The experiment that is raced for, reset before every round."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.id = database.run("make", make_experiment).id
        self.fence = Fence(self.id, 0)

    def queued(self) -> None:
        """Reset the experiment to queued; only its number of attempts stays."""
        fresh = {
            "status": Status.QUEUED, "owner": None, "lease_until": None, "cause": None, "finished_at": None,
            "cancel_requested": False, "not_before": None, "epochs_done": 0,
        }  # fmt: skip
        with self.database.write("put") as session:
            for table in (Epoch, Result, Trace):
                session.execute(delete(table))
            session.execute(update(Experiment).where(Experiment.id == self.id).values(**fresh))

    def running(self, lease_seconds: float = 30.0) -> None:
        """Reset the experiment and let worker w claim it."""
        self.queued()
        (claim,) = self.database.run("claim", lambda s: transitions.claim(s, "w", 1, lease_seconds))
        self.fence = claim.fence

    def silent(self) -> None:
        """Reset the experiment to running with an expired lease, which a reaper has seen."""
        self.running(lease_seconds=-1)
        with self.database.read() as session:
            (self.lease,) = leases.running(session)

    def read(self) -> Experiment:
        return read_experiment(self.database, self.id)

    def trace(self) -> list[str]:
        with self.database.read() as session:
            return list(session.scalars(select(Trace.transition).order_by(Trace.seq)))

    def cancel(self, session: UnitOfWork) -> bool:
        return bool(transitions.request_cancel(session, Experiment.id == self.id))

    def lose(self, session: UnitOfWork) -> bool:
        return lost_workers.requeue_expired(session, self.lease.fence, self.lease.until, COUNTED)


@pytest.fixture
def row(database: Database) -> Row:
    return Row(database)


@up_to(1000)
@pytest.mark.proves("an experiment has one worker", "two workers claim the same experiment concurrently, many times")
def test_concurrent_claims_never_share_an_experiment(
    database: Database, row: Row, scenario: Scenario, rounds: int
) -> None:
    def judge(first: list[Claim], second: list[Claim]) -> bool:
        assert len(first) + len(second) == 1
        assert row.read().owner == ("first" if first else "second")
        return bool(first)

    def claim(session: UnitOfWork, owner: str) -> list[Claim]:
        return transitions.claim(session, owner, 1, 30)

    race = Race(database, row.queued, lambda s: claim(s, "first"), lambda s: claim(s, "second"))
    assert race.run(rounds, judge) == {True, False}
    scenario.add_races(rounds)


@up_to(1000)
@pytest.mark.proves(
    "a cancel prevails over a success, or is refused because the experiment has ended",
    "a concurrent cancel and success of one experiment, many times",
)
def test_cancel_and_success_never_both_count(database: Database, row: Row, scenario: Scenario, rounds: int) -> None:
    """An accepted cancel cancels, however close the success was."""

    def judge(accepted: bool, refused: Any) -> bool:
        assert accepted == (refused is CancelRequested)
        assert row.read().status == (Status.RUNNING if accepted else Status.SUCCEEDED)
        if accepted:
            database.run("obey", lambda s: transitions.end_cancelled(s, row.fence))
            assert row.read().status == Status.CANCELLED
        return accepted

    def succeed(session: UnitOfWork) -> None:
        transitions.succeed(session, row.fence, make_run())

    assert Race(database, row.running, row.cancel, succeed).run(rounds, judge) == {True, False}
    scenario.add_races(rounds)


@up_to(300)
@pytest.mark.proves("a stale worker writes nothing", "a concurrent renewal and loss of one lease, many times")
def test_renewal_and_loss_never_both_count(database: Database, row: Row, scenario: Scenario, rounds: int) -> None:
    def judge(renewed: set[UUID], lost: bool) -> bool:
        assert lost != bool(renewed)
        assert row.read().status == (Status.QUEUED if lost else Status.RUNNING)
        return lost

    race = Race(database, row.silent, lambda s: transitions.renew(s, [row.fence], 30), row.lose)
    assert race.run(rounds, judge) == {True, False}
    scenario.add_races(rounds)


@up_to(300)
@pytest.mark.proves("a stale worker writes nothing", "a concurrent epoch and loss of one lease, many times")
def test_epoch_is_recorded_before_a_loss_or_not_at_all(
    database: Database, row: Row, scenario: Scenario, rounds: int
) -> None:
    def judge(refused: Any, lost: bool) -> bool:
        assert lost
        recorded = refused is None
        assert recorded or refused is FenceLost
        assert row.trace() == (["claim", "epoch", "lose"] if recorded else ["claim", "lose"])
        with database.read() as session:
            assert len(epochs.of_experiment(session, row.id)) == recorded
        return recorded

    race = Race(database, row.silent, lambda s: transitions.record_epoch(s, row.fence, make_epoch(1)), row.lose)
    assert race.run(rounds, judge) == {True, False}
    scenario.add_races(rounds)


@up_to(300)
@pytest.mark.proves(
    "a cancel prevails over a success, or is refused because the experiment has ended",
    "a concurrent cancel and claim of one experiment, many times",
)
def test_cancel_during_a_claim_is_obeyed(database: Database, row: Row, scenario: Scenario, rounds: int) -> None:
    def judge(claims: list[Claim], accepted: bool) -> bool:
        assert accepted
        now = row.read()
        assert now.cancel_requested
        assert now.status == (Status.RUNNING if claims else Status.CANCELLED)
        if claims:
            with pytest.raises(CancelRequested):
                database.run("succeed", lambda s: transitions.succeed(s, claims[0].fence, make_run()))
        return bool(claims)

    race = Race(database, row.queued, lambda s: transitions.claim(s, "w", 1, 30), row.cancel)
    assert race.run(rounds, judge) == {True, False}
    scenario.add_races(rounds)


@up_to(300)
@pytest.mark.proves("a repeated submit creates one experiment", "two concurrent submits with the same key, many times")
def test_idempotency_key_creates_one_experiment(database: Database, scenario: Scenario, rounds: int) -> None:
    def create(session: UnitOfWork) -> str | None:
        """Return the location of an earlier creation, or None after creating the experiment."""
        location = f"/experiments/{new_id()}"
        earlier = idempotency.reserve(session, Request("local", "key", "POST /experiments", "sha"), 202, location)
        if earlier is None:
            make_experiment(session, name=location)
        return None if earlier is None else earlier.location

    def judge(first: str | None, second: str | None) -> bool:
        with database.read() as session:
            (name,) = session.scalars(select(Experiment.name))
        assert {first, second} == {None, name}
        return first is None

    def empty() -> None:
        database.run("empty", lambda s: [s.execute(delete(table)) for table in (IdempotencyKey, Experiment)])

    assert Race(database, empty, create, create).run(rounds, judge) == {True, False}
    scenario.add_races(rounds)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_claim_does_not_wait_for_another_claim(database: Database, row: Row) -> None:
    """The claim takes the next experiment that no other transaction has locked."""
    other = database.run("make", make_experiment).id

    def claim(session: UnitOfWork) -> UUID:
        session.execute(text("SET LOCAL lock_timeout = '1s'"))
        return transitions.claim(session, "w", 1, 30)[0].fence.id

    with database.write("another") as session:
        assert session.scalars(order.due(1)).all() == [row.id]
        assert database.run("claim", claim) == other


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@up_to(300)
def test_remove_does_not_deadlock_with_a_running_retry(database: Database, row: Row, rounds: int) -> None:
    """Each transaction needs one try: there is no deadlock to resolve."""
    tries = 0
    fence = row.fence

    def prepare() -> None:
        nonlocal fence, tries
        tries = 0
        database.run("empty", lambda s: s.execute(delete(Experiment)))
        row.id = database.run("make", make_experiment).id
        database.run("cancel", row.cancel)
        again = database.run("retry", lambda s: experiments.retry(s, "local", row.read(), new_id())).id
        (claim,) = database.run("claim", lambda s: transitions.claim(s, "w", 1, 30))
        assert claim.fence.id == again
        fence = claim.fence

    def remove(session: UnitOfWork) -> bool:
        nonlocal tries
        tries += 1
        experiments.find_locked(session, row.id)
        return experiments.remove(session, row.id)

    def record(session: UnitOfWork) -> None:
        nonlocal tries
        tries += 1
        transitions.record_epoch(session, fence, make_epoch(1))

    def judge(done: bool, _: None) -> bool:
        assert done
        assert tries == 2
        return done

    assert Race(database, prepare, remove, record).run(rounds, judge) == {True}
