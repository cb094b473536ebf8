"""The admin key of the settings, which every process of the service stores when it starts."""

import structlog

from service.access import keys as api_keys
from service.access.keys import NewKey
from service.access.principals import CONSOLE
from service.access.roles import Role
from service.domain.errors import ConfigurationError
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.records import audit, keys
from service.storage.records.audit import Sender

log = structlog.get_logger(__name__)


def store(session: UnitOfWork, text: str) -> None:
    """Store a key unless it is stored. A key that was revoked stays so.

    Raises ConfigurationError for text of another format, and for the id of another key.
    """
    id = api_keys.id_of(text)
    if id is None:
        raise ConfigurationError(
            "ACTLAB_ADMIN_KEY is not in the format of keys, actlab_<8 characters>_<43 characters>; docs/production.md"
            " has a command that makes one."
        )
    key, name = NewKey(id, text), f"admin {id}"
    if keys.create(session, CONSOLE.id, key, name, Role.ADMIN, None) is not None:
        audit.record(session, Sender(CONSOLE, "create_key"), {"key": id, "name": name, "role": Role.ADMIN})
    row = keys.find(session, key.id)
    if row is None or row.sha256 != key.sha256:
        raise ConfigurationError(f"ACTLAB_ADMIN_KEY has the id {key.id} of another key. Make a new one.")
    if row.revoked_at is not None:
        log.warning("admin_key_revoked", key=key.id, hint="remove it from the settings")
