"""The OpenAPI document still has everything that clients of each release rely on.

Added paths, operations, parameters, fields, status codes and members of enumerations pass. So do wider bounds, and
other titles, descriptions and examples. A released document is stored without the latter two.
"""

import copy
import gzip
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from service.api.app import create_app
from service.settings import Settings
from tests.conftest import ROOT

Json = dict[str, Any]

RELEASED = sorted((ROOT / "tests" / "stack" / "releases").glob("*/openapi.json.gz"))

NAMED = frozenset({"properties", "schemas", "paths", "responses", "content", "headers", "mapping", "$defs"})
"""Keys of objects whose own keys are names, so that a field `title` or `pattern` is no keyword there."""
CONSTRAINTS = frozenset(
    {"type", "format", "pattern", "const", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
     "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "additionalProperties",
     "minProperties", "maxProperties", "anyOf", "allOf", "oneOf", "not", "items", "prefixItems", "$ref"}
)  # fmt: skip
"""Keywords that narrow a schema which had none of them."""


MOST = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
LEAST = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
TEXTS = frozenset({"title", "description", "summary", "example", "examples"})
"""Keywords that a reader sees and no client relies on."""


ACCEPTED = (
    "components.Family.properties.decision.default: ",  # a text, which follows the family now
    "components.ExperimentSubmission.properties.dropout.default is missing",  # in the fields `conv` and `dense` now
    "components.StudyPatch.properties.seeds.default is missing",  # an empty list, which the schema forbids
    "components.Pair.properties.verdict.enum: 'not separable' is missing",  # `equivalent` or `undecided`
    "components.Pair.properties.verdict.enum: 'not separable (diverged)' is missing",  # `undecided (diverged)`
)
"""Beginnings of the lines of breaking changes that were made on purpose. CHANGELOG.md names each."""


@cache
def document() -> Json:
    return create_app(Settings()).openapi()


def released(file: Path) -> Json:
    with gzip.open(file, "rt") as stream:
        content: Json = json.load(stream)
    return content


def sent_components(document: Json) -> set[str]:
    """The names of the components that requests consist of."""
    bodies = [operation.get("requestBody", {}) for methods in document["paths"].values() for operation in
              methods.values()]  # fmt: skip
    names: set[str] = set()
    waiting = list(_references(bodies))
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            waiting += _references(document["components"]["schemas"][name])
    return names


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, list):
        for part in value:
            yield from _references(part)


def breaking_changes(old: Json, new: Json) -> list[str]:
    """Return a line for each part of the old document that the new one lacks or changes."""
    lines = [*_changes(old["paths"], new["paths"], "paths", names=True)]
    schemas = new["components"]["schemas"]
    lines += _changes(old["components"]["schemas"], schemas, "components", names=True)
    for name in sorted(sent_components(old) & schemas.keys()):
        before = old["components"]["schemas"][name].get("required", [])
        added = [field for field in schemas[name].get("required", []) if field not in before]
        lines += [f"components.{name}.{field}: a request must have it now" for field in added]
    return lines


def _changes(old: Any, new: Any, where: str, *, names: bool = False) -> Iterator[str]:
    if type(old) is not type(new) and not (_is_number(old) and _is_number(new)):
        yield f"{where}: {old!r} became {new!r}"
    elif isinstance(old, dict):
        yield from _changes_of_object(old, new, where, names)
    elif where.endswith(".parameters"):
        yield from _changes_of_parameters(old, new, where)
    elif isinstance(old, list):
        for item in old:
            if not any(_is_compatible(item, other) for other in new):
                yield f"{where}: {item!r} is missing"
    elif old != new and not _is_wider(where.rpartition(".")[2], old, new):
        yield f"{where}: {old!r} became {new!r}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_wider(keyword: str, old: Any, new: Any) -> bool:
    return bool((keyword in MOST and new > old) or (keyword in LEAST and new < old))


def _is_compatible(old: Any, new: Any) -> bool:
    return next(_changes(old, new, ""), None) is None


def _changes_of_object(old: Json, new: Json, where: str, names: bool) -> Iterator[str]:
    for key, value in old.items():
        if not names and key in TEXTS:
            continue
        if key not in new:
            yield f"{where}.{key} is missing"
        else:
            yield from _changes(value, new[key], f"{where}.{key}", names=not names and key in NAMED)
    if not names:
        added = [key for key in new if key in CONSTRAINTS and key not in old]
        yield from (f"{where}.{key} is a new constraint" for key in added if not _is_never_applied(key, new))


def _is_never_applied(keyword: str, schema: Json) -> bool:
    """Return whether a keyword is the `items` of an array that has no members beyond `prefixItems`."""
    return keyword == "items" and schema.get("maxItems") == len(schema.get("prefixItems", ())) != 0


