"""Clients of the HTTP API: a synchronous one, and one for asyncio."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

import httpx2 as httpx

from actlab import configuration
from actlab.errors import ApiError, UnknownFormat, UnusableProxy, error_of
from actlab.flows import Async, Call, Flow, Json, Sync
from actlab.objects.activations import Activation, ActivationBase, AsyncActivation
from actlab.objects.curves import AsyncCurves, Curves, CurvesBase
from actlab.objects.experiments import AsyncExperiment, Experiment, ExperimentBase
from actlab.objects.files import EXPORTS, REPORTS
from actlab.objects.studies import AsyncStudy, Study, StudyBase
from actlab.operations import FreshReads, Operations
from actlab.retries import RETRIES, Sendings, checked
from actlab.watching import PAUSE_SECONDS, Event, Watch

__all__ = [
    "EXPORTS",
    "REPORTS",
    "ApiError",
    "AsyncClient",
    "Client",
    "Event",
    "Json",
    "UnknownFormat",
    "UnusableProxy",
]

T = TypeVar("T")
K = TypeVar("K")

SECONDS_AFTER_WAIT = 10.0
"""The time that an answer may take after the service has waited with it."""

RECORDS: Mapping[type, type] = {
    ActivationBase: Activation,
    CurvesBase: Curves,
    ExperimentBase: Experiment,
    StudyBase: Study,
}
ASYNC_RECORDS: Mapping[type, type] = {
    ActivationBase: AsyncActivation,
    CurvesBase: AsyncCurves,
    ExperimentBase: AsyncExperiment,
    StudyBase: AsyncStudy,
}
"""The classes of what each client returns."""


class Client(Operations, Sync):
    """A synchronous client of an ActLab service.

    `url` is the root of the service, such as http://127.0.0.1:8000. Without it, it is that of ACTLAB_URL, of the
    configuration file, or of this machine; `api_key` is found in the same way, and is sent with each request
    (`actlab.configuration.resolve`). `timeout` is in seconds. A request that may be repeated is sent again up to
    `retries` times (`actlab.retries`). A service on this machine is reached without a proxy, whatever the environment
    says; one on another machine through the proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names. Raises
    UnusableProxy and InvalidConfiguration.

    >>> from actlab import Client
    >>> with Client(url) as client:
    ...     client.healthy()
    True
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float = 40.0,
        retries: int = RETRIES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        service = configuration.resolve(url, api_key)
        if transport is None and _is_of_this_machine(service.url):
            transport = httpx.HTTPTransport()  # where a transport is given, httpx asks for no proxy
        self._reads = FreshReads()
        self._retries = checked(retries)
        with _proxies_checked():
            self._http = httpx.Client(
                base_url=service.url, timeout=timeout, transport=transport, headers=_authorization(service.api_key)
            )

    def healthy(self) -> bool:
        """Return whether an ActLab service answers at the URL; the question is asked once."""
        try:
            return _is_ok(self._http.get("/healthz", timeout=2.0))
        except (httpx.HTTPError, ValueError):
            return False

    def address(self, path: str) -> str:
        """Return the whole address of a path of the service's host, such as that of a link or a Location."""
        return str(self._http.base_url.join(path))

    def iter_experiments(self, /, **filters: Any) -> Iterator[Experiment]:
        """Yield the experiments that match the filters, page by page as they are needed.

        >>> next(client.iter_experiments(activation="tanh", sort="id"))["spec"]["seed"]
        0
        """
        return self._iterate("/experiments", filters, ExperimentBase)

    def iter_studies(self, /, **filters: Any) -> Iterator[Study]:
        """Yield the studies that match the filters, page by page as they are needed."""
        return self._iterate("/studies", filters, StudyBase)

    def _iterate(self, path: str, filters: Json, kind: type) -> Iterator[Any]:
        cursor: Json = {}
        while True:
            page = self._answer(Call("GET", path, {**filters, **cursor}))
            for item in page["items"]:
                yield self._new(kind, item)
            if not page["next_cursor"]:
                return
            cursor = {"cursor": page["next_cursor"]}

    def watch(
        self,
        *,
        study: str | None = None,
        experiment: str | list[str] | None = None,
        kind: list[str] | None = None,
        since: int | None = None,
        compact: bool = False,
        patience: float | None = None,
    ) -> Iterator[Event]:
        """Yield the changes of all records, or of a study or experiments, after the revision `since` or from now on.

        The iterator never ends. It connects again when the connection breaks, without gaps or repeats. With `patience`
        it raises the error of the connection once the service has been silent for so many seconds.
        """
        watch = Watch(study, experiment, kind, since, compact, patience)
        while True:
            with watch.connection(), self._http.stream(**watch.request) as answer:
                if answer.is_error:
                    answer.read()
                    _checked(answer)
                for message in httpx.EventSource(answer, max_event_size=None):
                    if (event := watch.take(message)) is not None:
                        self._reads.demand()
                        yield event
            time.sleep(PAUSE_SECONDS)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client of {self._http.base_url}>"

    def _new(self, kind: type[K], answer: Json) -> K:
        record: K = RECORDS[kind](answer, self)
        return record

    def _run(self, flow: Flow[T]) -> T:
        try:
            call = next(flow)
            while True:
                call = flow.send(self._answer(call))
        except StopIteration as end:
            value: T = end.value
            return value
        finally:
            flow.close()

    def _answer(self, call: Call) -> Any:
        sendings = Sendings(call, self._retries)
        try:
            return sendings.run(self._send)
        except ApiError as error:
            if sendings.is_done(error):
                return {}
            raise

    def _send(self, call: Call) -> Any:
        request = _request(call, self._reads, self._http.timeout)
        if call.file is None:
            return _content(call, self._http.request(**request))
        with self._http.stream(**request) as answer, _whole(call.file) as stream:
            if answer.is_error:
                answer.read()
                _checked(answer)
            for part in answer.iter_bytes():
                stream.write(part)
        return {}


