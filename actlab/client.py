"""Clients of the HTTP API: a synchronous one, and one for asyncio."""

import asyncio
import ipaddress
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

import httpx2 as httpx

from actlab.operations import ApiError, Call, Flow, FreshReads, Json, Operations
from actlab.watching import PAUSE_SECONDS, Event, Watch

__all__ = ["ApiError", "AsyncClient", "Client", "Event", "Json", "UnknownFormat", "UnusableProxy"]

T = TypeVar("T")

EXPORTS = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl"}
REPORTS = {".html": "html", ".md": "markdown", ".tex": "latex", ".csv": "csv"}
"""Formats by the suffix of a file's name."""


class UnknownFormat(ValueError):
    """The suffix of a file names no format."""


class UnusableProxy(ValueError):
    """The environment names a proxy that cannot be used, for a service on another machine."""


class Client(Operations[Json, list[Json], None]):
    """A synchronous client of an ActLab service.

    `url` is the root of the service, such as http://127.0.0.1:8000; `timeout` is in seconds. A service on this machine
    is reached without a proxy, whatever the environment says; one on another machine through the proxy that HTTP_PROXY,
    HTTPS_PROXY or ALL_PROXY names. `api_key` is sent with each request, to this URL alone. Raises UnusableProxy.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout: float = 40.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if transport is None and _is_of_this_machine(url):
            transport = httpx.HTTPTransport()  # where a transport is given, httpx asks for no proxy
        self._reads = FreshReads()
        with _proxies_checked():
            self._http = httpx.Client(
                base_url=url, timeout=timeout, transport=transport, headers=_authorization(api_key)
            )

    def healthy(self) -> bool:
        """Return whether an ActLab service answers at the URL."""
        try:
            return _is_ok(self._http.get("/healthz", timeout=2.0))
        except (httpx.HTTPError, ValueError):
            return False

    def address(self, path: str) -> str:
        """Return the whole address of a path of the service's host, such as that of a link or a Location."""
        return str(self._http.base_url.join(path))

    def export(self, file: str | Path, *, study: str | None = None, rows: str = "experiments", **filters: Any) -> Path:
        """Export the experiments that have ended into a file, whose name ends in .csv, .parquet or .jsonl.

        `rows="epochs"` writes a row per epoch, and `rows="diagnostics"` one per epoch and layer. Filters are those of
        `experiments`, or `grid` alone: one grid of the study. The file appears when it is complete. Raises
        UnknownFormat for another suffix.
        """
        return self._download(_export(Path(file), study, rows, filters), Path(file))

    def report(self, file: str | Path, study: str, **query: Any) -> Path:
        """Write the report of a study into a file, whose name ends in .html, .md, .tex or .csv.

        `query` takes grid, metric, group_by and reference. The file appears when it is complete. Raises UnknownFormat
        for another suffix.
        """
        return self._download(_report(Path(file), study, query), Path(file))

    def comparison_table(self, format: str, *, study: str | None = None, **query: Any) -> str:
        """Return the table of a comparison as `csv`, `markdown` or `latex`, with a caption that names the family.

        `rows="pairs"` returns that of the pairs of groups. `query` takes what `study_comparison` does for a study, and
        what `comparison` does without one.
        """
        call = _comparison_table(format, study, query)
        answer = self._http.get(call.url, params=call.parameters)
        _checked(answer)
        return answer.text

    def weights(self, file: str | Path, id: str, *, which: str = "last") -> Path:
        """Download the weights of an experiment as safetensors: those of the last epoch, or the `best`."""
        return self._download(_weights(id, which), Path(file))

    def _download(self, call: Call, file: Path) -> Path:
        with self._http.stream(call.method, call.url, params=call.parameters) as answer, _whole(file) as stream:
            if answer.is_error:
                answer.read()
                _checked(answer)
            for part in answer.iter_bytes():
                stream.write(part)
        return file

    def watch(
        self,
        *,
        study: str | None = None,
        experiment: str | None = None,
        kind: list[str] | None = None,
        since: int | None = None,
        compact: bool = False,
        patience: float | None = None,
    ) -> Iterator[Event]:
        """Yield the changes of all records, or of a study or an experiment, after the revision `since` or from now on.

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
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _one(self, flow: Flow[Json]) -> Json:
        return self._run(flow)

    def _many(self, flow: Flow[list[Json]]) -> list[Json]:
        return self._run(flow)

    def _nothing(self, flow: Flow[None]) -> None:
        self._run(flow)

    def _run(self, flow: Flow[T]) -> T:
        call = next(flow)
        while True:
            answer = self._http.request(
                call.method, call.url, params=call.parameters, json=call.body, headers=self._reads.headers(call)
            )
            try:
                call = flow.send(_checked(answer))
            except StopIteration as end:
                value: T = end.value
                return value


class AsyncClient(Operations[Awaitable[Json], Awaitable[list[Json]], Awaitable[None]]):
    """The client for asyncio: `async with AsyncClient(url) as client: await client.study(id)`."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout: float = 40.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if transport is None and _is_of_this_machine(url):
            transport = httpx.AsyncHTTPTransport()
        self._reads = FreshReads()
        with _proxies_checked():
            self._http = httpx.AsyncClient(
                base_url=url, timeout=timeout, transport=transport, headers=_authorization(api_key)
            )

    async def healthy(self) -> bool:
        """Return whether an ActLab service answers at the URL."""
        try:
            return _is_ok(await self._http.get("/healthz", timeout=2.0))
        except (httpx.HTTPError, ValueError):
            return False

    def address(self, path: str) -> str:
        """Return the whole address of a path of the service's host, such as that of a link or a Location."""
        return str(self._http.base_url.join(path))

    async def export(
        self, file: str | Path, *, study: str | None = None, rows: str = "experiments", **filters: Any
    ) -> Path:
        """Do as Client.export."""
        return await self._download(_export(Path(file), study, rows, filters), Path(file))

    async def report(self, file: str | Path, study: str, **query: Any) -> Path:
        """Do as Client.report."""
        return await self._download(_report(Path(file), study, query), Path(file))

    async def comparison_table(self, format: str, *, study: str | None = None, **query: Any) -> str:
        """Do as Client.comparison_table."""
        call = _comparison_table(format, study, query)
        answer = await self._http.get(call.url, params=call.parameters)
        _checked(answer)
        return answer.text

    async def weights(self, file: str | Path, id: str, *, which: str = "last") -> Path:
        """Do as Client.weights."""
        return await self._download(_weights(id, which), Path(file))

    async def _download(self, call: Call, file: Path) -> Path:
        with _whole(file) as stream:
            async with self._http.stream(call.method, call.url, params=call.parameters) as answer:
                if answer.is_error:
                    await answer.aread()
                    _checked(answer)
                async for part in answer.aiter_bytes():
                    stream.write(part)
        return file

    async def watch(
        self,
        *,
        study: str | None = None,
        experiment: str | None = None,
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
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _one(self, flow: Flow[Json]) -> Awaitable[Json]:
        return self._run(flow)

    def _many(self, flow: Flow[list[Json]]) -> Awaitable[list[Json]]:
        return self._run(flow)

    def _nothing(self, flow: Flow[None]) -> Awaitable[None]:
        return self._run(flow)

    async def _run(self, flow: Flow[T]) -> T:
        call = next(flow)
        while True:
            answer = await self._http.request(
                call.method, call.url, params=call.parameters, json=call.body, headers=self._reads.headers(call)
            )
            try:
                call = flow.send(_checked(answer))
            except StopIteration as end:
                value: T = end.value
                return value


def _authorization(api_key: str | None) -> dict[str, str]:
    return {} if api_key is None else {"Authorization": f"Bearer {api_key}"}


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


def _export(file: Path, study: str | None, rows: str, filters: Json) -> Call:
    format = _format(file, EXPORTS)
    if study is not None and not filters.keys() - {"grid"}:
        return Call("GET", f"/studies/{study}/export", {"format": format, "rows": rows, **filters})
    return Call("GET", "/experiments/export", {"format": format, "rows": rows, "study": study, **filters})


def _report(file: Path, study: str, query: Json) -> Call:
    return Call("GET", f"/studies/{study}/report", {"format": _format(file, REPORTS), **query})


def _comparison_table(format: str, study: str | None, query: Json) -> Call:
    path = "/comparisons" if study is None else f"/studies/{study}/comparison"
    return Call("GET", path, {"format": format, **query})


def _weights(id: str, which: str) -> Call:
    return Call("GET", f"/experiments/{id}/weights", {"which": which})


def _format(file: Path, formats: Mapping[str, str]) -> str:
    format = formats.get(file.suffix.lower())
    if format is None:
        *others, last = formats
        raise UnknownFormat(f"{file}: name the file with the suffix {', '.join(others)} or {last}.")
    return format


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
    try:
        body: Json = answer.json()
    except ValueError:
        body = {}
    if answer.is_error:
        raise ApiError(answer.status_code, body)
    return body