def _changes_of_parameters(old: list[Json], new: list[Json], where: str) -> Iterator[str]:
    before, now = ({(part["in"], part["name"]): part for part in parameters} for parameters in (old, new))
    for (place, name), parameter in before.items():
        if (place, name) not in now:
            yield f"{where}: {name} in {place} is missing"
        else:
            yield from _changes(parameter, now[place, name], f"{where}.{name}")
    for (place, name), parameter in now.items():
        if parameter.get("required") and not before.get((place, name), {}).get("required"):
            yield f"{where}: {name} in {place} is required now"


@pytest.mark.parametrize("file", RELEASED, ids=lambda file: file.parent.name)
def test_document_keeps_what_was_released(file: Path) -> None:
    lines = [line for line in breaking_changes(released(file), document()) if not line.startswith(ACCEPTED)]
    assert not lines, f"clients of {file.parent.name} break:\n" + "\n".join(lines)


def test_accepted_changes_are_changes() -> None:
    lines = [line for file in RELEASED for line in breaking_changes(released(file), document())]
    assert [start for start in ACCEPTED if not any(line.startswith(start) for line in lines)] == []


# --- the comparison itself -----------------------------------------------------------------------------------------


def _without_path(new: Json) -> None:
    del new["paths"]["/api/v1/queue"]


def _without_status(new: Json) -> None:
    del new["paths"]["/api/v1/queue"]["get"]["responses"]["503"]


def _other_operation(new: Json) -> None:
    new["paths"]["/api/v1/queue"]["get"]["operationId"] = "get_it"


def _without_parameter(new: Json) -> None:
    parameters = new["paths"]["/api/v1/studies"]["get"]["parameters"]
    parameters[:] = [parameter for parameter in parameters if parameter["name"] != "cursor"]


def _required_parameter(new: Json) -> None:
    parameters = new["paths"]["/api/v1/studies"]["get"]["parameters"]
    parameters.append({"in": "query", "name": "key", "required": True, "schema": {"type": "string"}})


def _without_component(new: Json) -> None:
    del new["components"]["schemas"]["EarlyStopping"]


def _without_field(new: Json) -> None:
    del new["components"]["schemas"]["EarlyStopping"]["properties"]["patience"]


def _other_type(new: Json) -> None:
    new["components"]["schemas"]["EarlyStopping"]["properties"]["patience"]["type"] = "string"


def _other_limit(new: Json) -> None:
    new["components"]["schemas"]["ExperimentSubmission"]["properties"]["epochs"]["maximum"] = 3


def _narrower_limit(new: Json) -> None:
    new["components"]["schemas"]["EarlyStopping"]["properties"]["patience"]["minimum"] = 2


def _new_limit(new: Json) -> None:
    new["components"]["schemas"]["EarlyStopping"]["properties"]["patience"]["multipleOf"] = 0.5


def _required_field(new: Json) -> None:
    spec = new["components"]["schemas"]["EarlyStopping"]
    spec["properties"]["output"] = {"type": "number"}
    spec["required"] = [*spec.get("required", []), "output"]


BREAKING: dict[Callable[[Json], None], str] = {
    _without_path: "paths./api/v1/queue is missing",
    _without_status: "503 is missing",
    _other_operation: "'get_it'",
    _without_parameter: "cursor in query is missing",
    _required_parameter: "key in query is required now",
    _without_component: "EarlyStopping is missing",
    _without_field: "EarlyStopping.properties.patience is missing",
    _other_type: "patience.type: 'integer' became 'string'",
    _other_limit: "epochs.maximum",
    _narrower_limit: "patience.minimum",
    _new_limit: "patience.multipleOf is a new constraint",
    _required_field: "output: a request must have it now",
}


@pytest.mark.parametrize("change", BREAKING, ids=lambda change: change.__name__.strip("_"))
def test_breaking_changes_names_what_broke(change: Callable[[Json], None]) -> None:
    new = copy.deepcopy(document())
    change(new)
    lines = breaking_changes(document(), new)
    assert any(BREAKING[change] in line for line in lines), lines


def test_breaking_changes_passes_additions() -> None:
    new = copy.deepcopy(document())
    new["paths"]["/api/v1/owners"] = {"get": {"operationId": "list_owners", "responses": {}}}
    queue = new["paths"]["/api/v1/queue"]["get"]
    queue["responses"]["418"] = {"description": "Too many requests."}
    queue["description"] = "Other words."
    schemas = new["components"]["schemas"]
    schemas["EarlyStopping"]["properties"]["output"] = {"type": "number", "default": 0.0}
    schemas["EarlyStopping"]["title"] = "Dropout"
    schemas["ExperimentSubmission"]["properties"]["dataset"].setdefault("enum", []).append("cifar10")
    schemas["EarlyStopping"]["properties"]["patience"] |= {"minimum": 0, "maximum": 2000}
    new["paths"]["/api/v1/studies"]["get"]["parameters"].append(
        {"in": "query", "name": "owner", "required": False, "schema": {"type": "string"}}
    )
    assert breaking_changes(document(), new) == []