class AsyncClient(Operations, Async):
    """The client for asyncio: `async with AsyncClient(url) as client: await client.study(id)`."""

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float = 40.0,
        retries: int = RETRIES,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        service = configuration.resolve(url, api_key)
        if transport is None and _is_of_this_machine(service.url):
            transport = httpx.AsyncHTTPTransport()
        self._reads = FreshReads()
        self._retries = checked(retries)
        with _proxies_checked():
            self._http = httpx.AsyncClient(
                base_url=service.url, timeout=timeout, transport=transport, headers=_authorization(service.api_key)
            )

    async def healthy(self) -> bool:
        """Return whether an ActLab service answers at the URL; the question is asked once."""
        try:
            return _is_ok(await self._http.get("/healthz", timeout=2.0))
        except (httpx.HTTPError, ValueError):
            return False

    def address(self, path: str) -> str:
        """Return the whole address of a path of the service's host, such as that of a link or a Location."""
        return str(self._http.base_url.join(path))

    def iter_experiments(self, /, **filters: Any) -> AsyncIterator[AsyncExperiment]:
        """Do as Client.iter_experiments, with `async for`."""
        return self._iterate("/experiments", filters, ExperimentBase)

    def iter_studies(self, /, **filters: Any) -> AsyncIterator[AsyncStudy]:
        """Do as Client.iter_studies, with `async for`."""
        return self._iterate("/studies", filters, StudyBase)

    async def _iterate(self, path: str, filters: Json, kind: type) -> AsyncIterator[Any]:
        cursor: Json = {}
        while True:
            page = await self._answer(Call("GET", path, {**filters, **cursor}))
            for item in page["items"]:
                yield self._new(kind, item)
            if not page["next_cursor"]:
                return
            cursor = {"cursor": page["next_cursor"]}

    async def watch(
        self,
        *,
        study: str | None = None,
        experiment: str | list[str] | None = None,
        kind: list[str] | None = None,
        since: int | None = None,
        compact: bool = False,
        patience: float | None = None,
    ) -> AsyncIterator[Event]:
        """Do as Client.watch."""
        watch = Watch(study, experiment, kind, since, compact, patience)
        while True:
            with watch.connection():
                async with self._http.stream(**watch.request) as answer:
                    if answer.is_error:
                        await answer.aread()
                        _checked(answer)
                    async for message in httpx.EventSource(answer, max_event_size=None):
                        if (event := watch.take(message)) is not None:
                            self._reads.demand()
                            yield event
            await asyncio.sleep(PAUSE_SECONDS)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncClient of {self._http.base_url}>"

    def _new(self, kind: type[K], answer: Json) -> K:
        record: K = ASYNC_RECORDS[kind](answer, self)
        return record

    async def _run(self, flow: Flow[T]) -> T:
        try:
            call = next(flow)
            while True:
                call = flow.send(await self._answer(call))
        except StopIteration as end:
            value: T = end.value
            return value
        finally:
            flow.close()

    async def _answer(self, call: Call) -> Any:
        sendings = Sendings(call, self._retries)
        try:
            return await sendings.run_async(self._send)
        except ApiError as error:
            if sendings.is_done(error):
                return {}
            raise

    async def _send(self, call: Call) -> Any:
        request = _request(call, self._reads, self._http.timeout)
        if call.file is None:
            return _content(call, await self._http.request(**request))
        with _whole(call.file) as stream:
            async with self._http.stream(**request) as answer:
                if answer.is_error:
                    await answer.aread()
                    _checked(answer)
                async for part in answer.aiter_bytes():
                    stream.write(part)
        return {}


