"""Records of downloads that failed: the delay to the next attempt, and when a record no longer counts."""

import pytest
from sqlalchemy import select, update

from service.storage.engine.clock import after, seconds_since
from service.storage.engine.database import Database
from service.storage.records import downloads, workers
from service.storage.records.downloads import DELAYS_SECONDS, FORGET_SECONDS
from service.storage.tables.downloads import FailedDownload
from tests.making import make_heartbeat
from tests.storage.steps import do


def shift(database: Database, **seconds: float) -> None:
    """Set times of all records to so many seconds from now."""
    times = {name: after(value) for name, value in seconds.items()}
    database.run("shift", lambda s: s.execute(update(FailedDownload).values(times)))


def seconds_left(database: Database) -> float:
    with database.read() as session:
        return -(session.scalars(select(seconds_since(FailedDownload.retry_at))).one())


def stored(database: Database) -> FailedDownload:
    with database.read() as session:
        return session.scalars(select(FailedDownload)).one()


def test_record_lengthens_the_delay_with_each_failure(database: Database) -> None:
    for delay in (60, 120, 240, 480, 600, 600):
        do(database, downloads.record, "mnist", "host", "The mirror is away.")
        assert seconds_left(database) == pytest.approx(delay, abs=5)
        shift(database, retry_at=-1)
    assert stored(database).failures == 6


def test_record_counts_one_failure_of_several_workers(database: Database) -> None:
    do(database, downloads.record, "mnist", "host", "first")
    before = stored(database)
    do(database, downloads.record, "mnist", "host", "second")
    now = stored(database)
    assert (now.failures, now.reason, now.retry_at) == (1, "first", before.retry_at)


def test_record_keeps_the_first_failure_and_the_newest_reason(database: Database) -> None:
    do(database, downloads.record, "mnist", "host", "first")
    before = stored(database)
    shift(database, retry_at=-1)
    do(database, downloads.record, "mnist", "host", "second")
    assert (stored(database).since, stored(database).reason) == (before.since, "second")


def test_record_starts_anew_where_nobody_has_tried_for_a_day(database: Database) -> None:
    do(database, downloads.record, "mnist", "host", "long ago")
    shift(database, since=-2 * FORGET_SECONDS, retry_at=-FORGET_SECONDS - 60)
    do(database, downloads.record, "mnist", "host", "now")
    assert (stored(database).failures, stored(database).reason) == (1, "now")
    assert seconds_left(database) == pytest.approx(DELAYS_SECONDS[0], abs=5)


def test_reason_to_wait_is_that_of_the_data_set_and_the_machine(database: Database) -> None:
    do(database, downloads.record, "mnist", "host", "The mirror is away.")
    reasons = {pair: do(database, downloads.reason_to_wait, *pair)
               for pair in (("mnist", "host"), ("mnist", "other"), ("fashion_mnist", "host"))}  # fmt: skip
    assert reasons == {("mnist", "host"): "The mirror is away.", ("mnist", "other"): None,
                       ("fashion_mnist", "host"): None}  # fmt: skip


@pytest.mark.parametrize("seconds", [-1, DELAYS_SECONDS[-1] + 60])
def test_reason_to_wait_ends_with_the_delay_and_where_the_clock_was_set_back(
    database: Database, seconds: float
) -> None:
    do(database, downloads.record, "mnist", "host", "The mirror is away.")
    shift(database, retry_at=seconds)
    assert do(database, downloads.reason_to_wait, "mnist", "host") is None


def test_forget_deletes_the_record_of_one_data_set(database: Database) -> None:
    for dataset in ("mnist", "fashion_mnist"):
        do(database, downloads.record, dataset, "host", "The mirror is away.")
    do(database, downloads.forget, "mnist", "host")
    assert stored(database).dataset == "fashion_mnist"


def test_first_beat_of_a_worker_lets_its_machine_try_again(database: Database) -> None:
    """It may have been started with another proxy. A later heartbeat changes nothing."""
    do(database, workers.beat, make_heartbeat("w1", hostname="host"))
    do(database, downloads.record, "mnist", "host", "The mirror is away.")
    for id, hostname, waits in (("w1", "host", True), ("w2", "other", True), ("w3", "host", False)):
        do(database, workers.beat, make_heartbeat(id, hostname=hostname))
        assert (do(database, downloads.reason_to_wait, "mnist", "host") is not None) is waits
