"""Operations that are described once, for both clients: each is a generator of requests, which either client runs."""

from __future__ import annotations

import functools
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeAlias, TypeVar, cast, overload
from uuid import UUID, uuid4

Json = dict[str, Any]
T = TypeVar("T")
K = TypeVar("K")
P = ParamSpec("P")
S = TypeVar("S", covariant=True)
A = TypeVar("A", covariant=True)

Flow: TypeAlias = Generator["Call", Any, T]
"""A generator that yields requests, is sent the JSON of their answers ({} without a body), and returns the result."""


@dataclass(frozen=True)
class Call:
    """A request. Query parameters that are None are left out.

    The answer is JSON, or with `file` written there, or with `as_text` returned as text. `repeatable` says that a POST
    may be sent twice; other methods and an Idempotency-Key say it themselves.
    """

    method: str
    path: str
    query: Json = field(default_factory=dict)
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    file: Path | None = None
    as_text: bool = False
    repeatable: bool = False

    @property
    def url(self) -> str:
        return f"/api/v1{self.path}"

    @property
    def parameters(self) -> Json:
        """The query: without what is None, and with objects, such as the factors of a group, as JSON."""
        given = {name: plain(value) for name, value in self.query.items() if value is not None}
        return {name: json.dumps(value) if isinstance(value, dict) else value for name, value in given.items()}

    @property
    def is_idempotent(self) -> bool:
        """True if a second sending changes nothing more: with a version to match it would be refused."""
        if "If-Match" in self.headers:
            return False
        return self.method in ("GET", "PUT", "DELETE") or self.repeatable or "Idempotency-Key" in self.headers


class Runner(ABC):
    """Something that runs flows: a client, or a record that a client has returned."""

    @abstractmethod
    def _run(self, flow: Flow[Any]) -> Any: ...

    @abstractmethod
    def _new(self, kind: type[K], answer: Json) -> K:
        """Return an answer as a record of this kind, whose methods use the client."""


class Sync(Runner):
    """A runner whose operations return their results."""

    @abstractmethod
    def _run(self, flow: Flow[T]) -> T: ...


class Async(Runner):
    """A runner whose operations are awaited."""

    @abstractmethod
    def _run(self, flow: Flow[T]) -> Coroutine[Any, Any, T]: ...


class Operation(Generic[P, S, A]):
    """The type of an operation: a method that returns S of a synchronous runner, and is awaited for A of another."""

    @overload
    def __get__(self, runner: None, kind: type) -> Self: ...
    @overload
    def __get__(self, runner: Sync, kind: type) -> Callable[P, S]: ...
    @overload
    def __get__(self, runner: Async, kind: type) -> Callable[P, Coroutine[Any, Any, A]]: ...
    def __get__(self, runner: Runner | None, kind: type) -> Any:
        raise NotImplementedError  # at run time an operation is a plain function

    def __call__(self, runner: Any, *args: P.args, **kwargs: P.kwargs) -> Any:
        raise NotImplementedError


def operation(flow: Callable[Concatenate[Any, P], Flow[T]]) -> Operation[P, T, T]:
    """Make a method of a flow, which runs it."""

    @functools.wraps(flow)
    def run(self: Runner, *args: Any, **kwargs: Any) -> Any:
        return self._run(flow(self, *args, **kwargs))

    return cast("Operation[P, T, T]", run)


def call(call: Call) -> Flow[Json]:
    """Return the answer of one request."""
    answer: Json = yield call
    return answer


def done(call: Call) -> Flow[None]:
    """Send a request whose answer has no content."""
    yield call


def items(call: Call) -> Flow[list[Json]]:
    """Return the items of an answer that has no pages."""
    answer = yield call
    found: list[Json] = answer["items"]
    return found


def pages(path: str, filters: Json) -> Flow[list[Json]]:
    """Return the items of all pages of a list."""
    page = yield Call("GET", path, filters)
    found: list[Json] = page["items"]
    while page["next_cursor"]:
        page = yield Call("GET", path, {**filters, "cursor": page["next_cursor"]})
        found += page["items"]
    return found


def creation(path: str, body: Json | None, idempotency_key: str | None, query: Json | None = None) -> Call:
    """Return a POST that creates something once, however often it is sent: it has a key, its own or this one."""
    return Call("POST", path, query or {}, body, {"Idempotency-Key": idempotency_key or uuid4().hex})


def if_match(version: int | None) -> dict[str, str]:
    """Return the header with which a change is refused unless this is the newest version; none for None."""
    return {} if version is None else {"If-Match": f'"{version}"'}


def body_of(body: Mapping[str, Any] | None, fields: Mapping[str, Any]) -> Json:
    """Return the body of a request: a mapping, with further fields over it."""
    whole: Json = plain({**(body or {}), **fields})
    return whole


def plain(value: Any) -> Any:
    """Return a value as JSON has it: ranges, tuples and sets as lists, arrays and numbers of numpy as Python's."""
    if value is None or isinstance(value, str | bool | int | float | bytes):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if callable(as_list := getattr(value, "tolist", None)):
        return plain(as_list())
    if isinstance(value, UUID | PurePath):
        return str(value)
    return [plain(inner) for inner in value] if isinstance(value, Iterable) else value
