"""Settings: reading them from the environment, checking them, and their table in docs/settings.md."""

import re
from pathlib import Path

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


@pytest.mark.parametrize("value", ["", " ", "\r"])
@pytest.mark.parametrize("name", Settings.model_fields)
def test_load_takes_an_empty_variable_as_unset(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"ACTLAB_{name.upper()}", value)
    settings = load()
    assert getattr(settings, name) == Settings.model_fields[name].default
    assert name not in settings.model_fields_set


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [("device", " cpu\r", "cpu"), ("home", " /srv/actlab\r", Path("/srv/actlab")), ("log_level", "debug\t", "debug")],
)
def test_load_strips_white_space(monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: object) -> None:
    monkeypatch.setenv(f"ACTLAB_{name.upper()}", value)
    assert getattr(load(), name) == expected


@pytest.mark.parametrize("name", ["home", "data_dir"])
def test_load_expands_the_home_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(f"ACTLAB_{name.upper()}", "~/x")
    assert getattr(load(), name) == tmp_path / "x"


@pytest.mark.parametrize("name", ["database_url", "broker_url"])
def test_load_keeps_a_url_that_looks_like_a_service_link(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(
        f"ACTLAB_{name.upper()}", "tcp://redis:6379"
    )  # ignored, it would be SQLite or the spool in silence
    assert getattr(load(), name) == "tcp://redis:6379"


@pytest.mark.parametrize("link", ["tcp://10.96.0.1:8000", "udp://10.96.0.1:53", "tcp://[fd00::1]:8000"])
def test_load_ignores_a_service_link_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, link: str
) -> None:
    monkeypatch.setenv("ACTLAB_PORT", link)
    assert load().port == 8000
    (warning,) = caplog.messages
    assert f"ACTLAB_PORT={link}" in warning
    assert "Kubernetes" in warning


def test_load_is_not_disturbed_by_other_variables_of_service_links(monkeypatch: pytest.MonkeyPatch) -> None:
    links = {"SERVICE_HOST": "10.96.0.1", "SERVICE_PORT": "8000", "SERVICE_PORT_HTTP": "8000",
             "PORT_8000_TCP": "tcp://10.96.0.1:8000", "PORT_8000_TCP_PROTO": "tcp", "PORT_8000_TCP_PORT": "8000",
             "PORT_8000_TCP_ADDR": "10.96.0.1"}  # fmt: skip
    before = load().model_fields_set
    for name, value in links.items():
        monkeypatch.setenv(f"ACTLAB_{name}", value)
    assert load().model_fields_set == before


def test_load_keeps_an_empty_home_out_of_the_working_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTLAB_HOME", "")
    assert load().database.endswith("/.actlab/actlab.db")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_check_exposure_refuses_other_addresses_without_keys_unless_insecure(host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"actlab keys create.*--insecure"):
        Settings(host=host).check_exposure(keys=False)
    Settings(host=host, insecure=True).check_exposure(keys=False)
    Settings(host=host).check_exposure(keys=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_check_exposure_accepts_loopback(host: str) -> None:
    Settings(host=host).check_exposure(keys=False)


@pytest.mark.parametrize("path", ["actlab", "/", "/a/", "/a b", "/a?b", "//a", "/ä", '/"'])
def test_root_path_is_a_plain_path(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("ACTLAB_ROOT_PATH", path)
    with pytest.raises(ConfigurationError, match="ACTLAB_ROOT_PATH"):
        load()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("192.0.2.7", "http://192.0.2.7:8000"),
        ("lab.example", "http://lab.example:8000"),
    ],
)
def test_own_url_is_one_that_the_address_answers_on_this_machine(host: str, url: str) -> None:
    assert Settings(host=host, port=8000).own_url == url
