"""Settings: read from the environment, checked, and every one of them documented."""

import re

import pytest

from service.domain.errors import ConfigurationError
from service.settings import Settings, load
from tests.conftest import ROOT

TABLE = ROOT / "docs" / "settings.md"


def test_every_setting_is_in_the_documented_table_and_nothing_else() -> None:
    documented = re.findall(r"^\| `(ACTLAB_\w+)`", TABLE.read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(f"ACTLAB_{name.upper()}" for name in Settings.model_fields)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_table_gives_the_default_and_the_description(name: str) -> None:
    field = Settings.model_fields[name]
    (line,) = re.findall(rf"^\| `ACTLAB_{name.upper()}` \|.*$", TABLE.read_text(), re.MULTILINE)
    default = "" if field.default is None else f"`{field.default}`"
    _, _, shown, description, _ = (cell.strip() for cell in line.split("|"))
    assert shown == ("" if default in ("", "``") else default)
    assert description == field.description


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ACTLAB_PORT", "eighty", "ACTLAB_PORT"),
        ("ACTLAB_PORT", "70000", "65535"),
        ("ACTLAB_DEVICE", "tpu", "'auto', 'cpu' or 'cuda'"),
        ("ACTLAB_RENEW_SECONDS", "20", "ACTLAB_LEASE_SECONDS"),
    ],
)
def test_a_wrong_setting_names_the_variable_and_the_bound(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        load()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_an_exposed_address_is_refused_unless_insecure(host: str) -> None:
    with pytest.raises(ConfigurationError, match="--insecure"):
        Settings(host=host).check_exposure()
    Settings(host=host, insecure=True).check_exposure()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_loopback_is_served(host: str) -> None:
    Settings(host=host).check_exposure()
