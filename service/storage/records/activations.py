"""Records of registered activations and their versions, and the registry that reads specs with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from service.domain.activations.properties import Properties
from service.domain.activations.registration import NewActivation, NewVersion
from service.domain.activations.registry import Registration
from service.storage.engine.clock import now
from service.storage.engine.keyset import Page, Position, page_of
from service.storage.engine.upsert import insert
from service.storage.tables.activations import ActivationVersion, RegisteredActivation
from service.storage.tables.base import new_id


@dataclass(frozen=True)
class Registered:
    """A registered activation and one of its versions."""

    activation: RegisteredActivation
    version: ActivationVersion


@dataclass(frozen=True)
class Filter:
    """Registered activations to list; `archived` includes the archived ones."""

    archived: bool = False


def create(session: Session, principal: str, new: NewActivation, properties: Properties) -> bool:
    """Register version 1 of an activation; return False, having stored nothing, where the name is registered already.

    Archived names count as registered.
    """
    row = insert(session, RegisteredActivation).values(id=new_id(), name=new.name, newest=1, created_at=now())
    id = session.scalars(row.on_conflict_do_nothing().returning(RegisteredActivation.id)).one_or_none()
    if id is None:
        return False
    session.add(_version(id, 1, principal, new, properties))
    session.flush()
    return True


def add_version(
    session: Session, activation: RegisteredActivation, principal: str, new: NewVersion, properties: Properties
) -> Registered:
    """Store the next version of a locked activation, and restore it where it was archived."""
    activation.newest += 1
    activation.archived_at = None
    version = _version(activation.id, activation.newest, principal, new, properties)
    session.add(version)
    session.flush()
    return Registered(activation, version)


def holds(version: ActivationVersion, new: NewVersion) -> bool:
    """Return whether a version is equal to one that would be registered."""
    return (version.formula, version.parameters, version.note) == (new.formula, _values(new), new.note)


def archive(session: Session, activation: RegisteredActivation) -> None:
    """Archive a locked activation: lists and new specs leave it out. Archiving twice changes nothing."""
    if activation.archived_at is None:
        activation.archived_at = now()
    session.flush()


def restore(session: Session, activation: RegisteredActivation) -> None:
    activation.archived_at = None
    session.flush()


def find(session: Session, name: str, version: int | None = None) -> Registered | None:
    """Return a version of an activation, the newest unless one is named; None for an unknown name or version."""
    number = RegisteredActivation.newest if version is None else version
    row = session.execute(
        _joined().where(RegisteredActivation.name == name, ActivationVersion.version == number)
    ).one_or_none()
    return None if row is None else Registered(*row)


def find_locked(session: Session, name: str) -> Registered | None:
    """Return the newest version, and lock the activation so that no other transaction adds a version."""
    locked = select(RegisteredActivation.id).where(RegisteredActivation.name == name).with_for_update()
    return None if session.execute(locked).one_or_none() is None else find(session, name)


def page(session: Session, filters: Filter, *, limit: int, after: Position | None) -> Page[Registered]:
    """Return a page of activations in their newest versions, in the order of registration."""
    query = _joined().where(ActivationVersion.version == RegisteredActivation.newest)
    if not filters.archived:
        query = query.where(RegisteredActivation.archived_at.is_(None))
    if after is not None:
        query = query.where(RegisteredActivation.id > after.id)
    rows = [Registered(*row) for row in session.execute(query.order_by(RegisteredActivation.id).limit(limit + 1))]
    return page_of(rows, limit, lambda last: Position(None, last.activation.id))


class StoredRegistry:
    """The registry of activations in the database, which looks each name and version up once.

    A name without a version stands for the version in `versions`, or else for the newest, which is then added to
    `versions`. `archived` accepts archived names too, as in specs that were accepted before.
    """

    def __init__(self, session: Session, versions: Mapping[str, int] | None = None, *, archived: bool = False) -> None:
        self.versions = dict(versions or {})
        self._session = session
        self.archived = archived
        self._registrations: dict[tuple[str, int | None], Registration | None] = {}

    def find(self, name: str, version: int | None) -> Registration | None:
        key = (name, self.versions.get(name) if version is None else version)
        if key not in self._registrations:
            self._registrations[key] = self._registration(*key)
        registration = self._registrations[key]
        if version is None and registration is not None:
            self.versions[name] = registration.version
        return registration

    def _registration(self, name: str, version: int | None) -> Registration | None:
        row = find(self._session, name, version)
        if row is None:
            return None
        archived = row.activation.archived_at is not None and not self.archived
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
