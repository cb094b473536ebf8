"""The feed and the poller: their cost in queries, and how old their answers may be."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from service.api.events.describe import describe
from service.changefeed.feed import MOST_BATCHES, MOST_REMEMBERED, Batch, Feed
from service.changefeed.poller import Poller
from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.queue import transitions
from tests.api import states
from tests.api.following import following, running
from tests.api.http.test_conditional import poll
from tests.api.serving import EXPERIMENTS, STUDIES, services_of, serving
from tests.api.test_cost import recorded
from tests.making import make_epoch
from tests.waiting import await_true

RARELY = {"reap_seconds": 600, "reconcile_seconds": 600, "poll_seconds": 60}
"""Periods so long that only the test polls."""


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with serving(settings.model_copy(update=RARELY)) as opened:
        yield opened


def ask(client: TestClient) -> None:
    services = services_of(client)
    Poller(services.database, services.feed, describe).poll()


def remembered(client: TestClient, path: str) -> str:
    """Return the ETag of a path, after checking that the process answers 304 to it without a query."""
    ask(client)
    etag = client.get(path).headers["etag"]
    with recorded(services_of(client).database) as statements:
        assert poll(client, path, etag).status_code == 304
    assert statements == []
    return str(etag)


# --- 304 from memory -----------------------------------------------------------------------------------------------

Change = Callable[[TestClient, str, str], object]
CHANGES: dict[str, Change] = {
    "edit": lambda client, study, id: client.patch(f"{EXPERIMENTS}/{id}", json={"name": "new"}),
    "edit the study": lambda client, study, id: client.patch(f"{STUDIES}/{study}", json={"name": "new"}),
    "add seeds": lambda client, study, id: client.patch(f"{STUDIES}/{study}", json={"seeds": [0, 1, 2]}),
    "cancel": lambda client, study, id: client.post(f"{EXPERIMENTS}/{id}/cancel"),
    "cancel the study": lambda client, study, id: client.post(f"{STUDIES}/{study}/cancel"),
}
OF_THE_EXPERIMENT = {"edit", "cancel", "cancel the study"}


@pytest.mark.parametrize("change", CHANGES)
def test_change_in_the_same_process_invalidates_etags_at_once(
    client: TestClient, database: Database, change: str
) -> None:
    study = client.post(STUDIES, json={"factors": {"activation": ["relu"]}, "seeds": [0]}).json()["id"]
    (fence,) = states.claim(database)
    paths = [f"{STUDIES}/{study}"]
    if change in OF_THE_EXPERIMENT:
        paths += [f"{EXPERIMENTS}/{fence.id}", f"{EXPERIMENTS}/{fence.id}/metrics"]
    before = {path: remembered(client, path) for path in paths}
    answer = CHANGES[change](client, study, str(fence.id))
    assert getattr(answer, "status_code", 0) == 200
    for path, etag in before.items():
        assert poll(client, path, etag).status_code == 200, path


def test_delete_in_the_same_process_is_404_at_once(client: TestClient, database: Database) -> None:
    path = f"{EXPERIMENTS}/{states.finish(database)}"
    etag = remembered(client, path)
    client.delete(path)
    assert poll(client, path, etag).status_code == 404
    assert poll(client, path, "*").status_code == 404


def test_change_in_another_process_shows_at_the_next_poll(client: TestClient, database: Database) -> None:
    """On SQLite it shows at once."""
    fence = states.start(database)
    path = f"{EXPERIMENTS}/{fence.id}"
    etag = remembered(client, path)
    states.succeed(database, fence)
    assert poll(client, path, etag).status_code == (200 if database.sqlite else 304)
    ask(client)
    assert poll(client, path, etag).status_code == 200


@states.on_sqlite
def test_recall_is_empty_while_the_poller_fails(client: TestClient, database: Database) -> None:
    fence = states.start(database)
    path = f"{EXPERIMENTS}/{fence.id}"
    etag = remembered(client, path)
    states.succeed(database, fence)
    services_of(client).feed.confirm(time.monotonic() - 2 * RARELY["poll_seconds"] - 0.1)
    assert poll(client, path, etag).status_code == 200


def in_loop(test: Callable[[Feed], None]) -> None:
    async def run() -> None:
        feed = Feed(10, period=60, most_listeners=1)
        feed.confirm(time.monotonic())
        test(feed)

    asyncio.run(run())


def test_remember_ignores_reads_from_before_a_change() -> None:
    """The read may have seen the state before the change."""

    def check(feed: Feed) -> None:
        id = uuid4()
        token = feed.token()
        feed.wrote({id: 11})
        feed.remember(id, 10, token)
        assert feed.recall(id) is None
        token = feed.token()
        feed.publish(Batch(10, 12, {id: 12}, None), time.monotonic())
        feed.remember(id, 11, token)
        assert feed.recall(id) is None
        feed.remember(id, 12, feed.token())
        assert feed.recall(id) == 12
        feed.publish(Batch(12, 5000, None, None), time.monotonic())  # too many to name
        assert feed.recall(id) is None

    in_loop(check)


def test_feed_bounds_batches_and_revisions() -> None:
    def check(feed: Feed) -> None:
        for revision in range(10, 11 + MOST_BATCHES):
            feed.publish(Batch(revision, revision + 1, {}, ()), time.monotonic())
        assert feed.after(10) is None
        assert len(feed.after(11) or []) == MOST_BATCHES
        ids = [uuid4() for _ in range(MOST_REMEMBERED + 1)]
        for id in ids:
            feed.remember(id, 1, feed.token())
        assert [feed.recall(id) for id in (ids[0], ids[1], ids[-1])] == [None, 1, 1]

    in_loop(check)


# --- what following and waiting cost -------------------------------------------------------------------------------


def test_number_of_listeners_does_not_change_queries(settings: Settings, database: Database) -> None:
    fence = states.start(database)
    with running(settings.model_copy(update=RARELY)) as api, ExitStack() as opened:
        poller = Poller(api.services.database, api.services.feed, describe)

        def cost(epoch: int) -> int:
            with database.write("epoch") as session:
                transitions.record_epoch(session, fence, make_epoch(epoch))
            with recorded(api.services.database) as statements:
                poller.poll()
                await_true(lambda: all(len(follower.events) == 2 * epoch for follower in followers))
            return len(selects(statements))

        followers = [opened.enter_context(following(api.client))]
        alone = cost(1)
        followers += [
            opened.enter_context(following(api.client, f"/api/v1/events?since={epoch}")) for epoch in [0] * 10
        ]
        assert cost(2) == alone
        with recorded(api.services.database) as statements:
            poller.poll()
        assert len(selects(statements)) == 1


def selects(statements: list[tuple[str, object]]) -> list[str]:
    return [statement for statement, _ in statements if statement.startswith("SELECT")]


def test_waiting_requests_make_no_query_without_a_change(client: TestClient, database: Database) -> None:
    fence, other = states.start(database), states.start(database)
    queued = states.queue(database)
    path = f"{EXPERIMENTS}/{fence.id}"
    etag = remembered(client, path)
    with ThreadPoolExecutor(6) as threads, recorded(services_of(client).database) as statements:
        waiting = [threads.submit(poll, client, path, etag, wait=30) for _ in range(4)]
        waiting += [threads.submit(client.get, f"{EXPERIMENTS}/{id}", params={"wait": 30}) for id in (fence.id, queued)]
        await_true(lambda: reads(statements) == 2)  # those without a tag, to see whether it has ended
        states.succeed(database, other)
        ask(client)  # what changes is of no concern to them
        time.sleep(0.5)
        assert reads(statements) == 2
        states.succeed(database, fence)
        client.post(f"{EXPERIMENTS}/{queued}/cancel")
        ask(client)
        answers = [future.result(20) for future in waiting]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["status"] for answer in answers} == {"succeeded", "cancelled"}


def reads(statements: list[tuple[str, object]]) -> int:
    """Return the number of reads of whole experiments."""
    return sum("experiments.spec" in statement for statement in selects(statements))
