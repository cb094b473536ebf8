"""Fixtures of the API's tests, which drive the client through a served app."""

import pytest

from service.process import log
from tests.api.conftest import client, settings, steady

__all__ = ["client", "settings", "steady"]


@pytest.fixture(autouse=True)
def same_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the log of this process, which a command would bind to the streams of its test."""
    monkeypatch.setattr(log, "configure", lambda *_: None)
