"""Fixtures of the API's tests, which drive the feed through a served app."""

from tests.api.conftest import client, settings, steady

__all__ = ["client", "settings", "steady"]
