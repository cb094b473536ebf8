"""Records of idempotency keys."""

from dataclasses import replace

from sqlalchemy import update

from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.records import idempotency
from service.storage.records.idempotency import KEPT_SECONDS, Request
from service.storage.tables.requests import IdempotencyKey
from tests.storage.steps import do

REQUEST = Request("local", "key", "POST /experiments", "sha")


def test_reserve_returns_the_earlier_request_of_the_same_key(database: Database) -> None:
    assert do(database, idempotency.reserve, REQUEST, 202, "/experiments/1") is None
    earlier = do(database, idempotency.reserve, replace(REQUEST, body_sha256="other"), 202, "/experiments/2")
    assert (earlier.location, earlier.body_sha256) == ("/experiments/1", "sha")


def test_reserve_separates_keys_of_different_principals(database: Database) -> None:
    do(database, idempotency.reserve, REQUEST, 202, "/experiments/1")
    assert do(database, idempotency.reserve, replace(REQUEST, principal="other"), 202, "/experiments/2") is None


def test_reserve_frees_keys_that_are_no_longer_kept(database: Database) -> None:
    do(database, idempotency.reserve, REQUEST, 202, "/experiments/1")
    database.run("age", lambda s: s.execute(update(IdempotencyKey).values(created_at=after(-KEPT_SECONDS - 1))))
    assert do(database, idempotency.reserve, REQUEST, 202, "/experiments/2") is None
