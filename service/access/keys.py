"""API keys: their format, their hash, and the comparison of a text with the stored hash.

A key is `actlab_<id>_<secret>`: 8 characters of 0-9, A-Z, a-z, and 256 random bits as base64url. Scanners of published
secrets can match it. It is stored as the SHA-256 of the whole text: a hash that is slow on purpose protects what people
choose, and nobody can guess 256 bits.
"""

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.access.roles import Role

ALPHABET = string.digits + string.ascii_letters
ID_LENGTH = 8
SECRET_BYTES = 32
PATTERN = re.compile(r"actlab_([0-9A-Za-z]{8})_([0-9A-Za-z_-]{43})", re.ASCII)
SHARED = re.compile(r"/s/[0-9A-Za-z_-]{43}", re.ASCII)
"""The address of a share link, which is a secret too."""
NO_HASH = bytes(32)
"""A hash that no text has. Texts with the id of no key are compared with it."""

LONGEST_KEY_NAME = 60

LIFETIME = r"^[1-9][0-9]{0,3}[hdw]$"
"""The pattern of a lifetime: a number of hours, days or weeks."""
UNITS = {"h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class NewKey:
    """A key that was just made. `text` is shown once and stored nowhere."""

    id: str
    text: str

    @property
    def sha256(self) -> bytes:
        return sha256(self.text)


@dataclass(frozen=True)
class Key:
    """A stored key: who it stands for, and the hash of its text."""

    id: str
    name: str
    role: Role
    sha256: bytes
    expires_at: datetime | None
    revoked_at: datetime | None


def generate() -> NewKey:
    """Make a key from the operating system's random numbers."""
    id = "".join(secrets.choice(ALPHABET) for _ in range(ID_LENGTH))
    return NewKey(id, f"actlab_{id}_{secrets.token_urlsafe(SECRET_BYTES)}")


def id_of(text: str) -> str | None:
    """Return the id in the text of a key; None for text of another format."""
    match = PATTERN.fullmatch(text)
    return None if match is None else match[1]


def sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def matches(text: str, stored: Key | None) -> bool:
    """Return whether a text is the stored key. The time does not tell how much of it is right, or whether its id is."""
    equal = hmac.compare_digest(sha256(text), NO_HASH if stored is None else stored.sha256)
    return equal and stored is not None


def lifetime(text: str) -> timedelta:
    """Return a lifetime such as 90d, 12h or 4w, which LIFETIME matches."""
    return timedelta(**{UNITS[text[-1]]: int(text[:-1])})


def redacted(text: str) -> str:
    """Return a text in which the secrets of keys and share links are replaced by dots; the ids of keys stay."""
    text = PATTERN.sub(r"actlab_\1_...", text) if "actlab_" in text else text
    return SHARED.sub("/s/...", text) if "/s/" in text else text
