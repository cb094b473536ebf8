"""The service that clients and commands use: its URL and API key, from arguments, the environment or a file.

This module imports no part of the service, so that a client needs none of the server's libraries.
"""

import json
import logging
import os
import re
import stat
import tempfile
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platformdirs import user_config_path

FIELDS = ("url", "api_key")
"""The fields of the file; each is a string."""

ANY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
SERVICE_LINK = re.compile(r"(tcp|udp|sctp)://\S+:\d+", re.IGNORECASE)
# Both are as in service.settings; a test compares the results.

log = logging.getLogger(__name__)


class InvalidConfiguration(ValueError):
    """A URL or an API key cannot be used; the message names its argument, variable or file, and the remedy."""


@dataclass(frozen=True)
class Configuration:
    """The URL of a service, and the API key to send to it, if any."""

    url: str
    api_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Stored:
    """The content of the configuration file. Its key belongs to its URL, and to the service of this machine without."""

    url: str | None = None
    api_key: str | None = field(default=None, repr=False)


def resolve(url: str | None = None, api_key: str | None = None) -> Configuration:
    """Return the URL and the API key to use.

    Each comes from its argument, or else from ACTLAB_URL or ACTLAB_API_KEY, or else from the file. Without any, the
    URL is that of the service on this machine. The file's key is used for the file's URL alone, so that it never
    reaches another service. Raises InvalidConfiguration.
    """
    url = _checked_url(url, "url") if url is not None else _checked_url(_variable("ACTLAB_URL"), "ACTLAB_URL")
    key = api_key if api_key is not None else _variable("ACTLAB_API_KEY")
    key = _checked_key(key, "api_key" if api_key is not None else "ACTLAB_API_KEY")
    if url is not None and key is not None:
        return Configuration(url, key)
    stored = read()
    stored_url = stored.url or local_url()
    url = url or stored_url
    return Configuration(url, key or (stored.api_key if url.rstrip("/") == stored_url.rstrip("/") else None))


def local_url() -> str:
    """Return the URL of the service on this machine, by ACTLAB_HOST and ACTLAB_PORT. Raises InvalidConfiguration."""
    host = _variable("ACTLAB_HOST") or "127.0.0.1"
    host = ANY_ADDRESS.get(host, host)
    return f"http://[{host}]:{_port()}" if ":" in host else f"http://{host}:{_port()}"


def path() -> Path:
    """Return the path of the configuration file, in the user's folder for configuration."""
    return user_config_path("actlab", appauthor=False) / "config.toml"


def read(file: Path | None = None) -> Stored:
    """Read the configuration file; one that does not exist is empty. Warns of a key that others can read.

    Raises InvalidConfiguration, with the file and the field.
    """
    file = file or path()
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return Stored()
    except OSError as error:
        raise InvalidConfiguration(f"{file} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise InvalidConfiguration(f"{file} is not TOML: {error}") from error
    stored = _stored(content, file)
    if stored.api_key is not None and _is_readable_by_others(file):
        log.warning("%s holds an API key, and other users can read it: chmod 600 '%s'", file, file)
    return stored


def write(stored: Stored, file: Path | None = None) -> Path:
    """Write the configuration file, which only this user can read, and return its path. It replaces the previous one
    at once, so that no reader meets a part of it. Raises InvalidConfiguration for a value that `read` would refuse."""
    file = file or path()
    values = {name: value for name, value in asdict(stored).items() if value is not None}
    _stored(values, file)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, unfinished = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # with the mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            # A string of JSON is one of TOML too, as long as it has no characters that _stored refuses.
            stream.writelines(f"{name} = {json.dumps(value)}\n" for name, value in values.items())
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(unfinished, file)
    finally:
        Path(unfinished).unlink(missing_ok=True)
    return file


def _variable(name: str) -> str | None:
    """Return the value of a variable without white space around it; None for one that is unset or empty."""
    return os.environ.get(name, "").strip() or None


def _port() -> int:
    value = _variable("ACTLAB_PORT")
    if value is not None and SERVICE_LINK.fullmatch(value):
        log.warning("ACTLAB_PORT=%s is ignored: it is the address that Kubernetes gives to a pod, no setting.", value)
        value = None
    try:
        port = 8000 if value is None else int(value)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise InvalidConfiguration(f"ACTLAB_PORT: a port is a number from 0 to 65535, got {value!r}")
    return port


def _stored(content: dict[str, Any], file: Path) -> Stored:
    for name, value in content.items():
        if name not in FIELDS:
            raise InvalidConfiguration(f"{file}: unknown field {name!r}; the fields are {' and '.join(FIELDS)}")
        if not isinstance(value, str):
            raise InvalidConfiguration(f"{file}: {name} should be a string in quotation marks, got {value!r}")
    values = {name: value.strip() or None for name, value in content.items()}
    url = _checked_url(values.get("url"), f"{file}: url")
    return Stored(url, _checked_key(values.get("api_key"), f"{file}: api_key"))


def _checked_url(url: str | None, name: str) -> str | None:
    if url is None:
        return None
    problem = InvalidConfiguration(f"{name}: write the service's URL as http://HOST:PORT or https://HOST, got {url!r}")
    try:
        parts = urlsplit(url)
        _ = parts.port  # ValueError for one that is no port
    except ValueError as error:
        raise problem from error
    is_plain = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or not is_plain:
        raise problem
    return url


def _checked_key(key: str | None, name: str) -> str | None:
    """Return a key that a header can carry; the message of the error does not repeat it."""
    if key is not None and not re.fullmatch(r"[!-~]+", key):
        raise InvalidConfiguration(f"{name}: an API key has only ASCII characters and no spaces; copy it again")
    return key


def _is_readable_by_others(file: Path) -> bool:
    # Windows has no such bits: a folder of a user is that user's.
    return os.name == "posix" and bool(file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
