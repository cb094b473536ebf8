"""Server-sent events: their bodies, subscriptions and positions, without gaps or repeats."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import update

from service.domain.errors import DatabaseUnavailable, Overloaded
from service.settings import Settings
from service.storage.changes import revisions
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.queue.leases import Fence
from service.storage.tables.changes import Tombstone
from tests.api import states
from tests.api.following import EVENTS, Follower, Frame, Running, first_events, following, running
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS, STUDIES
from tests.conftest import ROOT
from tests.making import make_epoch
from tests.waiting import await_true


@pytest.fixture
def api(settings: Settings, database: Database) -> Iterator[Running]:
    with running(settings) as started:
        yield started


def record(database: Database, fence: Fence, epoch: int) -> None:
    with database.write("epoch") as session:
        transitions.record_epoch(session, fence, make_epoch(epoch))


def submit_study(api: Running, seeds: int = 1) -> str:
    spec = {"base": {"dataset": "mnist_5k"}, "factors": {"activation": ["relu"]}, "seeds": list(range(seeds))}
    return str(api.client.post(STUDIES, json=spec).json()["id"])


def get(api: Running, path: str) -> Any:
    return api.client.get(f"{path}").json()


def kinds(frames: list[Frame]) -> list[str | None]:
    return [frame.event for frame in frames]


def numbers(frames: list[Frame]) -> list[int]:
    """Return the revisions of the frames that carry an id."""
    return [int(frame.id.rpartition(".")[2]) for frame in frames if frame.id]


# --- events --------------------------------------------------------------------------------------------------------


def test_events_have_the_bodies_of_the_routes(api: Running, database: Database) -> None:
    submit_study(api)
    (fence,) = states.claim(database)
    with following(api.client) as follower:
        record(database, fence, 1)
        experiment, metrics, study = follower.until(3)
    path = f"{EXPERIMENTS}/{fence.id}"
    assert kinds([experiment, metrics, study]) == ["experiment", "metrics", "study"]
    assert experiment.data == api.get(path)
    delta = api.get(f"{path}/metrics?since={experiment.data['revision'] - 1}")
    assert metrics.data == delta | {"experiment_id": str(fence.id), "study_id": study.data["id"]}
    assert study.data | {"eta_seconds": None} == api.get(f"{STUDIES}/{study.data['id']}") | {"eta_seconds": None}


def test_events_carry_an_id_at_the_end_of_a_revision(api: Running, database: Database) -> None:
    study = submit_study(api, seeds=2)
    first, second = states.claim(database)
    with following(
        api.client, f"{STUDIES}/{study}/events?since={api.get(f'{STUDIES}/{study}')['revision']}"
    ) as follower:
        record(database, first, 1)
        record(database, second, 1)
        await_true(lambda: numbers(follower.events)[-1:] == [api.get(f"{STUDIES}/{study}")["revision"]])
        frames = follower.events
    for frame, after_it in pairwise(frames):
        last = frame.data["revision"] != after_it.data["revision"]
        assert (frame.id is not None) == last
        assert frame.id is None or frame.id.endswith(f".{frame.data['revision']}")
    assert frames[-1].id is not None


def test_events_begin_with_the_current_state(api: Running, database: Database) -> None:
    study = submit_study(api)
    (fence,) = states.claim(database)
    record(database, fence, 1)
    record(database, fence, 2)
    experiment = first_events(api.client, f"{EXPERIMENTS}/{fence.id}/events")
    assert sorted(kinds(experiment)) == ["experiment", "metrics", "metrics"]  # type: ignore[type-var]
    epochs = [item["epoch"] for frame in experiment if frame.event == "metrics" for item in frame.data["items"]]
    assert epochs == [1, 2]
    (frame,) = first_events(api.client, f"{STUDIES}/{study}/events")
    assert (frame.event, frame.data["progress"]["running"]) == ("study", 1)
    assert first_events(api.client) == []


def test_events_match_the_subscription(api: Running, database: Database) -> None:
    study = submit_study(api)
    (inside,) = states.claim(database)
    outside = states.start(database)
    now = f"since={api.get(f'{EXPERIMENTS}/{outside.id}')['revision']}"
    expectations = {
        f"{EVENTS}?study={study}": {"experiment", "metrics", "study"},
        f"{EVENTS}?experiment={inside.id}": {"experiment", "metrics"},
        f"{EVENTS}?experiment={outside.id}&study={states.SOME_ID}": set(),
        f"{EVENTS}?kind=study": {"study"},
        f"{EVENTS}?kind=study&kind=metrics": {"study", "metrics"},
        f"{STUDIES}/{study}/events?kind=experiment&{now}": {"experiment"},
        f"{EXPERIMENTS}/{inside.id}/events?kind=metrics&{now}": {"metrics"},
    }
    with ExitStack() as opened:
        followers = {path: opened.enter_context(following(api.client, path)) for path in expectations}
        record(database, inside, 1)
        for path, expected in expectations.items():
            await_true(partial(has_heard, followers[path], expected))
        followers[EVENTS] = opened.enter_context(following(api.client))
        record(database, inside, 1)
        followers[EVENTS].until(3)  # by then the others have heard what there was to hear
        assert {path: heard(followers[path]) for path in expectations} == expectations


def has_heard(follower: Follower, kinds: set[str]) -> bool:
    return heard(follower) >= kinds


def heard(follower: Follower) -> set[str | None]:
    return {frame.event for frame in follower.events}


def test_events_in_compact_form_leave_out_the_spec(api: Running, database: Database) -> None:
    fence = states.start(database)
    (whole,) = first_events(api.client, f"{EXPERIMENTS}/{fence.id}/events")
    (compact,) = first_events(api.client, f"{EXPERIMENTS}/{fence.id}/events?compact=true")
    assert whole.data.pop("spec")
    assert compact.data == whole.data


def test_events_include_deletions(api: Running, database: Database) -> None:
    study = submit_study(api, seeds=2)
    for fence in states.claim(database):
        states.succeed(database, fence)
    removed, remaining = (item["id"] for item in api.get(EXPERIMENTS)["items"])
    with following(api.client, f"{EVENTS}?study={study}") as follower:
        api.client.delete(f"{EXPERIMENTS}/{removed}")
        states_told = follower.until(2)
        assert kinds(states_told) == ["study", "deleted"]
        assert states_told[1].data | {"revision": 0} == {
            "kind": "experiment", "id": removed, "study_id": study, "revision": 0}  # fmt: skip
        api.client.delete(f"{STUDIES}/{study}")
        gone = follower.until(4)[2:]
        assert {(frame.event, frame.data["id"]) for frame in gone} == {("deleted", remaining), ("deleted", study)}


# --- resuming ------------------------------------------------------------------------------------------------------


def change(database: Database, fence: Fence, epochs: range) -> None:
    for epoch in epochs:
        record(database, fence, epoch)


def epochs_of(frames: list[Frame]) -> list[int]:
    return [item["epoch"] for frame in frames if frame.event == "metrics" for item in frame.data["items"]]


def test_events_resume_without_gaps_or_repeats(settings: Settings, database: Database) -> None:
    """A client resumes from memory, and from the database after a restart of the process."""
    fence = states.start(database, epochs=20)
    path = f"{EXPERIMENTS}/{fence.id}/events"
    seen: list[Frame] = []
    with running(settings) as api:
        with following(api.client, path) as follower:
            change(database, fence, range(1, 4))
            await_true(lambda: epochs_of(follower.events) == [1, 2, 3])
            seen, last = follower.events, follower.last_id
        change(database, fence, range(4, 6))
        with following(api.client, path, last_event_id=last) as follower:
            await_true(lambda: epochs_of(follower.events)[-1:] == [5])
            seen, last = seen + follower.events, follower.last_id
    change(database, fence, range(6, 9))
    with running(settings) as api, following(api.client, path, last_event_id=last) as follower:
        change(database, fence, range(9, 11))
        await_true(lambda: epochs_of(follower.events)[-1:] == [10])
        seen += follower.events
    assert epochs_of(seen) == list(range(1, 11))
    assert numbers(seen) == sorted(set(numbers(seen)))
    assert [frame.data["epochs_done"] for frame in seen if frame.event == "experiment"][-1] == 10


def test_events_resume_between_revisions_with_every_epoch(api: Running, database: Database) -> None:
    """A record that changed twice is sent in its newest state, with all its epochs."""
    first, second = states.start(database), states.start(database)
    record(database, first, 1)
    record(database, second, 1)
    record(database, first, 2)
    with database.read() as session:
        begun = revisions.newest(session) - 3
    whole = first_events(api.client, f"{EVENTS}?since={begun}")
    for cut in numbers(whole):
        place = next(at for at, frame in enumerate(whole) if frame.id and frame.id.endswith(f".{cut}")) + 1
        rest = first_events(api.client, f"{EVENTS}?since={cut}")
        assert [frame.data for frame in rest] == [frame.data for frame in whole[place:]]


def test_events_resume_with_deletions(api: Running, database: Database) -> None:
    id = states.finish(database)
    with following(api.client, f"{EXPERIMENTS}/{id}/events") as follower:
        last = follower.last_id
    api.client.delete(f"{EXPERIMENTS}/{id}")
    with following(api.client, f"{EXPERIMENTS}/{id}/events", last_event_id=last) as follower:
        assert kinds(follower.events) == ["deleted"]
        last = follower.last_id
    again = api.client.get(f"{EXPERIMENTS}/{id}/events", headers={"Last-Event-ID": last})
    refused(again, 404, "experiment_not_found")


def age(database: Database, seconds: float) -> None:
    with database.write("age") as session:
        session.execute(update(Tombstone).values(deleted_at=after(-seconds)))


@pytest.mark.parametrize(("hours", "expected"), [(23, ["deleted", "deleted"]), (25, ["reset"])])
def test_events_reset_after_deletions_are_forgotten(
    api: Running, database: Database, hours: int, expected: list[str]
) -> None:
    first, second = states.finish(database), states.finish(database)
    with following(api.client) as follower:
        last = follower.last_id
    api.client.delete(f"{EXPERIMENTS}/{first}")
    age(database, hours * 3600)
    api.client.delete(f"{EXPERIMENTS}/{second}")
    with following(api.client, last_event_id=last) as follower:
        assert kinds(follower.events) == expected
        assert follower.last_id != last
    with following(api.client, last_event_id=follower.last_id) as follower:
        assert follower.events == []


@states.on_sqlite
def test_events_reset_for_another_database(api: Running, database: Database) -> None:
    states.start(database)
    for cursor in (f"{'0' * 32}.1", f"{api.services.database_id}.1000"):
        (frame,) = first_events(api.client, last_event_id=cursor)
        assert (frame.event, "another database" in frame.data["reason"]) == ("reset", True)


def test_events_reset_after_too_many_changes(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("service.changefeed.poller", "service.api.events.stream"):
        monkeypatch.setattr(f"{module}.MOST_CHANGES", 5)
    with running(settings) as api:
        study = submit_study(api)
        paths = [EVENTS, f"{STUDIES}/{study}/events"]
        with following(api.client, paths[0]) as everything, following(api.client, paths[1]) as of_study:
            submit_study(api, seeds=8)
            assert [frame.event for frame in everything.until(1)] == ["reset"]
            (fence,) = states.claim(database, limit=1)
            await_true(lambda: kinds(of_study.events) == ["study", "experiment", "study"])
            assert of_study.events[1].data["id"] == str(fence.id)


@states.on_sqlite
def test_events_survive_a_database_outage(api: Running, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.changefeed.poller.MOST_CHANGES", 0)  # so that the stream asks for itself
    monkeypatch.setattr("service.api.events.stream.PAUSE_SECONDS", 0.05)
    read, failures = api.services.read, [DatabaseUnavailable("away"), Overloaded("busy")]

    async def sometimes(work: Any) -> Any:
        if failures:
            raise failures.pop()
        return await read(work)

    fence = states.start(database)
    with following(api.client) as follower:
        monkeypatch.setattr(api.services, "read", sometimes)
        record(database, fence, 1)
        follower.until(2)
    assert failures == []


# --- limits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "at"),
    [(f"{EVENTS}?since=-1", "since"), (f"{EVENTS}?kind=epoch", "kind"), (f"{EVENTS}?study=x", "study"),
     (f"{EVENTS}?seconds=0", "seconds"), (f"{EVENTS}?seconds=nan", "seconds"), (f"{EVENTS}?since={2**63}", "since"),
     (f"{EXPERIMENTS}/{states.SOME_ID}/events?study={states.SOME_ID}", "study")],
)  # fmt: skip
def test_events_refuse_invalid_parameters_before_the_stream(steady: Any, path: str, at: str) -> None:
    refused(steady.get(path), 422, at=at)


@pytest.mark.parametrize("id", ["1", "x.1", f"{'0' * 32}.", f"{'0' * 32}.-1", f"{'0' * 32}.{'9' * 19}", "é"])
def test_events_refuse_a_malformed_last_event_id(steady: Any, id: str) -> None:
    answer = steady.get(EVENTS, headers=[(b"last-event-id", id.encode())])
    refused(answer, 422, at="Last-Event-ID")


@pytest.mark.parametrize("collection", [EXPERIMENTS, STUDIES])
def test_events_of_an_unknown_record_are_404(steady: Any, collection: str) -> None:
    for query in ("", "?since=0"):
        refused(steady.get(f"{collection}/{states.SOME_ID}/events{query}"), 404)


@states.on_sqlite
def test_events_refuse_too_many_listeners(settings: Settings, database: Database) -> None:
    with running(settings.model_copy(update={"max_listeners": 1})) as api:
        with following(api.client):
            problem = refused(api.client.get(f"{EVENTS}"), 503, "overloaded")
            assert "ACTLAB_MAX_LISTENERS" in problem["detail"]
        await_true(lambda: api.services.feed.listeners == 0)
        with following(api.client):
            assert api.services.feed.listeners == 1
        await_true(lambda: api.services.feed.listeners == 0)
        refused(api.client.get(f"{EXPERIMENTS}/{states.SOME_ID}/events"), 404)
        await_true(lambda: api.services.feed.listeners == 0)


@states.on_sqlite
def test_events_end_after_seconds(api: Running) -> None:
    answer = api.client.get(f"{EVENTS}?seconds=0.2")
    assert answer.status_code == 200
    assert answer.text.startswith("retry: ")
    assert answer.headers["cache-control"] == "no-store"


@states.on_sqlite
def test_events_send_the_position_as_a_heartbeat(settings: Settings, database: Database) -> None:
    """A client that receives no event for a day must not be taken for one that was away for a day."""
    other = states.start(database)
    with running(settings.model_copy(update={"heartbeat_seconds": 0.2})) as api:
        path = f"{EVENTS}?experiment={states.SOME_ID}"
        with following(api.client, path) as follower:
            record(database, other, 1)
            revision = api.get(f"{EXPERIMENTS}/{other.id}")["revision"]
            await_true(lambda: revision in numbers(follower.frames))
            assert follower.events == []
            assert b"\n\n:\nid: " in b"".join(follower.sent)


@states.on_sqlite
def test_shutdown_ends_streams_and_waits(settings: Settings, database: Database) -> None:
    fence = states.start(database)
    with ThreadPoolExecutor() as threads, running(settings) as api, following(api.client) as follower:
        waiting = threads.submit(api.client.get, f"{EXPERIMENTS}/{fence.id}?wait=30")
        await_true(lambda: api.services.feed.recall(fence.id))
        api.server.should_exit = True
        await_true(lambda: follower.ended, seconds=25)
        assert waiting.result(25).json()["status"] == "running"


def test_events_are_documented(steady: Any) -> None:
    """Every event and parameter of a stream is in docs/live.md."""
    page = (ROOT / "docs" / "live.md").read_text()
    operation = steady.get("/openapi.json").json()["paths"][EVENTS]["get"]
    named = {parameter["name"] for parameter in operation["parameters"]} | {
        "experiment", "metrics", "study", "deleted", "reset"}  # fmt: skip
    assert {name for name in named if f"`{name}" not in page} == set()
