"""The typed fields of records are those of the OpenAPI document."""

from importlib import import_module
from typing import Any

import pytest

from actlab.objects import fields
from service.api.app import create_app
from service.settings import Settings
from tests.conftest import ROOT

script: Any = import_module("scripts.client_types")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Settings()).openapi()


def test_fields_file_is_current(document: dict[str, Any]) -> None:
    """Otherwise `make types` writes it."""
    assert (ROOT / "actlab" / "objects" / "fields.py").read_text() == script.declarations(document)


@pytest.mark.parametrize("component", script.RECORDS)
def test_record_has_the_fields_of_its_component(document: dict[str, Any], component: str) -> None:
    record = getattr(fields, script.RECORDS[component])
    properties = document["components"]["schemas"][component]["properties"]
    assert set(record.__annotations__) == {name for name in properties if name not in dir(dict)}
