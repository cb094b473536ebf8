"""The memory for answers is bounded by bytes."""

from uuid import UUID, uuid4

from service.api.http.memory import OVERHEAD_BYTES, Fragment, Kept, Memory


def fragment(size: int, revision: int = 1) -> Fragment:
    return Fragment(revision, "x" * (size - OVERHEAD_BYTES))


def test_kept_drops_what_was_used_longest_ago() -> None:
    kept: Kept[str, Fragment] = Kept(10_000)
    for name in "abcd":
        kept.put({name: fragment(2500)})
    assert kept.get("a") is not None
    kept.put({"e": fragment(2500)})
    assert [name for name in "abcde" if kept.get(name)] == ["a", "c", "d", "e"]


def test_kept_counts_a_replaced_value_once() -> None:
    kept: Kept[str, Fragment] = Kept(10_000)
    for size in (2000, 9000, 3000):
        kept.put({"a": fragment(size)})
        assert kept.bytes == size


def test_kept_drops_a_value_that_is_larger_than_all_of_it() -> None:
    kept: Kept[str, Fragment] = Kept(10_000)
    kept.put({"a": fragment(2000)})
    kept.put({"b": fragment(10_001)})
    assert (kept.bytes, kept.get("a"), kept.get("b")) == (0, None, None)


def test_fragments_are_those_of_the_revision() -> None:
    memory, old, new = Memory(), uuid4(), uuid4()
    memory.keep_fragments({id: fragment(2000, revision=7) for id in (old, new)})
    found: dict[UUID, str] = memory.fragments([(old, 7), (new, 8), (uuid4(), 7)])
    assert found.keys() == {old}
