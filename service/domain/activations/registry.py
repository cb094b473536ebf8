"""Formulas registered under a name: what a name stands for, and how a spec that uses one spells it out.

A version, once registered, never changes, and a spec keeps name, version, formula and parameters: what it trains does
not depend on what becomes of the name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic_core import PydanticCustomError

from service.domain.activations.catalogue import CATALOGUE
from service.domain.activations.parameters import completed_over
from service.domain.formulas.parser import FUNCTIONS, canonical
from service.domain.formulas.tokens import FormulaError

NAME = r"^[a-z][a-z0-9_]*$"
LONGEST_NAME = 60
LATEST_VERSION = 2**31 - 1  # that a database's integer holds
RESERVED = frozenset({*FUNCTIONS, "x", "preview"}) - CATALOGUE.keys()
"""Names with another meaning: in a formula, or in an address."""

REGISTRY = "registry"
"""The key of the validation context under which a spec finds its Registry."""


@dataclass(frozen=True)
class Registration:
    """One version of a registered formula: its canonical text and its parameters as a spec's JSON has them."""

    name: str
    version: int
    newest: int
    archived: bool
    formula: str
    parameters: Mapping[str, Any]


class Registry(Protocol):
    def find(self, name: str, version: int | None) -> Registration | None:
        """That version, or the newest for None; None for a name or version that there is not."""


def is_name(text: str) -> bool:
    return len(text) <= LONGEST_NAME and re.fullmatch(NAME, text, re.ASCII) is not None


def spelt_out(given: Any, registry: Registry) -> Any:
    """A spec's activation with the formula of the registered name that it uses put in, and what it gives of parameters
    put over the registered ones. Anything else comes back as it is, for the fields' own validators to judge.

    Raises PydanticCustomError for a version that there is not, an archived name, and a formula that is another one
    than the version's.
    """
    if not isinstance(given, dict):
        return given
    name, version, text = given.get("name"), given.get("version"), given.get("formula")
    if not isinstance(name, str) or not is_name(name) or not _is_version(version):
        return given
    if version is None and (name in CATALOGUE or text is not None):
        return given
    found = registry.find(name, version)
    if found is None:
        newest = registry.find(name, None)
        if newest is not None:
            raise _refused("unknown_version", f"{name} has versions 1 to {newest.newest}", "version")
        if version is not None:  # a formula that came with it must not pass for one that is registered
            raise _refused("unknown_activation", "No formula is registered under this name", "name")
        return given
    if found.archived:
        reason = (
            f"{name} is archived; PUT /api/v1/activations/{name} brings it back, or give its formula without the name"
        )
        raise _refused("archived_activation", reason, "name")
    if text is not None and _settled(text, found.parameters) != found.formula:
        reason = f"Version {found.version} of {name} is {found.formula}; leave the formula out, or the name and version"
        raise _refused("another_formula", reason, "formula")
    return given | {
        "version": found.version,
        "formula": found.formula,
        "parameters": completed_over(found.parameters, given.get("parameters", {})),
    }


def _is_version(version: Any) -> bool:
    return version is None or (type(version) is int and 1 <= version <= LATEST_VERSION)


def _settled(text: Any, parameters: Mapping[str, Any]) -> str | None:
    try:
        return canonical(text, parameters) if isinstance(text, str) else None
    except FormulaError:
        return None


def _refused(code: str, reason: str, at: str) -> PydanticCustomError:
    return PydanticCustomError(code, "{reason}", {"reason": reason, "at": at})
