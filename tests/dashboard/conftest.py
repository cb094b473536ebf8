"""Fixtures of the API's tests, which read the pages from a served app."""

from tests.api.conftest import client, settings, steady

__all__ = ["client", "settings", "steady"]
