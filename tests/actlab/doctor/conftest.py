"""Fixtures of the doctor's tests: those of the API's, for a served app."""

from tests.api.conftest import settings

__all__ = ["settings"]
