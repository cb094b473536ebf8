"""The paths of every route."""

import pytest
from fastapi.testclient import TestClient

from tests.api import states

PAGES = [
    "/docs",
    "/redoc",
    "/openapi.json",
    "/assets/docs/docs.css",
    "/assets/app/main.js",
    "/assets/nothing",
    "/nothing",
    "/",
    "/studies/1",
    "/workers",
]


@pytest.fixture(scope="module")
def paths(steady: TestClient) -> list[str]:
    """Every path that is served, and some that are not."""
    documented = steady.get("/openapi.json").json()["paths"]
    assert len(documented) >= 15
    short = {"/api/v1/events": "/api/v1/events?seconds=0.01"}  # it would stream for ever
    return [short.get(path, path).replace("{id}", str(states.SOME_ID)) for path in documented] + PAGES
