"""Answers that a process keeps as bytes, so that they are neither queried nor serialised again."""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from fastapi import Response

from service.changefeed.feed import Feed

K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound="Answer | Fragment")

Header = tuple[bytes, bytes]
Question = tuple[str, bytes]
"""The path and the query string of a GET."""

ANSWER_BYTES = 16 * 2**20
LIST_BYTES = 4 * 2**20
FRAGMENT_BYTES = 8 * 2**20
SHARED_BYTES = 4 * 2**20
"""The most bytes that one process keeps of each kind; a page of 50 experiments has about 75,000."""
OVERHEAD_BYTES = 1000
"""The approximate bytes of an entry beside its text: its key, its headers and its objects."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A 200 with an ETag, and what its process must know for it to be still true.

    Of an experiment or a study (`id`), `state` is the revision; of a list, the feed's token from before it was read.
    """

    id: UUID | None
    state: int
    etag: str
    headers: tuple[Header, ...]
    body: bytes
    route: str

    @classmethod
    def of(cls, response: Response, id: UUID | None, state: int, route: str) -> "Answer":
        """`route` is the template of the path, by which requests are counted."""
        return cls(id, state, response.headers["etag"], tuple(response.raw_headers), bytes(response.body), route)

    def is_true(self, feed: Feed) -> bool:
        return feed.is_unchanged(self.state) if self.id is None else feed.recall(self.id) == self.state

    @property
    def size(self) -> int:
        return len(self.body) + OVERHEAD_BYTES


@dataclass(frozen=True, slots=True)
class Fragment:
    """An experiment at a revision, as an item of a list, or the page of a study at one."""

    revision: int
    text: str

    @property
    def size(self) -> int:
        return len(self.text) + OVERHEAD_BYTES


class Kept(Generic[K, V]):
    """A mapping of at most so many bytes, which drops what was used longest ago. Threads share it."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()
        self.bytes = 0

    def get(self, key: K) -> V | None:
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, values: Mapping[K, V]) -> None:
        with self._lock:
            for key, value in values.items():
                self._drop(key)
                self._values[key] = value
                self.bytes += value.size
            while self.bytes > self._most_bytes:
                self._drop(next(iter(self._values)))

    def _drop(self, key: K) -> None:
        old = self._values.pop(key, None)
        self.bytes -= 0 if old is None else old.size


class Memory:
    """The answers and the items of lists that a process keeps."""

    def __init__(self) -> None:
        self._answers: Kept[Question, Answer] = Kept(ANSWER_BYTES)
        self._lists: Kept[Question, Answer] = Kept(LIST_BYTES)
        self._fragments: Kept[UUID, Fragment] = Kept(FRAGMENT_BYTES)
        self._shared: Kept[UUID, Fragment] = Kept(SHARED_BYTES)

    def answer(self, question: Question) -> Answer | None:
        """Return the answer to a question that was kept last, which may not be true any more."""
        return self._answers.get(question) or self._lists.get(question)

    def keep(self, question: Question, answer: Answer) -> None:
        (self._lists if answer.id is None else self._answers).put({question: answer})

    def fragments(self, revisions: Iterable[tuple[UUID, int]]) -> dict[UUID, str]:
        """Return the kept text of those experiments that are at the revision of theirs."""
        kept = ((id, revision, self._fragments.get(id)) for id, revision in revisions)
        return {id: fragment.text for id, revision, fragment in kept if fragment and fragment.revision == revision}

    def keep_fragments(self, fragments: Mapping[UUID, Fragment]) -> None:
        self._fragments.put(fragments)

    def shared_page(self, study: UUID, revision: int) -> str | None:
        """Return the kept page of a study at a revision, which share links open."""
        page = self._shared.get(study)
        return page.text if page is not None and page.revision == revision else None

    def keep_shared_page(self, study: UUID, revision: int, text: str) -> None:
        self._shared.put({study: Fragment(revision, text)})
