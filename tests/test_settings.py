"""Settings: reading them from the environment, checking them, and their table in docs/settings.md."""

import re

import pytest

from service.domain.errors import ConfigurationError
from service.settings import Settings, load
from tests.conftest import ROOT

TABLE = ROOT / "docs" / "settings.md"


def test_settings_table_documents_exactly_the_settings() -> None:
    documented = re.findall(r"^\| `(ACTLAB_\w+)`", TABLE.read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(f"ACTLAB_{name.upper()}" for name in Settings.model_fields)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_settings_table_gives_default_and_description(name: str) -> None:
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
def test_load_names_variable_and_bound_of_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        load()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_check_exposure_refuses_other_addresses_unless_insecure(host: str) -> None:
    with pytest.raises(ConfigurationError, match="--insecure"):
        Settings(host=host).check_exposure()
    Settings(host=host, insecure=True).check_exposure()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_check_exposure_accepts_loopback(host: str) -> None:
    Settings(host=host).check_exposure()
