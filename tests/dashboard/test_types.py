"""The pages' types of what the API sends are those of its OpenAPI document."""

import json
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

import pytest

from service.api.app import create_app
from service.dashboard.assets import DASHBOARD
from service.settings import Settings
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = spec_from_file_location("api_types", ROOT / "scripts" / "api_types.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_types_file_is_current(script: ModuleType) -> None:
    """Otherwise `make types` writes it."""
    current = script.declarations(create_app(Settings()).openapi())

    assert (DASHBOARD / "types" / "api.d.ts").read_text() == current


def test_page_of_the_routes_is_current(script: ModuleType) -> None:
    """Otherwise `make types` writes it."""
    document = create_app(Settings()).openapi()
    page = (ROOT / "docs" / "api.md").read_text()

    assert page == script.reference(document)
    assert page.count("| `") == sum(len(operations) for operations in document["paths"].values())


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer"}, "number"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string | null"),
        ({"enum": ["a", 1]}, '"a" | 1'),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Page_A_"}}, "Array<Page_A_>"),
        ({"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}]}, "[number, number]"),
        ({"type": "object", "additionalProperties": {"type": "boolean"}}, "Record<string, boolean>"),
        ({}, "any"),
    ],
)
def test_type_of_a_schema(script: ModuleType, schema: dict[str, object], expected: str) -> None:
    assert script.type_of(schema) == expected


def test_declarations_have_every_field_of_an_answer(script: ModuleType) -> None:
    """A field with a default is optional in what a client sends, and always in what the API answers."""
    fields = {"properties": {"seeds": {"type": "integer"}}}
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/View"}}}}
    document = {
        "paths": {"/views": {"get": {"responses": {"200": answer}}}},
        "components": {"schemas": {"View": fields, "Spec": fields}},
    }

    text = script.declarations(document)

    assert "interface View {\n    seeds: number;" in text
    assert "interface Spec {\n    seeds?: number;" in text


def test_libraries_are_typed_at_their_vendored_versions() -> None:
    vendored = {
        package["name"]: package["version"]
        for package in json.loads((DASHBOARD / "vendor" / "vendor.json").read_text())
    }
    tools: dict[str, str] = json.loads((ROOT / "package.json").read_text())["devDependencies"]

    assert {"htm", "preact", "uplot"} <= tools.keys()
    assert {name: version for name, version in tools.items() if name in vendored}.items() <= vendored.items()


def test_lock_names_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())

    assert not any("resolved" in package for package in lock["packages"].values())
