"""Random sequences of what clients, workers, reapers and supervisors do, with fences and leases of any age.

After every step the database must agree with a model in plain Python, and all invariants must hold.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from service.domain.status import Cause, Status
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.queue import leases, lost_workers, transitions
from service.storage.queue.leases import CancelRequested, Checkpoint, Fence, FenceLost, Lease
from service.storage.queue.lost_workers import LostWorker
from service.storage.queue.order import LONGEST_BACK_OFF_SECONDS
from service.storage.records import experiments
from service.storage.tables.base import new_id
from service.storage.tables.experiments import Experiment, Trace
from tests.conftest import make_experiment
from tests.making import make_epoch, make_run
from tests.storage import invariants
from tests.storage.invariants import Stored
from tests.storage.model import Expected, World

T = TypeVar("T")

MAX_LOSSES = 3
MOST = 5  # experiments at a time
LONG = 1800.0  # s: longer than a test takes, shorter than the longest lease

# Without shrinking: a failure ends at once, and THOROUGH finds the shortest way to it.
QUICK = settings(
    phases=(Phase.generate,),
    max_examples=30,
    stateful_step_count=30,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
THOROUGH = settings(
    QUICK, phases=tuple(Phase), max_examples=300, stateful_step_count=60, derandomize=False, print_blob=True
)

# How often each action is tried. One rule draws them all: with many rules, Hypothesis leaves some out of each example,
# and an example without claims tests nothing.
WEIGHTS = {
    "submit": 2, "retry": 1, "cancel": 1, "cancel_some": 1, "remove": 1,
    "claim": 5, "renew": 1, "record": 4, "record_checkpoint": 2, "start_over": 1,
    "succeed": 1, "fail": 1, "end_cancelled": 1, "release": 1,
    "look": 1, "expire": 2, "requeue_expired": 2, "requeue_owned": 1, "let_back_offs_pass": 1,
}  # fmt: skip
ACTIONS = st.sampled_from([name for name, weight in WEIGHTS.items() for _ in range(weight)])

REACHED = {"claim", "epoch", "checkpoint", "start_over", "succeed", "fail", "cancelled", "release", "lose", "cancel",
           "FenceLost", "CancelRequested"}  # fmt: skip
"""Transitions and errors that the examples must have reached, or the test proves nothing."""


class LifeCycle(RuleBasedStateMachine):
    """Does random actions to a database and to the model."""

    def __init__(self, database: Database, reached: Counter[str]) -> None:
        super().__init__()
        self.database = database
        self.reached = reached
        self.world = World()
        self.ids: list[UUID] = []
        self.fences: list[Fence] = []
        self.seen: list[tuple[Lease, int]] = []
        self.ticks = 0
        database.run("empty", empty)
        self.before = self.stored = Stored.read(database)
        self.submit()

    @rule(action=ACTIONS, which=st.integers(0, 99), number=st.integers(0, 9))
    def step(self, action: str, which: int, number: int) -> None:
        """Do an action. `which` chooses the fence, lease or experiment, and `number` all other arguments."""
        if action in CLIENTS:
            CLIENTS[action](self, self.ids[which % len(self.ids)])
        elif action in WORKERS and self.fences:
            WORKERS[action](self, self.fence(which), number)
        elif action in OTHERS:
            OTHERS[action](self, number)
        elif action == "requeue_expired" and self.seen:
            self.requeue_expired(*self.seen[-1 - which % min(len(self.seen), 5)], counted=number > 2)

    def fence(self, which: int) -> Fence:
        """Return any fence so far, or, half of the time, one that still holds, since most others are refused."""
        running = [fence for fence in self.fences if self.world.holds(fence)]
        among = running if running and which % 2 else self.fences
        return among[which // 2 % len(among)]

    def both(self, real: Callable[[UnitOfWork], T], model: Callable[[], T]) -> T | None:
        """Do an action to the database and to the model; both must give the same answer or the same refusal."""
        self.world.changed.clear()
        expected = outcome(model)
        assert outcome(lambda: self.database.run("action", real)) == expected
        self.before, self.stored = self.stored, Stored.read(self.database)
        self.reached.update(line.transition for line in self.stored.trace[len(self.before.trace) :])
        if isinstance(expected, type):
            self.reached[expected.__name__] += 1
            return None
        return expected

    def tick(self) -> int:
        """Return the number of a new lease, each a second longer than the last, so that no two end at once."""
        self.ticks += 1
        return self.ticks

    # --- clients ---------------------------------------------------------------------------------------------------

    def submit(self, _: object = None) -> None:
        if len(self.world.experiments) < MOST:
            self.ids.append(self.database.run("make", make_experiment).id)
            self.both(lambda s: None, lambda: self.world.submit(self.ids[-1]))

    def retry(self, id: UUID) -> None:
        old = self.world.experiments.get(id)
        if old is not None and old.status.terminal:
            again = self.database.run("retry", lambda s: experiments.retry(s, "local", read(s, id), new_id()))
            self.ids.append(again.id)
            self.both(lambda s: None, lambda: self.world.submit(again.id, retry_of=id))

    def cancel(self, id: UUID) -> None:
        self._cancel({id})

    def cancel_some(self, id: UUID) -> None:
        self._cancel({id, self.ids[0], self.ids[-1]})

    def _cancel(self, ids: set[UUID]) -> None:
        which = Experiment.id.in_(ids)
        self.both(lambda s: set(transitions.request_cancel(s, which)), lambda: self.world.cancel(ids))

    def remove(self, id: UUID) -> None:
        self.both(lambda s: removed(s, id), lambda: self.world.remove(id))

    # --- workers, current and stale ---------------------------------------------------------------------------------

    def claim(self, number: int) -> None:
        owner, limit, lease = "abc"[number % 3], 1 + number // 8, self.tick()
        taken = self.both(
            lambda s: [claim.fence for claim in transitions.claim(s, owner, limit, LONG + lease)],
            lambda: self.world.claim(owner, limit, lease),
        )
        self.fences += taken or ()

    def renew(self, fence: Fence, _: int) -> None:
        lease = self.tick()
        self.both(lambda s: transitions.renew(s, [fence], LONG + lease), lambda: self.world.renew(fence, lease))

    def record(self, fence: Fence, number: int) -> None:
        """Record the next epoch, or sometimes the last one again, as after a commit whose answer got lost."""
        epoch, loss = max(1, self.done(fence) + (number > 1)), float(self.tick())
        self.both(
            lambda s: transitions.record_epoch(s, fence, make_epoch(epoch, train_loss=loss)),
            lambda: self.world.record(fence, epoch, loss),
        )

    def record_checkpoint(self, fence: Fence, number: int) -> None:
        checkpoint = Checkpoint(self.done(fence), number, f"{fence.attempt}-{number}", "sha")
        self.both(
            lambda s: transitions.record_checkpoint(s, fence, checkpoint),
            lambda: self.world.record_checkpoint(fence, checkpoint),
        )

    def done(self, fence: Fence) -> int:
        return len(self.world.experiments.get(fence.id, Expected()).epochs)

    def start_over(self, fence: Fence, _: int) -> None:
        self.both(lambda s: transitions.start_over(s, fence), lambda: self.world.start_over(fence))

    def succeed(self, fence: Fence, _: int) -> None:
        self.both(lambda s: transitions.succeed(s, fence, make_run()), lambda: self.world.succeed(fence))

    def fail(self, fence: Fence, _: int) -> None:
        self.both(lambda s: transitions.fail(s, fence, Cause.DIVERGED, "NaN"), lambda: self.world.fail(fence))

    def end_cancelled(self, fence: Fence, _: int) -> None:
        self.both(lambda s: transitions.end_cancelled(s, fence), lambda: self.world.end_cancelled(fence))

    def release(self, fence: Fence, _: int) -> None:
        self.both(lambda s: transitions.release(s, fence), lambda: self.world.release(fence))

    # --- reapers, supervisors, and time ----------------------------------------------------------------------------

    def look(self, _: object = None) -> None:
        """Look at all leases, as a reaper does, which may act on them much later."""
        with self.database.read() as session:
            running = leases.running(session)
        self.seen += [(lease, self.world.experiments[lease.fence.id].lease) for lease in running]

    def expire(self, _: object) -> None:
        for id in [id for id, row in self.world.experiments.items() if row.status == Status.RUNNING]:
            lease = self.tick()
            late = update(Experiment).where(Experiment.id == id).values(lease_until=after(lease - 2 * LONG))
            self.database.run("late", lambda s, late=late: s.execute(late))  # type: ignore[misc]
            self.world.expire(id, lease)
        self.look()

    def requeue_expired(self, lease: Lease, number: int, *, counted: bool) -> None:
        lost_worker = LostWorker(MAX_LOSSES, counted, "silent")
        self.both(
            lambda s: stretched(s, lost_workers.requeue_expired(s, lease.fence, lease.until, lost_worker)),
            lambda: self.world.requeue_expired(lease.fence, number, lost_worker),
        )

    def requeue_owned(self, number: int) -> None:
        owner, lost_worker = "abc"[number % 3], LostWorker(MAX_LOSSES, counted=True, detail="died")
        self.both(
            lambda s: stretched(s, set(lost_workers.requeue_owned(s, owner, lost_worker))),
            lambda: self.world.requeue_owned(owner, lost_worker),
        )

    def let_back_offs_pass(self, _: object) -> None:
        self.database.run("pass", lambda s: s.execute(update(Experiment).values(not_before=None)))
        for row in self.world.experiments.values():
            row.backing_off = False

    # --- what always holds -----------------------------------------------------------------------------------------

    @invariant()
    def database_agrees_with_the_model(self) -> None:
        assert self.stored.as_expected() == self.world.experiments

    @invariant()
    def invariants_hold(self) -> None:
        invariants.check(self.stored, MAX_LOSSES)
        invariants.check_step(self.before, self.stored, self.world.changed)


CLIENTS = {action.__name__: action for action in (
    LifeCycle.retry, LifeCycle.cancel, LifeCycle.cancel_some, LifeCycle.remove,
)}  # fmt: skip
WORKERS = {action.__name__: action for action in (
    LifeCycle.renew, LifeCycle.record, LifeCycle.record_checkpoint, LifeCycle.start_over, LifeCycle.succeed,
    LifeCycle.fail, LifeCycle.end_cancelled, LifeCycle.release,
)}  # fmt: skip
OTHERS = {action.__name__: action for action in (
    LifeCycle.submit, LifeCycle.claim, LifeCycle.look, LifeCycle.expire, LifeCycle.requeue_owned,
    LifeCycle.let_back_offs_pass,
)}  # fmt: skip


# --- shared --------------------------------------------------------------------------------------------------------


def outcome(act: Callable[[], T]) -> T | type[Exception]:
    try:
        return act()
    except (FenceLost, CancelRequested) as refusal:
        return type(refusal)


def read(session: Session, id: UUID) -> Experiment:
    experiment = experiments.find(session, id)
    assert experiment is not None
    return experiment


def removed(session: UnitOfWork, id: UUID) -> bool:
    """Delete an experiment as the route does: where it is not deleted, nothing is committed."""
    if experiments.remove(session, id):
        return True
    session.rollback()
    return False


def stretched(session: Session, answer: T) -> T:
    """Make a back-off outlast the test, so that the model needs no clock."""
    backing_off = (Experiment.status == Status.QUEUED, Experiment.not_before > after(0.5))
    session.execute(update(Experiment).where(*backing_off).values(not_before=after(LONGEST_BACK_OFF_SECONDS - 10)))
    return answer


def empty(session: Session) -> None:
    for table in (Trace, Experiment):
        session.execute(delete(table))


def explore(database: Database, profile: settings) -> None:
    reached: Counter[str] = Counter()
    machine: Any = partial(LifeCycle, database, reached)  # annotated there as a class; any factory will do
    run_state_machine_as_test(machine, settings=profile)
    assert reached.keys() >= REACHED


def test_life_cycle_matches_the_model(database: Database) -> None:
    explore(database, QUICK)


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_life_cycle_matches_the_model_at_length(database: Database) -> None:
    explore(database, THOROUGH)
