"""The id of a request: taken or made, sent with every answer, and in the log."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from service.access.keys import generate
from tests.api import states
from tests.api.serving import EXPERIMENTS

HEADER = "X-Request-ID"


def failing(*_: object) -> None:
    raise RuntimeError("a defect")


@pytest.fixture
def log() -> Iterator[list[Any]]:
    with capture_logs([structlog.contextvars.merge_contextvars]) as records:
        yield records


@pytest.mark.parametrize(
    "path", ["/healthz", "/", EXPERIMENTS, f"{EXPERIMENTS}/{states.SOME_ID}", "/nothing", f"{EXPERIMENTS}?limit=0"]
)
def test_every_answer_has_an_id_of_its_own(steady: TestClient, path: str) -> None:
    ids = [steady.get(path).headers[HEADER] for _ in range(2)]
    assert all(len(id) == 32 for id in ids)
    assert ids[0] != ids[1]


@pytest.mark.parametrize("id", ["a", "0190a5e4-7b1c-7c3a-9d0e-3f2b1a6c5d4e", "Root=1-67891233-abcdef", "x" * 128])
def test_answer_has_the_id_that_was_sent(steady: TestClient, id: str) -> None:
    assert steady.get("/healthz", headers={HEADER: id}).headers.get_list(HEADER) == [id]
    assert steady.get("/nothing", headers={HEADER: id}).headers[HEADER] == id


@pytest.mark.parametrize(
    "sent",
    [[b""], [b"x" * 129], [b"a b"], [b"a\xff"], [b'{"a":1}'], [b"a\\n"], [b"a", b"b"]],
    ids=["empty", "long", "space", "not ASCII", "JSON", "escape", "two"],
)
@pytest.mark.defends("leak")
def test_other_ids_are_replaced(steady: TestClient, sent: list[bytes]) -> None:
    headers = [(HEADER.encode(), value) for value in sent]
    (id,) = steady.get("/healthz", headers=headers).headers.get_list(HEADER)
    assert len(id) == 32
    assert id.encode() not in sent


def test_defect_is_logged_with_the_id_of_its_answer(
    steady: TestClient, monkeypatch: pytest.MonkeyPatch, log: list[Any]
) -> None:
    monkeypatch.setattr("service.api.routes.workers.workers.listed", failing)
    answer = steady.get("/api/v1/workers", headers={HEADER: "mine"})
    assert (answer.status_code, answer.headers.get_list(HEADER)) == (500, ["mine"])
    (record,) = [record for record in log if record["event"] == "request_failed"]
    assert record["request_id"] == "mine"


def test_outage_is_logged_with_the_id_of_its_answer(
    steady: TestClient, monkeypatch: pytest.MonkeyPatch, log: list[Any]
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr("service.api.routes.workers.workers.listed", away)
    answer = steady.get("/api/v1/workers", headers={HEADER: "mine"})
    assert (answer.status_code, answer.headers.get_list(HEADER)) == (503, ["mine"])
    assert [record["request_id"] for record in log if record["event"] == "request_failed"] == ["mine"]


@pytest.mark.defends("leak")
def test_failed_requests_log_neither_headers_nor_queries(
    steady: TestClient, monkeypatch: pytest.MonkeyPatch, log: list[Any]
) -> None:
    monkeypatch.setattr("service.api.routes.workers.workers.listed", failing)
    key = generate().text
    steady.get("/api/v1/workers", headers={"Authorization": f"Bearer {key}", "Cookie": f"actlab_session={key}"})
    (record,) = [record for record in log if record["event"] == "request_failed"]
    assert key not in str({name: value for name, value in record.items() if name != "exc_info"})
