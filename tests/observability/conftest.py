"""The client of tests that ask an app in this process."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from service.settings import Settings
from tests.api.serving import serving


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with serving(settings.model_copy(update={"reap_seconds": 600})) as opened:
        yield opened
