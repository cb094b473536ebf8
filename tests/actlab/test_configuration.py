"""The configuration of clients: which source counts, the file, and the errors that name what is wrong."""

import os
import re
from pathlib import Path

import pytest

from actlab import configuration
from actlab.configuration import Configuration, InvalidConfiguration, Stored
from service.settings import Settings

LOCAL = "http://127.0.0.1:8000"
LAB = "https://lab.example:8443/actlab"


@pytest.fixture(autouse=True)
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The path of the configuration file, in a folder of this test; no variable is set."""
    for name in ("URL", "API_KEY", "HOST", "PORT"):
        monkeypatch.delenv(f"ACTLAB_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return configuration.path()


def test_resolve_returns_the_local_service_without_any_source() -> None:
    assert configuration.resolve() == Configuration(LOCAL)


def test_resolve_takes_argument_then_variable_then_file(monkeypatch: pytest.MonkeyPatch) -> None:
    configuration.write(Stored(LAB, "of-the-file"))
    assert configuration.resolve() == Configuration(LAB, "of-the-file")
    monkeypatch.setenv("ACTLAB_URL", "http://variable:1")
    monkeypatch.setenv("ACTLAB_API_KEY", "of-the-variable")
    assert configuration.resolve() == Configuration("http://variable:1", "of-the-variable")
    assert configuration.resolve("http://argument:1", "given") == Configuration("http://argument:1", "given")
    assert configuration.resolve("http://argument:1") == Configuration("http://argument:1", "of-the-variable")


def test_resolve_takes_empty_variables_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "API_KEY", "HOST", "PORT"):
        monkeypatch.setenv(f"ACTLAB_{name}", " \r")
    assert configuration.resolve() == Configuration(LOCAL)


def test_resolve_sends_the_key_of_the_file_to_its_url_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    configuration.write(Stored(LAB, "secret"))
    assert configuration.resolve("http://elsewhere").api_key is None
    assert configuration.resolve(f"{LAB}/").api_key == "secret"
    monkeypatch.setenv("ACTLAB_URL", "http://elsewhere")
    assert configuration.resolve().api_key is None


def test_resolve_takes_a_stored_key_without_url_for_the_local_service(monkeypatch: pytest.MonkeyPatch) -> None:
    configuration.write(Stored(api_key="secret"))
    monkeypatch.setenv("ACTLAB_PORT", "9000")
    assert configuration.resolve() == Configuration("http://127.0.0.1:9000", "secret")
    assert configuration.resolve(LAB).api_key is None


def test_configuration_hides_its_key_in_texts() -> None:
    assert "secret" not in f"{Configuration(LAB, 'secret')!r} {Stored(LAB, 'secret')!r}"


@pytest.mark.parametrize("host", ["", "127.0.0.1", "::1", "0.0.0.0", "::", "192.0.2.7", " lab.example\r"])
@pytest.mark.parametrize("port", ["", "0", "9000", " 9000\r", "tcp://10.96.0.1:8000"])
def test_local_url_is_that_of_the_service_settings(monkeypatch: pytest.MonkeyPatch, host: str, port: str) -> None:
    monkeypatch.setenv("ACTLAB_HOST", host)
    monkeypatch.setenv("ACTLAB_PORT", port)
    assert configuration.local_url() == Settings().own_url


@pytest.mark.parametrize("port", ["eighty", "-1", "65536", "80.0"])
def test_local_url_names_a_wrong_port(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("ACTLAB_PORT", port)
    with pytest.raises(InvalidConfiguration, match=rf"ACTLAB_PORT: .* 65535, got '{port}'"):
        configuration.local_url()


def test_local_url_warns_of_a_service_link(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("ACTLAB_PORT", "tcp://10.96.0.1:8000")
    assert configuration.local_url() == LOCAL
    assert "ACTLAB_PORT=tcp://10.96.0.1:8000" in caplog.messages[0]


WRONG_URLS = [
    "lab.example",
    "ftp://lab.example",
    "http://",
    "http://lab:port",
    "http://lab/ a",
    "http://lab/?a=1",
    "http://[::1",
]


@pytest.mark.parametrize("url", WRONG_URLS)
def test_resolve_names_the_source_of_a_wrong_url(monkeypatch: pytest.MonkeyPatch, file: Path, url: str) -> None:
    problem = rf"write the service's URL as .*, got {re.escape(repr(url))}"
    with pytest.raises(InvalidConfiguration, match=f"^url: {problem}"):
        configuration.resolve(url)
    monkeypatch.setenv("ACTLAB_URL", url)
    with pytest.raises(InvalidConfiguration, match=f"^ACTLAB_URL: {problem}"):
        configuration.resolve()
    monkeypatch.delenv("ACTLAB_URL")
    file.parent.mkdir(parents=True)
    file.write_text(f"url = '{url}'")
    with pytest.raises(InvalidConfiguration, match=f"^{re.escape(str(file))}: url: {problem}"):
        configuration.resolve()


def test_resolve_names_the_source_of_a_wrong_key_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidConfiguration, match=r"^api_key: ") as refused:
        configuration.resolve(api_key="top secret")
    assert "secret" not in str(refused.value)
    monkeypatch.setenv("ACTLAB_API_KEY", "schlüssel")
    with pytest.raises(InvalidConfiguration, match=r"^ACTLAB_API_KEY: "):
        configuration.resolve()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"url = ", "is not TOML"),
        (b"url = '\xff'", "is not TOML"),
        (b"adress = 'http://lab'", "unknown field 'adress'; the fields are url and api_key"),
        (b"url = 8000", "url should be a string in quotation marks, got 8000"),
        (b"api_key = ['a']", "api_key should be a string"),
        (b"api_key = 'a b'", "api_key: an API key has only ASCII"),
    ],
    ids=["half a line", "bytes", "unknown field", "number", "array", "space"],
)
def test_read_names_the_file_and_the_field(file: Path, content: bytes, said: str) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(InvalidConfiguration, match=re.escape(said)) as refused:
        configuration.read()
    assert str(file) in str(refused.value)


def test_read_takes_empty_strings_as_unset_and_a_byte_order_mark(file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text("\ufeffurl = ''\napi_key = ' '\n", encoding="utf-8")
    assert configuration.read() == Stored()


def test_read_reports_a_file_that_cannot_be_read(file: Path) -> None:
    file.mkdir(parents=True)  # a folder has no text, for root too
    with pytest.raises(InvalidConfiguration, match="cannot be read"):
        configuration.read()


@pytest.mark.skipif(os.name != "posix", reason="the bits are those of POSIX")
def test_read_warns_of_a_key_that_others_can_read(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    configuration.write(Stored(LAB, "secret"))
    configuration.read()
    assert caplog.messages == []
    file.chmod(0o644)
    assert configuration.read().api_key == "secret"
    (warning,) = caplog.messages
    assert f"chmod 600 '{file}'" in warning
    configuration.write(Stored(LAB))
    file.chmod(0o644)
    caplog.clear()
    configuration.read()
    assert caplog.messages == []


def test_write_is_read_back_and_replaces_what_was_there(file: Path) -> None:
    configuration.write(Stored(LAB, 'quo"te\\s'))
    assert configuration.read() == Stored(LAB, 'quo"te\\s')
    file.chmod(0o644)
    assert configuration.write(Stored(api_key="new")) == file
    assert configuration.read() == Stored(api_key="new")
    assert os.name != "posix" or file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_write_refuses_what_read_would_and_keeps_the_file(file: Path) -> None:
    configuration.write(Stored(LAB))
    with pytest.raises(InvalidConfiguration, match="url"):
        configuration.write(Stored("lab"))
    assert configuration.read() == Stored(LAB)


def test_write_leaves_the_file_as_it_was_where_it_fails(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration.write(Stored(LAB))

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        configuration.write(Stored("http://new"))
    assert configuration.read() == Stored(LAB)
    assert list(file.parent.iterdir()) == [file]
