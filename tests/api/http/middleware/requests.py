"""Requests with headers of any name and value."""

from typing import Any

from fastapi.testclient import TestClient

from tests.api.serving import EXPERIMENTS, raw

RELU = {"activation": "relu"}
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"]
UNSAFE = METHODS[3:]


def send(client: TestClient, path: str = EXPERIMENTS, method: str = "POST", **headers: str) -> Any:
    """Send a request with these headers, an underscore standing for a hyphen; a POST submits an experiment."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request(method, path, headers=raw(named), json=RELU if method == "POST" else None)
