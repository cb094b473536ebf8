"""Bodies that are to exhaust a server, sent with a key: each is refused quickly, and memory stays flat."""

import time
from collections.abc import Iterator

import httpx2
import psutil
import pytest

from service.access.roles import Role
from service.storage.engine.database import Database
from tests.api.holders import bearer, make_key
from tests.api.problems import check_shape
from tests.stack.services import Service
from tests.waiting import await_true

pytestmark = pytest.mark.slow

MIB = 2**20
LONGEST_SECONDS = 10.0
"""The limit of one answer, on a machine that is busy with other tests."""
ROUNDS = 5
GROWTH_BYTES = 40 * MIB
PATHS = ["/api/v1/experiments", "/api/v1/studies", "/api/v1/activations/preview", "/api/v1/session"]
DEEP, WIDE = 100_000, 900_000
"""A depth, and a length within the limit of bodies (1 MiB)."""

BOMBS: dict[str, tuple[bytes, set[int]]] = {
    "deep arrays": (b'{"activation": ' + b"[" * DEEP + b"]" * DEEP + b"}", {400}),
    "deep objects": (b'{"a":' * DEEP + b"1" + b"}" * DEEP, {400}),
    "open arrays": (b"[" * DEEP, {400}),
    "duplicate fields": (b'{"activation": "relu", "activation": "tanh"}', {400}),
    "duplicate inner fields": (b'{"base": {"epochs": 1, "epochs": 2}}', {400}),
    "many duplicates": (b"{" + b",".join([b'"a": 1'] * 100_000) + b"}", {400}),
    "a duplicate at the end": (b"{" + b"".join(b'"%d": 1,' % i for i in range(80_000)) + b'"79999": 1}', {400}),
    "lone surrogate": (b'{"activation": "\\ud800", "name": "\\udfff"}', {400, 422}),
    "surrogate as a field": (b'{"\\ud800": 1}', {400, 422}),
    "number of 0.9 MB": (b'{"seed": ' + b"9" * WIDE + b"}", {400}),
    "fraction of 0.9 MB": (b'{"epochs": 0.' + b"9" * WIDE + b"}", {400, 422}),
    "exponent": (b'{"epochs": 1e999999999}', {400, 422}),
    "text of 0.9 MB": (b'{"activation": "' + b"x" * WIDE + b'"}', {422}),
    "escapes of 0.9 MB": (b'{"activation": "' + b"\\u0041" * (WIDE // 6) + b'"}', {422}),
    "fields of 0.9 MB": (b"{" + b",".join(b'"%d": 1' % i for i in range(80_000)) + b"}", {422}),
    "number of 10 MB": (b'{"seed": ' + b"9" * 10 * MIB + b"}", {413}),
    "text of 10 MB": (b'{"activation": "' + b"x" * 10 * MIB + b'"}', {413}),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("bombs"), ACTLAB_API_PROCESSES="1", ACTLAB_RATE_PER_MINUTE="0")
    running.run("db", "upgrade")
    running.launch("serve")
    await_true(running.client.healthy, seconds=90)
    yield running
    running.close()


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[httpx2.Client]:
    database = Database(service.database_url)
    key = make_key(database, Role.ADMIN)
    database.close()
    time.sleep(1)  # until the service has noticed the key
    headers = bearer(key.text) | {"Content-Type": "application/json"}
    with httpx2.Client(base_url=f"http://127.0.0.1:{service.port}", headers=headers, timeout=60) as client:
        yield client


@pytest.mark.timeout(300)
@pytest.mark.defends("hostile")
def test_bombs_are_refused_quickly_with_flat_memory(service: Service, client: httpx2.Client) -> None:
    process = psutil.Process(service.processes["serve"].pid)
    sizes = []
    for round in range(ROUNDS):
        for name, (body, statuses) in BOMBS.items():
            for path in PATHS if round == 0 else PATHS[:1]:
                for content in (body, iter([body[: len(body) // 2], body[len(body) // 2 :]])):
                    began = time.monotonic()
                    answer = client.post(path, content=content)
                    assert answer.status_code in statuses, (name, path, answer.text[:500])
                    check_shape(answer)
                    assert time.monotonic() - began < LONGEST_SECONDS, (name, path)
        sizes.append(sum(one.memory_info().rss for one in [process, *process.children(recursive=True)]))
    assert sizes[-1] - sizes[0] < GROWTH_BYTES, sizes
    assert client.get("/api/v1/experiments").json()["items"] == []
