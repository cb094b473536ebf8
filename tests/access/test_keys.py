"""API keys: format, hash and comparison."""

import hashlib
import hmac
import re
from datetime import timedelta

import pytest

from service.access import keys
from service.access.keys import Key, generate, id_of, lifetime, matches, redacted, sha256
from service.access.roles import Role


def stored(text: str) -> Key:
    return Key(str(id_of(text)), "ci", Role.VIEWER, sha256(text), None, None)


@pytest.mark.defends("guess")
def test_generate_makes_keys_of_the_format_that_scanners_match() -> None:
    made = [generate() for _ in range(100)]
    assert all(re.fullmatch(r"actlab_[0-9A-Za-z]{8}_[0-9A-Za-z_-]{43}", key.text) for key in made)
    assert len({key.text[16:] for key in made}) == 100
    assert all(id_of(key.text) == key.id for key in made)


@pytest.mark.parametrize(
    "text",
    ["", "actlab_", f"actlab_{'a' * 8}_{'b' * 42}", f"actlab_{'a' * 8}_{'b' * 44}", f"actlab_{'a' * 7}-_{'b' * 43}",
     f"ACTLAB_{'a' * 8}_{'b' * 43}", f" actlab_{'a' * 8}_{'b' * 43}", f"actlab_{'a' * 8}_{'b' * 43}\n",
     f"actlab_{'ä' * 8}_{'b' * 43}"],
)  # fmt: skip
def test_id_of_refuses_other_texts(text: str) -> None:
    assert id_of(text) is None


def test_matches_takes_only_the_whole_text() -> None:
    key = generate()
    assert matches(key.text, stored(key.text))
    assert not matches(key.text[:-1] + ("A" if key.text[-1] != "A" else "B"), stored(key.text))
    assert key.sha256 == hashlib.sha256(key.text.encode()).digest()


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.defends("guess")
def test_matches_compares_whole_hashes_in_constant_time(monkeypatch: pytest.MonkeyPatch, known: bool) -> None:
    compared: list[tuple[bytes, bytes]] = []
    constant_time = hmac.compare_digest

    def compare(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return constant_time(a, b)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    key = generate()
    matches(key.text, stored(generate().text) if known else None)
    ((sent, held),) = compared
    assert (sent, len(held)) == (key.sha256, 32)


@pytest.mark.defends("guess")
def test_matches_refuses_the_hash_that_stands_for_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    key = generate()
    monkeypatch.setattr(keys, "NO_HASH", key.sha256)
    assert not matches(key.text, None)


@pytest.mark.parametrize(
    ("text", "span"), [("90d", timedelta(days=90)), ("12h", timedelta(hours=12)), ("4w", timedelta(weeks=4))]
)
def test_lifetime_reads_hours_days_and_weeks(text: str, span: timedelta) -> None:
    assert re.fullmatch(keys.LIFETIME, text)
    assert lifetime(text) == span


@pytest.mark.parametrize("text", ["", "d", "0d", "-1d", "1.5d", "90", "90m", "90 d", "99999d", "٣d"])
def test_lifetime_pattern_refuses_other_texts(text: str) -> None:
    assert re.search(keys.LIFETIME, text) is None


@pytest.mark.defends("leak")
def test_redacted_replaces_secrets_and_keeps_ids() -> None:
    key = generate()
    assert redacted(f"path=/{key.text} {key.text}") == f"path=/actlab_{key.id}_... actlab_{key.id}_..."
    assert redacted("actlab_session /s/1") == "actlab_session /s/1"
    assert redacted(f"path=/s/{'t' * 43}") == "path=/s/..."
