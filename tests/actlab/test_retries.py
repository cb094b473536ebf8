"""Requests that both clients send again."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from actlab import AsyncClient, Client, NotFound, PreconditionFailed, RateLimited, Unavailable, retries

Answer = int | Exception
Ask = Callable[..., Any]

REFUSED = httpx2.ConnectError("refused")
BROKEN = httpx2.ReadError("broken")
STUDY: dict[str, Any] = {"id": "s", "name": None, "progress": {}, "experiments": 0, "seeds": [0]}


class Script(httpx2.MockTransport):
    """A transport that answers each request with the next scripted answer, and records the requests."""

    def __init__(self, *answers: Answer, retry_after: str | None = None) -> None:
        self.requests: list[httpx2.Request] = []
        left = list(answers)
        headers = {} if retry_after is None else {"Retry-After": retry_after}

        def answer(request: httpx2.Request) -> httpx2.Response:
            self.requests.append(request)
            reply = left.pop(0)
            if isinstance(reply, Exception):
                raise reply
            body = STUDY if reply == 200 else {"detail": "no", "code": "some"}
            return httpx2.Response(reply, json=body, headers={} if reply == 200 else headers)

        super().__init__(answer)

    @property
    def keys(self) -> list[str | None]:
        return [request.headers.get("idempotency-key") for request in self.requests]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Make pauses short, and return how long they would have been."""
    seconds: list[float] = []
    asked = retries._pause

    def pause(state: Any) -> float:
        seconds.append(asked(state))
        return 0.0

    monkeypatch.setattr(retries, "_pause", pause)
    return seconds


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Return a function that calls a method of either client over a transport."""

    def now(transport: Script, name: str, *args: Any, retries: int = 3, **kwargs: Any) -> Any:
        with Client("http://127.0.0.1:1", transport=transport, retries=retries) as client:
            return getattr(client, name)(*args, **kwargs)

    async def later(transport: Script, name: str, *args: Any, retries: int = 3, **kwargs: Any) -> Any:
        async with AsyncClient("http://127.0.0.1:1", transport=transport, retries=retries) as client:
            return await getattr(client, name)(*args, **kwargs)

    return now if request.param == "sync" else lambda *args, **kwargs: asyncio.run(later(*args, **kwargs))


@pytest.mark.parametrize("answer", [REFUSED, BROKEN, 429, 502, 503, 504], ids=str)
def test_clients_repeat_reads(ask: Ask, pauses: list[float], answer: Answer) -> None:
    script = Script(answer, answer, 200)
    assert ask(script, "study", "s")["id"] == "s"
    assert len(script.requests) == 3
    assert pauses[0] < pauses[1] < 2


@pytest.mark.parametrize("answer", [REFUSED, 503], ids=str)
def test_clients_raise_the_last_error(ask: Ask, pauses: list[float], answer: Answer) -> None:
    script = Script(*[answer] * 9)
    with pytest.raises((httpx2.ConnectError, Unavailable)):
        ask(script, "study", "s")
    assert len(script.requests) == 4
    with pytest.raises((httpx2.ConnectError, Unavailable)):
        ask(script, "study", "s", retries=0)
    assert len(script.requests) == 5


@pytest.mark.parametrize("answer", [400, 401, 403, 404, 409, 422, 500])
def test_clients_do_not_repeat_what_stays_wrong(ask: Ask, answer: int) -> None:
    script = Script(answer)
    with pytest.raises(Exception, match="no"):
        ask(script, "study", "s")


@pytest.mark.parametrize("name", ["submit_study", "submit_experiment"])
@pytest.mark.parametrize("answer", [REFUSED, BROKEN, 503], ids=str)
def test_clients_repeat_creations_with_one_key(ask: Ask, pauses: list[float], name: str, answer: Answer) -> None:
    script = Script(answer, 200, 200)
    ask(script, name, {"seeds": [0]})
    ask(script, name, {"seeds": [0]}, idempotency_key="mine")
    first, repeated, own = script.keys
    assert first == repeated
    assert first is not None
    assert len(first) == 32
    assert own == "mine"


def test_clients_make_another_key_for_each_creation(ask: Ask) -> None:
    script = Script(200, 200)
    ask(script, "submit_study", preset="quick")
    ask(script, "submit_study", preset="quick")
    assert len(set(script.keys)) == 2


@pytest.mark.parametrize("answer", [BROKEN, 503], ids=str)
def test_clients_do_not_repeat_a_change_that_may_be_done(ask: Ask, answer: Answer) -> None:
    for name, arguments in (("edit_study", ("s", {"name": "a"})), ("delete_experiments", (["e"],))):
        script = Script(answer)
        with pytest.raises((httpx2.ReadError, Unavailable)):
            ask(script, name, *arguments)
    script = Script(answer)
    with pytest.raises((httpx2.ReadError, Unavailable)):
        ask(script, "edit_activation", "mine", {"formula": "x"}, newest_version=1)


@pytest.mark.parametrize("answer", [REFUSED, 429], ids=str)
def test_clients_repeat_a_change_that_was_never_made(ask: Ask, pauses: list[float], answer: Answer) -> None:
    script = Script(answer, 200)
    assert ask(script, "edit_study", "s", {"name": "a"}, edit_version=1)["id"] == "s"
    with pytest.raises(PreconditionFailed):
        ask(Script(answer, 412), "edit_study", "s", {"name": "a"}, edit_version=1)


def test_clients_take_a_deletion_as_done_if_an_earlier_sending_may_have_done_it(ask: Ask, pauses: list[float]) -> None:
    assert ask(Script(BROKEN, 404), "delete_study", "s") is None
    for answers in ([404], [REFUSED, 404], [429, 404]):
        with pytest.raises(NotFound):
            ask(Script(*answers), "delete_study", "s")


def test_clients_wait_as_long_as_the_service_asks(ask: Ask, pauses: list[float]) -> None:
    ask(Script(429, 503, 200, retry_after="9"), "study", "s")
    assert pauses == [9.0, 9.0]


def test_clients_do_not_wait_longer_than_a_minute(ask: Ask) -> None:
    with pytest.raises(RateLimited) as refused:
        ask(Script(429, retry_after="3600"), "study", "s")
    assert refused.value.retry_after == 3600


def test_clients_refuse_a_negative_number_of_retries() -> None:
    for kind in (Client, AsyncClient):
        with pytest.raises(ValueError, match="retries"):
            kind("http://127.0.0.1:1", retries=-1)


def test_healthy_is_asked_once(ask: Ask) -> None:
    script = Script(REFUSED)
    assert ask(script, "healthy") is False
    assert len(script.requests) == 1
