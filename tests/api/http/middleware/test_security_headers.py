"""SecurityHeaders: every answer has them."""

from fastapi.testclient import TestClient

from tests.api.http.middleware.requests import send


def test_security_headers_are_on_every_answer(steady: TestClient, paths: list[str]) -> None:
    for path in paths:
        for answer in (steady.get(path), send(steady, path, "GET", Host="attacker.example")):
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
            assert "access-control-allow-origin" not in answer.headers
