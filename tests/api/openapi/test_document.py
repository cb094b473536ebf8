"""The OpenAPI document: it is complete and readable, and the API conforms to it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from service.api.app import create_app
from service.api.http.problem import MEDIA_TYPE
from service.api.openapi.examples import EXPERIMENT, STUDY
from service.domain.spec import ExperimentSpec
from service.settings import Settings
from tests.api import states
from tests.api.serving import ACTIVATIONS, EXPERIMENTS, STUDIES

DOCUMENT: dict[str, Any] = create_app(Settings()).openapi()
OPERATIONS: list[tuple[str, str, dict[str, Any]]] = [
    (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
NAMES = [operation["operationId"] for _, _, operation in OPERATIONS]

each_operation = pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=NAMES)


def resolved(schema: Any) -> Any:
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def conforms(value: Any, schema: Any) -> bool:
    whole = {**schema, "components": DOCUMENT["components"]}
    return Draft202012Validator(whole).is_valid(value)


def bodies(operation: dict[str, Any]) -> Iterator[Any]:
    for media in operation.get("requestBody", {}).get("content", {}).values():
        yield media["schema"]


def test_document_is_valid() -> None:
    """By the schema of OpenAPI 3.1, and with defaults that their own schemas allow."""
    validate(DOCUMENT)


def test_arrays_name_their_items() -> None:
    assert [schema for schema in _schemas(DOCUMENT) if schema.get("type") == "array" and "items" not in schema] == []


def _schemas(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _schemas(part)


# --- readable ------------------------------------------------------------------------------------------------------


def test_operation_ids_read_as_method_names() -> None:
    assert len(set(NAMES)) == len(NAMES)
    verbs = "submit|create|register|list|count|get|preview|edit|tag|cancel|retry|archive|revoke|delete|export"
    assert [name for name in NAMES if not re.fullmatch(rf"({verbs})_[a-z_]+", name)] == []


def test_tags_are_ordered_and_described() -> None:
    named = [tag["name"] for tag in DOCUMENT["tags"]]
    assert named == ["experiments", "studies", "events", "comparisons", "activations", "datasets", "workers", "access",
                     "system"]  # fmt: skip
    assert all(tag["description"] for tag in DOCUMENT["tags"])
    used = [operation["tags"] for _, _, operation in OPERATIONS]
    assert [tag for (tag,) in used] == sorted((tag for (tag,) in used), key=named.index)


@each_operation
def test_operation_and_its_parameters_are_described(method: str, path: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"].endswith(".")
    for parameter in operation.get("parameters", []):
        explained = parameter.get("description") or parameter["schema"].get("description")
        assert explained or parameter["name"] in OBVIOUS, parameter["name"]


OBVIOUS = {"id", "status", "activation", "dataset", "study", "tag", "sort", "metric"}


# --- errors --------------------------------------------------------------------------------------------------------


@each_operation
def test_operation_answers_errors_as_problems(method: str, path: str, operation: dict[str, Any]) -> None:
    errors = {int(status): answer for status, answer in operation["responses"].items() if int(status) >= 400}
    assert errors.keys() >= {400, 401, 403, 422, 503}
    assert ("{id}" not in path) or 404 in errors
    assert ("requestBody" not in operation) or errors.keys() >= {413, 415}
    for status, answer in errors.items():
        assert answer["description"], status
        assert answer["content"] == {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}, status


def test_document_has_no_error_schemas_of_the_framework() -> None:
    assert not {"HTTPValidationError", "ValidationError"} & DOCUMENT["components"]["schemas"].keys()
    assert "HTTPValidationError" not in str(DOCUMENT)


def test_document_references_every_schema_it_has() -> None:
    used = set(re.findall(r"'#/components/schemas/([^']+)'", str(DOCUMENT)))
    assert used == DOCUMENT["components"]["schemas"].keys()


# --- examples ------------------------------------------------------------------------------------------------------


WITH_BODY = [name for (_, _, operation), name in zip(OPERATIONS, NAMES, strict=True) if any(bodies(operation))]
WITH_BODY.remove("create_session")  # whose example is no key of this service


@pytest.mark.parametrize("name", WITH_BODY)
@states.on_sqlite
def test_operation_accepts_the_examples_of_its_body(client: TestClient, name: str) -> None:
    method, path, operation = OPERATIONS[NAMES.index(name)]
    (schema,) = bodies(operation)
    examples = resolved(schema)["examples"]
    assert examples
    made = {
        "experiments": client.post(EXPERIMENTS, json={"activation": "relu"}).json()["id"],
        "studies": client.post(STUDIES, json={"base": {"activation": "relu"}, "seeds": [0]}).json()["id"],
    }
    id = made.get(path.split("/")[3], "")
    client.post(ACTIVATIONS, json={"name": "mine", "formula": "x"})
    for example in examples:
        assert conforms(example, schema)
        answer = client.request(method, path.format(id=id, name="mine"), json=example)
        assert answer.status_code in (200, 201, 202), answer.text
        for field in example.keys() & answer.json().keys() - {"parameters", "tuning"}:  # which come back with more
            assert answer.json()[field] == example[field]


@each_operation
def test_operation_has_valid_examples_of_its_answers(method: str, path: str, operation: dict[str, Any]) -> None:
    for status, answer in operation["responses"].items():
        for kind, media in answer.get("content", {}).items():
            if kind == "text/plain":
                continue
            examples = list(shown(resolved(media["schema"])))
            assert examples, status
            for example in examples:
                assert conforms(example, media["schema"]), (status, example)


def shown(schema: Any) -> Iterator[Any]:
    """Yield the examples of a schema, or one that is built from those of its fields."""
    if "examples" in schema:
        yield from schema["examples"]
    elif all("examples" in field for field in schema["properties"].values()):
        yield {name: field["examples"][0] for name, field in schema["properties"].items()}


def test_example_of_an_experiment_has_a_complete_spec() -> None:
    spec = ExperimentSpec.model_validate(EXPERIMENT.spec)
    assert spec.model_dump(mode="json") == EXPERIMENT.spec
    assert EXPERIMENT.study_id == STUDY.id
    assert STUDY.experiments == sum(STUDY.progress.values())
