"""Checks of the service that commands use: its version, the key, its workers and its clock."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from actlab.client import ApiError, Client
from actlab.doctor.findings import Finding

SECONDS = 5.0
"""The most seconds to wait for an answer."""
MOST_SKEW = 5.0
"""Seconds by which two clocks may differ before it is a warning; a Date header is exact to a second."""
START = "Start it with `actlab up`, or name another one with --url, ACTLAB_URL or `actlab login`."


@dataclass(frozen=True)
class Health:
    """The answer of /healthz: the version of the service, and how far its clock is ahead, in seconds."""

    version: str
    ahead: float | None


def ask(client: Client, *, through_proxy: bool) -> Health | str:
    """Return the health of a service, or the reason why there is none. The environment's proxies count where
    `through_proxy`."""
    begun = time.time()
    try:
        answer = httpx2.get(client.address("healthz"), timeout=SECONDS, trust_env=through_proxy)
    except httpx2.HTTPError as error:
        return str(error) or type(error).__name__
    body = _object(answer)
    if answer.status_code != 200 or body.get("status") != "ok":
        return f"something else answers, with status {answer.status_code}"
    return Health(str(body.get("version")), _ahead(answer, (begun + time.time()) / 2))


def reachable(url: str, health: Health | str, own_version: str, *, expected: bool) -> Finding:
    """Check that the service answers in this version. `expected` is false for the default URL, where none may run."""
    if isinstance(health, str):
        return Finding("service", "problem" if expected else "warning", f"None answers at {url}: {health}", START)
    if health.version != own_version:
        remedy = f"pip install actlab=={health.version}, or upgrade the service."
        return Finding("service", "warning", f"{url} is {health.version}, this command {own_version}", remedy)
    return Finding("service", "ok", f"{url}, version {health.version}")


def of_running(client: Client, health: Health | str) -> Iterator[Finding]:
    """Check the key, the workers and the clock of a service that answers."""
    if isinstance(health, str):
        yield from (Finding(name, "skipped", "No service answers.") for name in ("key", "workers", "clock"))
        return
    yield _key(client)
    yield _workers(client)
    yield _clock(health.ahead)


def _key(client: Client) -> Finding:
    try:
        me = client.me()
    except (ApiError, httpx2.HTTPError) as error:
        return Finding("key", "problem", str(error), "`actlab login`, or set ACTLAB_API_KEY to a valid key.")
    if me["open"]:
        return Finding("key", "ok", "none needed: the service has no keys")
    return Finding("key", "ok", f"{me['name']} ({me['role']}), {me['expires_at'] or 'without end'}")


def _workers(client: Client) -> Finding:
    try:
        workers = client.workers()
    except (ApiError, httpx2.HTTPError) as error:
        return Finding("workers", "skipped", str(error))
    alive = [worker for worker in workers if worker["alive"]]
    problems = [f"{worker['hostname']}: {worker['problem']}" for worker in workers if worker["problem"]]
    if alive and not problems:
        busy = sum(worker["status"] == "busy" for worker in alive)
        return Finding("workers", "ok", f"{len(alive)} alive, {busy} busy")
    if problems:
        return Finding("workers", "problem", " ".join(problems), "Change the setting, then start the worker again.")
    return Finding("workers", "problem", "None is alive, so that nothing trains.", "`actlab worker`, or `actlab up`.")


def _clock(ahead: float | None) -> Finding:
    if ahead is None:
        return Finding("clock", "skipped", "The service did not send its time.")
    if abs(ahead) > MOST_SKEW:
        finding = f"The service's is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's."
        return Finding("clock", "warning", finding, "Synchronise both machines, for example with chrony.")
    return Finding("clock", "ok", "within 5 s of the service's")


def _ahead(answer: httpx2.Response, now: float) -> float | None:
    """Return by how many seconds the Date of an answer, which leaves out the fraction, is ahead of the time `now`."""
    try:
        return parsedate_to_datetime(answer.headers["date"]).timestamp() + 0.5 - now
    except (KeyError, ValueError):
        return None


def _object(answer: httpx2.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
