"""Data sets that cannot be downloaded for a while: their experiments wait, and others are trained in the meantime."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import update

from service.domain.datasets import DATASETS
from service.domain.status import Cause, Outcome, Status
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.queue import order, transitions
from service.storage.records import attempts, downloads
from service.storage.tables.downloads import FailedDownload
from service.storage.tables.experiments import Experiment
from tests.background.waking import CountingWaker
from tests.conftest import make_experiment, read_experiment
from tests.datasets.publishing import PACKED, TRAIN_IMAGES, Mirror, make_definition, serving
from tests.faults.history import judge
from tests.worker.attempts import TINY, TINY_MODEL, claim, log_of
from worker import tasks
from worker.attempt import run
from worker.context import WorkerContext
from worker.identity import Identity, hostname

PUBLISHED = {
    "dataset": "mnist", "epochs": 1, "batch_size": 20, "precision": "float32", "model": TINY_MODEL,
    "diagnostics": False,
}  # fmt: skip
REQUEST = f"/files/{TRAIN_IMAGES}"


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """The only mirror of MNIST, which is away: it answers 503."""
    monkeypatch.setattr("service.datasets.download.ATTEMPTS", 1)
    with serving() as mirror:
        url = mirror.serve("files")
        for name in PACKED:
            mirror.answers[f"/files/{name}"] = [(503, b"")]
        monkeypatch.setitem(DATASETS, "mnist", make_definition(url))
        yield mirror


@pytest.fixture
def context(context: WorkerContext, monkeypatch: pytest.MonkeyPatch) -> WorkerContext:
    """The context without folders in which this machine may have MNIST."""
    locations = replace(
        context.datasets.locations, user_home=context.settings.home, working_folder=context.settings.home
    )
    monkeypatch.setattr(context.datasets, "locations", locations)
    return context


def queue(database: Database, **fields: object) -> UUID:
    return database.run("make", lambda s: make_experiment(s, **fields)).id


def train_all(context: WorkerContext) -> int:
    """Run the worker until it finds nothing to claim; return how many attempts it made."""
    made = 0
    while tasks.train(context, Identity("w1", "cpu", "test"), CountingWaker()):  # type: ignore[arg-type]
        made += 1
    return made


def delay_passes(database: Database) -> None:
    database.run("due", lambda s: s.execute(update(FailedDownload).values(retry_at=after(-1))))


def hours_pass(database: Database, hours: float) -> None:
    """Make the failure and the experiments so much older."""
    with database.write("age") as session:
        session.execute(update(FailedDownload).values(since=after(-3600 * hours), retry_at=after(-1)))
        session.execute(update(Experiment).values(created_at=after(-3600 * hours)))


def outcomes(database: Database, id: UUID) -> list[str | None]:
    with database.read() as session:
        return [attempt.outcome for attempt in attempts.of_experiment(session, id)]


@pytest.mark.slow
def test_train_fails_no_experiment_while_a_download_fails(
    database: Database, context: WorkerContext, mirror: Mirror
) -> None:
    ids = [queue(database, **PUBLISHED, seed=seed) for seed in range(20)]
    other = queue(database, **TINY)

    assert train_all(context) == 2
    assert mirror.requested == [REQUEST]
    assert read_experiment(database, other).status == Status.SUCCEEDED
    now = [read_experiment(database, id) for id in ids]
    assert {(row.status, row.lost_count, row.cause, row.detail) for row in now} == {(Status.QUEUED, 0, None, None)}
    assert sorted(row.attempt for row in now) == [0] * 19 + [1]

    delay_passes(database)
    assert train_all(context) == 1
    assert mirror.requested == [REQUEST] * 2

    mirror.serve("files")
    assert train_all(context) == 0  # not before the delay has passed
    delay_passes(database)
    assert train_all(context) == 20
    assert {read_experiment(database, id).status for id in ids} == {Status.SUCCEEDED}
    assert mirror.requested.count(REQUEST) == 3
    assert outcomes(database, ids[0]) == [Outcome.RELEASED, Outcome.RELEASED, Outcome.SUCCEEDED]
    assert database.run("marks", downloads.waiting) == []
    assert judge(database).clean


def test_waiting_reason_names_the_data_set_and_the_mirror(
    database: Database, context: WorkerContext, mirror: Mirror
) -> None:
    id = queue(database, **PUBLISHED)
    train_all(context)
    with database.read() as session:
        place = order.waiting(session, [id])[id]
    assert place.unavailable is not None
    assert place.unavailable.dataset == "mnist"
    assert all(part in place.unavailable.reason for part in (TRAIN_IMAGES, mirror.url, "503"))
    assert "DownloadUnavailable" in log_of(context, id)
    assert str(context.settings.home) not in place.unavailable.reason


def test_train_fails_experiments_whose_patience_is_over(
    database: Database, context: WorkerContext, mirror: Mirror
) -> None:
    ids = [queue(database, **PUBLISHED, seed=seed) for seed in range(20)]
    train_all(context)
    hours_pass(database, 6.1)
    young = queue(database, **PUBLISHED)
    assert train_all(context) == 20
    now = [read_experiment(database, id) for id in ids]
    assert {(row.status, row.cause) for row in now} == {(Status.FAILED, Cause.INVALID_DATA)}
    for row in now:
        assert "mnist could not be downloaded for 6 h. No mirror sends" in (row.detail or "")
        assert mirror.url in (row.detail or "")
    assert read_experiment(database, young).status == Status.QUEUED
    assert mirror.requested == [REQUEST] * 2  # the others fail without a request of their own
    assert judge(database, [young]).clean


def test_train_goes_on_with_an_experiment_within_its_patience(
    database: Database, context: WorkerContext, mirror: Mirror
) -> None:
    id = queue(database, **PUBLISHED)
    train_all(context)
    hours_pass(database, 5.9)
    assert train_all(context) == 1
    assert read_experiment(database, id).status == Status.QUEUED


def test_run_fails_at_once_where_no_mirror_has_the_files(
    database: Database, context: WorkerContext, mirror: Mirror
) -> None:
    mirror.answers.clear()
    id = queue(database, **PUBLISHED)
    run(context, claim(database))
    now = read_experiment(database, id)
    assert (now.status, now.cause) == (Status.FAILED, Cause.INVALID_DATA)
    assert "404" in (now.detail or "")


def test_run_does_not_repeat_a_download_that_failed_after_the_claim(
    database: Database, context: WorkerContext, mirror: Mirror
) -> None:
    id = queue(database, **PUBLISHED)
    taken = claim(database)
    database.run("fail", lambda s: downloads.record(s, "mnist", hostname(), "The mirror is away."))
    run(context, taken)
    assert read_experiment(database, id).status == Status.QUEUED
    assert mirror.requested == []


def test_cancel_ends_an_experiment_that_waits_for_its_data(
    database: Database, context: WorkerContext, mirror: Mirror
) -> None:
    id = queue(database, **PUBLISHED)
    train_all(context)
    database.run("cancel", lambda s: transitions.request_cancel(s, Experiment.id == id))
    assert read_experiment(database, id).status == Status.CANCELLED
    delay_passes(database)
    assert train_all(context) == 0


def test_cancel_during_a_download_that_fails_ends_the_experiment(
    database: Database, context: WorkerContext, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = queue(database, **PUBLISHED)
    get = context.datasets.get

    def cancelled_meanwhile(*arguments: object) -> object:
        database.run("cancel", lambda s: transitions.request_cancel(s, Experiment.id == id))
        return get(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(context.datasets, "get", cancelled_meanwhile)
    run(context, claim(database))
    assert read_experiment(database, id).status == Status.CANCELLED
    assert outcomes(database, id) == [Outcome.CANCELLED]


def test_run_records_nothing_where_its_lease_was_lost_during_the_download(
    database: Database, context: WorkerContext, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = queue(database, **PUBLISHED)
    taken = claim(database)
    database.run("release", lambda s: transitions.release(s, taken.fence))
    newer = database.run("claim", lambda s: transitions.claim(s, "w2", 1, 30))
    run(context, taken)
    assert read_experiment(database, id).attempt == newer[0].fence.attempt
    assert read_experiment(database, id).status == Status.RUNNING
    assert outcomes(database, id) == [Outcome.RELEASED, None]
    assert judge(database).stale == 0
