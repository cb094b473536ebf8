"""The base class of what the clients return."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from actlab.flows import Async, Flow, Json, Runner, Sync

T = TypeVar("T")
K = TypeVar("K")
Content = Mapping[str, Any] | Iterable[tuple[str, Any]]


class Record(dict[str, Any], Runner):
    """An answer of the service: a dict, whose fields are attributes too.

    A field that has the name of a method of dict, such as `items`, is no attribute.
    """

    _client: Runner | None

    def __init__(
        self, answer: Mapping[str, Any] | Iterable[tuple[str, Any]] = (), client: Runner | None = None
    ) -> None:
        super().__init__(answer)
        self._client = client

    if not TYPE_CHECKING:  # a type checker knows the fields, and finds wrong names

        def __getattr__(self, name: str) -> Any:
            try:
                return self[name]
            except KeyError:
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            raise AttributeError(f"{name!r} cannot be assigned: a record shows what the service has stored")
        super().__setattr__(name, value)

    def __dir__(self) -> Iterable[str]:
        return sorted({*super().__dir__(), *(key for key in self if key.isidentifier())})

    def __reduce__(self) -> tuple[type[Self], tuple[Json]]:
        """Copy and pickle a record without its client."""
        return type(self), (dict(self),)

    def _run(self, flow: Flow[Any]) -> Any:
        return self._runner()._run(flow)

    def _new(self, kind: type[K], answer: Json) -> K:
        return self._runner()._new(kind, answer)

    def _runner(self) -> Runner:
        """Return the client. Raises RuntimeError for a copy, which has none."""
        if self._client is None:
            raise RuntimeError(f"This {type(self).__name__} is a copy without a client: read it anew with one.")
        return self._client

    def _replace(self, answer: Json) -> Self:
        """Take the content of a newer answer."""
        self.clear()
        self.update(answer)
        return self


class SyncRecord(Record, Sync):
    """A record of the synchronous client, whose methods return their results."""

    def _run(self, flow: Flow[T]) -> T:
        result: T = super()._run(flow)
        return result


class AsyncRecord(Record, Async):
    """A record of the client for asyncio, whose methods are awaited."""

    def _run(self, flow: Flow[T]) -> Coroutine[Any, Any, T]:
        running: Coroutine[Any, Any, T] = super()._run(flow)
        return running
