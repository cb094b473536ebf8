"""Hostile texts in every parameter, header and field, with keys on: no defect, no hang, and errors of one shape.

The texts are the Big List of Naughty Strings (`tests/api/vendor/blns`).
"""

import copy
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from service.access.roles import Role
from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.holders import bearer, make_key, notice
from tests.api.openapi.test_document import OPERATIONS, resolved
from tests.api.serving import STUDIES

TEXTS: list[str] = json.loads((Path(__file__).parents[1] / "vendor" / "blns" / "blns.json").read_text())
LONGEST_SECONDS = 20.0
"""The limit of a request on a machine that is busy with other tests."""
SAMPLED = 2
"""The number of texts that each place takes in the sample; together the places take all of them."""
GENERAL = ["Authorization", "Cookie", "Host", "Origin", "Sec-Fetch-Site", "If-None-Match", "User-Agent", "Accept",
           "X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Cache-Control", "Content-Type", "Accept-Encoding",
           "Range", "X-HTTP-Method-Override"]  # fmt: skip
NO_HEADER = str.maketrans(dict.fromkeys("\r\n\0"))
"""Characters that an HTTP parser refuses in a header, before the application sees it."""


@dataclass(frozen=True)
class Place:
    """A place of an operation's request that takes a text."""

    method: str
    path: str
    kind: str
    name: str
    body: Any = None
    at: tuple[Any, ...] = field(default=())

    def request(self, text: str, ids: dict[str, str], key: dict[str, str]) -> dict[str, Any]:
        """Return the arguments of the client's request with the text in this place."""
        collection = self.path.removeprefix("/api/v1/").split("/")[0]
        name = "digits" if collection == "datasets" else "mine"
        values = {"id": ids.get(collection, ""), "share": str(states.SOME_ID), "name": name, "index": "0"}
        if self.kind == "path":
            values[self.name] = quote(text.encode(errors="surrogatepass"), safe="")
        url = self.path.format_map(values)
        query = {"seconds": "0.01"} if url.endswith("/events") else {}
        if self.kind == "query":
            query[self.name] = text
        headers = [(name.encode(), value.encode()) for name, value in key.items()]
        if self.kind == "header":
            headers = [pair for pair in headers if pair[0] != self.name.encode()]
            headers.append((self.name.encode(), text.translate(NO_HEADER).encode(errors="surrogatepass")))
        content = {} if self.body is None else {"content": json.dumps(_replaced(self.body, self.at, text))}
        if content and self.name != "Content-Type":
            headers.append((b"Content-Type", b"application/json"))
        return {"method": self.method, "url": url, "params": query, "headers": headers, **content}


def _replaced(body: Any, at: tuple[Any, ...], text: str) -> Any:
    if not at:
        return body
    changed = copy.deepcopy(body)
    inner = changed
    for step in at[:-1]:
        inner = inner[step]
    inner[text if at[-1] is None else at[-1]] = text
    return changed


def places() -> Iterator[Place]:
    """Yield every parameter, header and field of every operation, and the headers that all requests may have."""
    for method, path, operation in OPERATIONS:
        for parameter in operation.get("parameters", []):
            if parameter["name"] not in ("wait", "seconds"):
                yield Place(method, path, parameter["in"], parameter["name"])
        for media in operation.get("requestBody", {}).get("content", {}).values():
            for body in resolved(media["schema"])["examples"]:
                yield from (Place(method, path, "body", str(at), body, at) for at in _leaves(body))
    for name in GENERAL:
        yield Place("GET", "/api/v1/experiments", "header", name)
        yield Place("POST", "/api/v1/experiments", "header", name, {"activation": "relu"})


def _leaves(body: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each value, and of a new field in each object, whose name is None."""
    if isinstance(body, dict):
        yield (None,)
    for name, value in body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ():
        yield (name,)
        yield from ((name, *rest) for rest in _leaves(value))


PLACES = list(places())
BY_OPERATION: dict[str, list[Place]] = {}
for _place in PLACES:
    BY_OPERATION.setdefault(f"{_place.method} {_place.path}", []).append(_place)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_study_experiments": 50, "admission_seconds": 20})


def send_all(client: TestClient, database: Database, sent: Sequence[tuple[Place, str]]) -> None:
    """Send the texts, each in its place, with the key of an admin."""
    key = bearer(make_key(database, Role.ADMIN).text)
    notice(client)
    study = client.post(STUDIES, json={"factors": {"activation": ["relu"]}, "seeds": [0]}, headers=key).json()
    ids = {"experiments": str(states.SOME_ID), "studies": study["id"], "keys": "nothing0"}
    for place, text in sent:
        began = time.monotonic()
        answer = client.request(**place.request(text, ids, key), follow_redirects=False)
        told = f"{place} with {text[:200]!r}: {answer.status_code}"
        assert answer.status_code < 500, told
        assert time.monotonic() - began < LONGEST_SECONDS, told


def test_places_are_those_of_the_document() -> None:
    assert len(TEXTS) > 450
    assert len(PLACES) > 300
    assert {place.kind for place in PLACES} == {"path", "query", "header", "body"}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.defends("hostile")
def test_hostile_texts_are_answered_in_every_place(client: TestClient, database: Database) -> None:
    """Each place takes some of the texts, and all places together take all of them. The client checks each error."""
    sent = [
        (place, TEXTS[(number * SAMPLED + more) % len(TEXTS)])
        for number, place in enumerate(PLACES)
        for more in range(SAMPLED)
    ]
    assert {text for _, text in sent} == set(TEXTS)
    send_all(client, database, sent)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("operation", BY_OPERATION)
@pytest.mark.defends("hostile")
def test_all_hostile_texts_in_all_places(client: TestClient, database: Database, operation: str) -> None:
    send_all(client, database, [(place, text) for place in BY_OPERATION[operation] for text in TEXTS])
