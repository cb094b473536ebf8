"""TrustedProxies: forwarded headers count from the addresses of the setting alone."""

import pytest

from service.api.http.credentials import COOKIE
from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.holders import make_key
from tests.api.serving import serving

FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}


@pytest.mark.parametrize(
    ("trusted", "counts"),
    [("", False), ("testclient", True), ("*", True), ("10.0.0.0/8", False), ("10.0.0.1, testclient", True)],
)
@states.on_sqlite
def test_forwarded_scheme_counts_from_trusted_proxies(
    settings: Settings, database: Database, trusted: str, counts: bool
) -> None:
    key = make_key(database).text
    with serving(settings.model_copy(update={"trusted_proxies": trusted})) as client:
        answer = client.post("/api/v1/session", json={"key": key}, headers=FORWARDED)
    assert answer.headers["set-cookie"].startswith(f"__Host-{COOKIE}=") is counts


@states.on_sqlite
def test_trusted_proxy_does_not_open_a_service_without_keys(settings: Settings) -> None:
    with serving(settings.model_copy(update={"trusted_proxies": "*"})) as client:
        assert client.get("/api/v1/me", headers=FORWARDED).status_code == 401