def _authorization(api_key: str | None) -> dict[str, str]:
    return {} if api_key is None else {"Authorization": f"Bearer {api_key}"}


def _request(call: Call, reads: FreshReads, timeout: httpx.Timeout) -> dict[str, Any]:
    """Return keyword arguments of a client's `request`. A waiting read takes as long as it waits, and then some."""
    wait = float(call.query.get("wait") or 0.0)
    if wait and timeout.read is not None and timeout.read < wait + SECONDS_AFTER_WAIT:
        longer = {"read": wait + SECONDS_AFTER_WAIT, "connect": timeout.connect, "write": timeout.write}
        timeout = httpx.Timeout(pool=timeout.pool, **longer)
    headers = reads.headers(call)
    request = {"method": call.method, "url": call.url, "params": call.parameters, "headers": headers}
    return {**request, "timeout": timeout, **({} if call.body is None else {"json": call.body})}


def _content(call: Call, answer: httpx.Response) -> Any:
    body = _checked(answer)
    return answer.text if call.as_text else body


def _is_of_this_machine(url: str) -> bool:
    """Return whether a URL names this machine: localhost, the machine's own name, or one of its addresses."""
    host = httpx.URL(url).host.rstrip(".").lower()
    if host in ("localhost", socket.gethostname().lower()) or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified) or _can_be_bound(mapped)


def _can_be_bound(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:  # no address of this machine, or no IPv6
        return False
    return True


@contextmanager
def _proxies_checked() -> Iterator[None]:
    """Raise UnusableProxy for what httpx raises while it reads the proxies of the environment."""
    try:
        yield
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        reason = "SOCKS needs the package `socksio`" if isinstance(error, ImportError) else str(error)
        raise UnusableProxy(
            f"The proxy of HTTP_PROXY, HTTPS_PROXY or ALL_PROXY cannot be used: {reason.rstrip('.')}. Correct or unset"
            " the variable, or name the service's host in NO_PROXY."
        ) from error


@contextmanager
def _whole(file: Path) -> Iterator[BinaryIO]:
    """Open a file that appears only when it is complete."""
    unfinished = file.with_name(f"{file.name}.part")
    try:
        with unfinished.open("wb") as stream:
            yield stream
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def _is_ok(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and answer.json().get("status") == "ok"


def _checked(answer: httpx.Response) -> Json:
    """Return the JSON of an answer, {} without any. Raises the ApiError of an error."""
    try:
        body: Json = answer.json()
    except ValueError:
        body = {}
    if answer.is_error:
        raise error_of(answer.status_code, body, answer.headers.get("retry-after"))
    return body
