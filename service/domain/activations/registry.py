"""Look up formulas that are registered under a name, and put them into the specs that use the name.

A registered version never changes, and a spec stores name, version, formula and parameters. Later changes of the
registry have no effect on it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic_core import PydanticCustomError

from service.domain.activations.catalogue import CATALOGUE
from service.domain.activations.parameters import with_defaults
from service.domain.formulas.parser import FUNCTIONS, canonical
from service.domain.formulas.tokens import FormulaError

NAME = r"^[a-z][a-z0-9_]*$"
LONGEST_NAME = 60
LATEST_VERSION = 2**31 - 1  # the largest integer of a database's column
RESERVED = frozenset({*FUNCTIONS, "x", "preview"}) - CATALOGUE.keys()
"""Names that have a meaning in a formula or in a path of the API."""

REGISTRY = "registry"
"""The key of the Registry in the validation context of a spec."""


@dataclass(frozen=True)
class Registration:
    """A version of a registered formula: its canonical text, and its parameters as in a spec's JSON."""

    name: str
    version: int
    newest: int
    archived: bool
    formula: str
    parameters: Mapping[str, Any]


class Registry(Protocol):
    archived: bool
    """True for a registry that reads stored specs, in which archived names are valid too."""

    def find(self, name: str, version: int | None) -> Registration | None:
        """Return that version, or for None the newest; None if there is no such name or version."""


def is_name(text: str) -> bool:
    return len(text) <= LONGEST_NAME and re.fullmatch(NAME, text, re.ASCII) is not None


def with_registered_formula(selection: Any, registry: Registry) -> Any:
    """Complete a spec's activation, as JSON, that uses a registered name: with version, formula and parameters.

    Parameters of the spec replace the registered ones. A selection that uses no registered name is returned as it is,
    for the validators of its fields to check. Raises PydanticCustomError for an unknown version, an archived name, and
    a formula that differs from the version's.
    """
    if not isinstance(selection, dict):
        return selection
    name, version, text = selection.get("name"), selection.get("version"), selection.get("formula")
    if not isinstance(name, str) or not is_name(name) or not _is_version(version):
        return selection
    if version is None and (name in CATALOGUE or text is not None):
        return selection
    registration = registry.find(name, version)
    if registration is None:
        newest = registry.find(name, None)
        if newest is not None:
            raise _refused("unknown_version", f"{name} has versions 1 to {newest.newest}", "version")
        if version is not None:  # a formula beside an unknown name must not pass for a registered one
            raise _refused("unknown_activation", "No formula is registered under this name", "name")
        return selection
    if registration.archived:
        reason = (
            f"{name} is archived; PUT /api/v1/activations/{name} brings it back, or give its formula without the name"
        )
        raise _refused("archived_activation", reason, "name")
    if text is not None and _canonical_or_none(text, registration.parameters) != registration.formula:
        reason = (
            f"Version {registration.version} of {name} is {registration.formula};"
            " leave the formula out, or the name and version"
        )
        raise _refused("another_formula", reason, "formula")
    return selection | {
        "version": registration.version,
        "formula": registration.formula,
        "parameters": with_defaults(registration.parameters, selection.get("parameters", {})),
    }


def _is_version(version: Any) -> bool:
    return version is None or (type(version) is int and 1 <= version <= LATEST_VERSION)


def _canonical_or_none(text: Any, parameters: Mapping[str, Any]) -> str | None:
    try:
        return canonical(text, parameters) if isinstance(text, str) else None
    except FormulaError:
        return None


def _refused(code: str, reason: str, at: str) -> PydanticCustomError:
    return PydanticCustomError(code, "{reason}", {"reason": reason, "at": at})
