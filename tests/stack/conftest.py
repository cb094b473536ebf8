from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.servers import PostgresServer, RedisServer
from tests.stack.services import Service


@pytest.fixture(params=["embedded", "production"])
def make_service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Makes services that are not started yet, on SQLite and the spool, and on PostgreSQL and Redis."""
    made: list[Service] = []
    urls = [] if request.param == "embedded" else _production(request)

    def make(**settings: str) -> Service:
        made.append(Service(tmp_path / "home", *urls, **settings))
        return made[-1]

    yield make
    for service in made:
        service.close()


@pytest.fixture
def service(make_service: Callable[..., Service]) -> Service:
    return make_service().start()


def _production(request: pytest.FixtureRequest) -> list[str]:
    server: PostgresServer = request.getfixturevalue("postgres")
    broker: RedisServer = request.getfixturevalue("redis_server")
    name = f"stack_{uuid4().hex}"
    server.execute(f"CREATE DATABASE {name}")
    return [server.url(name), broker.url]
