"""The assembly of the app."""

import pytest

from service.api.app import create_app
from service.domain.errors import ConfigurationError
from service.settings import Settings


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "lab.example", "", "127.0.0.2"])
def test_create_app_refuses_a_public_address_without_insecure(host: str) -> None:
    with pytest.raises(ConfigurationError, match="--insecure"):
        create_app(Settings(host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_create_app_accepts_loopback_without_insecure(host: str) -> None:
    create_app(Settings(host=host))
