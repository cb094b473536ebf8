"""Registered activations: created, given new versions, archived, and looked up for the specs that name them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from service.domain.activations.properties import Properties
from service.domain.activations.registration import NewActivation, NewVersion
from service.domain.activations.registry import Registration
from service.domain.errors import NameTaken
from service.storage.engine.clock import now
from service.storage.engine.keyset import Page, Position, page_of
from service.storage.engine.upsert import insert
from service.storage.tables.activations import ActivationVersion, RegisteredActivation
from service.storage.tables.base import new_id


@dataclass(frozen=True)
class Registered:
    """A name, and one version of what it stands for."""

    activation: RegisteredActivation
    version: ActivationVersion


@dataclass(frozen=True)
class Filter:
    archived: bool = False


def create(session: Session, principal: str, new: NewActivation, properties: Properties) -> None:
    """Register version 1. NameTaken for a name that is registered, archived or not."""
    named = insert(session, RegisteredActivation).values(id=new_id(), name=new.name, newest=1, created_at=now())
    taken = named.on_conflict_do_nothing().returning(RegisteredActivation.id)
    id = session.execute(taken).scalar_one_or_none()
    if id is None:
        raise NameTaken(
            f"{new.name!r} is registered. PUT /api/v1/activations/{new.name} gives it a new version; or choose another"
            " name."
        )
    session.add(_version(id, 1, principal, new, properties))
    session.flush()


def add_version(
    session: Session, found: Registered, principal: str, new: NewVersion, properties: Properties
) -> Registered:
    """Make a locked activation's next version, and bring it back if it was archived."""
    activation = found.activation
    activation.newest += 1
    activation.archived_at = None
    version = _version(activation.id, activation.newest, principal, new, properties)
    session.add(version)
    session.flush()
    return Registered(activation, version)


def holds(version: ActivationVersion, new: NewVersion) -> bool:
    """Whether the version is what would be registered."""
    return (version.formula, version.parameters, version.note) == (new.formula, _values(new), new.note)


def archive(session: Session, activation: RegisteredActivation) -> None:
    """Take a locked activation out of lists and from new specs. Doing it twice changes nothing."""
    if activation.archived_at is None:
        activation.archived_at = now()
    session.flush()


def restore(session: Session, activation: RegisteredActivation) -> None:
    activation.archived_at = None
    session.flush()


def find(session: Session, name: str, version: int | None = None) -> Registered | None:
    """That version, or the newest."""
    wanted = RegisteredActivation.newest if version is None else version
    row = session.execute(
        _joined().where(RegisteredActivation.name == name, ActivationVersion.version == wanted)
    ).one_or_none()
    return None if row is None else Registered(*row)


def find_locked(session: Session, name: str) -> Registered | None:
    """The newest version, to which nobody else adds another until the transaction ends."""
    locked = select(RegisteredActivation.id).where(RegisteredActivation.name == name).with_for_update()
    return None if session.execute(locked).one_or_none() is None else find(session, name)


def page(session: Session, narrowed: Filter, *, limit: int, after: Position | None) -> Page[Registered]:
    """The newest versions, in the order in which the names were registered."""
    found = _joined().where(ActivationVersion.version == RegisteredActivation.newest)
    if not narrowed.archived:
        found = found.where(RegisteredActivation.archived_at.is_(None))
    if after is not None:
        found = found.where(RegisteredActivation.id > after.id)
    rows = [Registered(*row) for row in session.execute(found.order_by(RegisteredActivation.id).limit(limit + 1))]
    return page_of(rows, limit, lambda last: Position(None, last.activation.id))


class StoredRegistry:
    """The registry that specs are read with: each name and version is looked up once.

    A bare name stands for the version in `versions`, or else for the newest, which is then kept there. Archived names
    are as good as any other where `archived` says so, for what was accepted before.
    """

    def __init__(self, session: Session, versions: Mapping[str, int] | None = None, *, archived: bool = False) -> None:
        self.versions = dict(versions or {})
        self._session = session
        self._archived = archived
        self._found: dict[tuple[str, int | None], Registration | None] = {}

    def find(self, name: str, version: int | None) -> Registration | None:
        wanted = self.versions.get(name) if version is None else version
        if (name, wanted) not in self._found:
            self._found[name, wanted] = self._registration(name, wanted)
        found = self._found[name, wanted]
        if version is None and found is not None:
            self.versions[name] = found.version
        return found

    def _registration(self, name: str, version: int | None) -> Registration | None:
        row = find(self._session, name, version)
        if row is None:
            return None
        archived = row.activation.archived_at is not None and not self._archived
        return Registration(
            name, row.version.version, row.activation.newest, archived, row.version.formula, row.version.parameters
        )


def _values(new: NewVersion) -> dict[str, Any]:
    return {name: parameter.model_dump() for name, parameter in new.parameters.items()}


def _joined() -> Select[RegisteredActivation, ActivationVersion]:
    return select(RegisteredActivation, ActivationVersion).join(
        ActivationVersion, ActivationVersion.activation_id == RegisteredActivation.id
    )


def _version(id: Any, version: int, principal: str, new: NewVersion, properties: Properties) -> ActivationVersion:
    return ActivationVersion(
        activation_id=id,
        version=version,
        principal=principal,
        formula=new.formula,
        parameters=_values(new),
        note=new.note,
        properties=properties.model_dump(mode="json"),
    )
