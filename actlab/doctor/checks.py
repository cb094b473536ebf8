"""All checks in order."""

import re
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from actlab import configuration
from actlab.client import Client, UnusableProxy
from actlab.doctor import machine, remote
from actlab.doctor.findings import Finding

if TYPE_CHECKING:
    from service.settings import Settings

OLDEST_PYTHON = (3, 11)
OWN_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
LOCAL = ("device", "database", "broker", "data sets", "disk", "port")
"""The checks of this machine as a part of the service."""


def run(url: str | None) -> Iterator[Finding]:
    """Yield the findings about Python, this installation, the service at `url` or the configured one, and about this
    machine unless the service is on another one."""
    yield python()
    yield versions()
    try:
        chosen = configuration.resolve(url)
        client = Client(chosen.url, api_key=chosen.api_key, timeout=remote.SECONDS, retries=0)
    except (configuration.InvalidConfiguration, UnusableProxy) as error:
        yield Finding("configuration", "problem", str(error), "Correct it; docs/settings.md describes where it is.")
        return
    with client:
        health = remote.ask(client, through_proxy=not _is_own(chosen.url))
        expected = chosen.url != configuration.local_url()
        yield remote.reachable(chosen.url, health, metadata.version("actlab"), expected=expected)
        yield from remote.of_running(client, health)
    yield from _of_machine(chosen.url, is_served=isinstance(health, remote.Health))


def python() -> Finding:
    """Check the version of Python."""
    found = f"{sys.version.split()[0]} ({sys.executable})"
    if sys.version_info < OLDEST_PYTHON:
        return Finding("python", "problem", found, "Install Python 3.11 or newer.")
    return Finding("python", "ok", found)


def versions() -> Finding:
    """Check that the libraries of the client are there, and those of each extra whole or not at all."""
    lacking = {extra: _missing(names) for extra, names in _requirements().items()}
    whole = [extra for extra, missing in lacking.items() if extra and not missing]
    parts = {extra: missing for extra, missing in lacking.items() if missing and (not extra or _has_some(extra))}
    found = f"actlab {metadata.version('actlab')}, extras: {', '.join(whole) or 'none'}"
    if parts:
        names = ", ".join(name for missing in parts.values() for name in missing)
        extras = ",".join(extra for extra in parts if extra)
        remedy = f"pip install 'actlab[{extras}]'" if extras else "pip install actlab"
        return Finding("versions", "problem", f"{found}; missing: {names}", remedy)
    return Finding("versions", "ok", found)


def _of_machine(url: str, *, is_served: bool) -> Iterator[Finding]:
    try:
        from service.domain.errors import ConfigurationError
        from service.process import log
        from service.settings import load
    except ModuleNotFoundError as error:
        finding = f"This machine is a client: {error.name} is missing."
        yield from (Finding(name, "skipped", finding, "To serve here: pip install 'actlab[server]'") for name in LOCAL)
        return
    try:
        settings = load()
    except ConfigurationError as error:
        yield Finding("settings", "problem", error.detail, "Correct the variable; docs/settings.md lists all.")
        return
    if not _is_own(url) and settings.database_url is None:
        yield from (Finding(name, "skipped", "The service is on another machine.") for name in LOCAL)
        return
    log.configure("error", settings.log_format)
    yield from _checked(settings, is_served=is_served and url == settings.own_url)


def _checked(settings: "Settings", *, is_served: bool) -> Iterator[Finding]:
    yield machine.device(settings)
    yield machine.database(settings)
    yield machine.broker(settings)
    yield machine.data_sets(settings)
    yield machine.disk(settings)
    yield machine.port(settings, is_served=is_served)


def _is_own(url: str) -> bool:
    return urlsplit(url).hostname in OWN_HOSTS or url == configuration.local_url()


def _requirements() -> dict[str, list[str]]:
    """Return the names of the required distributions by extra; those of a client have the name ''."""
    names: dict[str, list[str]] = {"": []}
    for requirement in metadata.requires("actlab") or []:
        (name,) = re.findall(r"^[\w.-]+", requirement)
        (extra, *_) = re.findall(r"extra == ['\"]([\w-]+)['\"]", requirement) or [""]
        if extra not in ("dev", "all"):  # which repeat the others
            names.setdefault(extra, []).append(name)
    return names


def _has_some(extra: str) -> bool:
    names = _requirements()[extra]
    return len(_missing(names)) < len(names)


def _missing(names: list[str]) -> list[str]:
    return [name for name in names if not _is_installed(name)]


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True
