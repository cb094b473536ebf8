"""Invalid requests: each is answered with a clear problem, never with a 500, and nothing is stored."""

import json
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.problems import check_shape, refused
from tests.api.serving import ACTIVATIONS, EXPERIMENTS, STUDIES, raw
from tests.api.states import SOME_ID
from tests.domain.wrong_specs import WRONG, Wrong

JSON = {"Content-Type": "application/json"}
LISTS = ["status", "activation", "dataset", "study", "tag", "text", "sort", "limit", "cursor"]


@pytest.fixture(autouse=True)
def _nothing_is_stored(steady: TestClient) -> Iterator[None]:
    yield
    assert steady.get(EXPERIMENTS).json()["items"] == []


def send(client: TestClient, body: bytes | str, path: str = EXPERIMENTS, **headers: str) -> Any:
    return client.post(path, content=body, headers=JSON | headers)


# --- fields --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_validation_names_a_wrong_field_by_its_pointer(steady: TestClient, wrong: Wrong) -> None:
    problem = refused(send(steady, json.dumps(wrong.body)), 422, "validation_error", at=wrong.pointer)
    assert wrong.says in problem["errors"][0]["detail"]
    assert wrong.says in problem["detail"]


@pytest.mark.parametrize("wrong", WRONG[::7], ids=str)
def test_validation_names_a_wrong_field_of_a_study_in_its_base(steady: TestClient, wrong: Wrong) -> None:
    body = {"base": wrong.body, "seeds": [0]}
    seed = wrong.path == "seed"
    refused(send(steady, json.dumps(body), STUDIES), 422, at="/base/seed" if seed else f"/base{wrong.pointer}")


def test_validation_names_every_wrong_field(steady: TestClient) -> None:
    body = {"epochs": 0, "seed": -1, "unknown": 1, "model": {"pool": "min"}}
    problem = refused(steady.post(EXPERIMENTS, json=body), 422)
    assert {item["pointer"] for item in problem["errors"]} == {
        "/activation", "/epochs", "/seed", "/unknown", "/model/pool",
    }  # fmt: skip
    assert "and 2 more" in problem["detail"]


def test_validation_answer_is_shorter_than_the_request(steady: TestClient) -> None:
    answer = send(steady, json.dumps({f"field{i}": 1 for i in range(50_000)}))
    problem = refused(answer, 422)
    assert len(problem["errors"]) == 100
    assert "and 49998 more" in problem["detail"]
    long = refused(send(steady, json.dumps({"activation": "x" * 500_000})), 422)
    assert len(json.dumps(long)) < 2000


# --- bodies --------------------------------------------------------------------------------------------------------

NO_OBJECTS = ["[]", "1", '"text"', "null", "true", '["activation"]', "NaN", "1e400"]
NO_JSON = ["{", "}", "{'activation': 'relu'}", '{"activation": "relu",}', "relu", '{"activation": "relu"} {}', '"\\x"',
           '{"a": 01}', "\0", " ", '{"activation": "re\nlu"}', "\ufeff\ufeff{}"]  # fmt: skip
UNREADABLE = [b"\xff", b'{"activation": "\xe9"}', b"\x1f\x8b\x08", b"9" * 5000, b"[" * 100_000, b'{"a":' * 100_000]


@pytest.mark.parametrize("path", [EXPERIMENTS, STUDIES])
@pytest.mark.parametrize("body", NO_OBJECTS)
def test_body_must_be_an_object(steady: TestClient, path: str, body: str) -> None:
    refused(send(steady, body, path), 422, "validation_error", at="")


def test_body_is_required(steady: TestClient) -> None:
    assert "required" in refused(send(steady, b""), 422, at="")["detail"]


@pytest.mark.parametrize("body", NO_JSON)
def test_malformed_json_is_400_with_its_position(steady: TestClient, body: str) -> None:
    assert "at character" in refused(send(steady, body), 400, "malformed_json")["detail"]


@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: repr(body[:8]))
def test_unreadable_body_is_400(steady: TestClient, body: bytes) -> None:
    refused(send(steady, body), 400, "malformed_json")


@pytest.mark.defends("hostile")
def test_field_that_is_named_twice_is_400(steady: TestClient) -> None:
    for body in (
        '{"activation": "relu", "activation": "tanh"}',
        '{"activation": "relu", "model": {"pool": 1, "pool": 1}}',
    ):
        assert "named more than once" in refused(send(steady, body), 400, "malformed_json")["detail"]


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "deep"}], ids=["", "with a key"])
@pytest.mark.parametrize(
    ("path", "body"),
    [(EXPERIMENTS, '{"activation": %s}'), (EXPERIMENTS, '{"activation": "relu", "x": %s}'),
     (STUDIES, '{"base": {"x": %s}}'), (STUDIES, '{"factors": {"epochs": [%s]}}'), (STUDIES, '{"name": %s}')],
)  # fmt: skip
@pytest.mark.defends("hostile")
def test_deeply_nested_body_is_refused(steady: TestClient, path: str, body: str, key: dict[str, str]) -> None:
    for depth in [*range(20, 900, 110), *range(900, 1000, 3)]:  # about the recursion limit in all its guises
        for nested in ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth):
            answer = send(steady, body % nested, path, **key)
            assert answer.status_code in (400, 422), (depth, answer.text)


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", "json",
     "application/jsonp", "application/", "application/json, text/plain", "*/*", "\xe9"],
)  # fmt: skip
def test_only_json_refuses_other_media_types(steady: TestClient, kind: str) -> None:
    headers = raw({"Content-Type": kind})
    for path in (EXPERIMENTS, STUDIES):
        answer = steady.post(path, content=b'{"activation": "relu"}', headers=headers)
        refused(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"]
)
def test_only_json_accepts_every_json_media_type(steady: TestClient, kind: str) -> None:
    refused(steady.post(EXPERIMENTS, content=b"{}", headers={"Content-Type": kind}), 422, at="/activation")


def test_body_limit_refuses_large_bodies(steady: TestClient) -> None:
    large = b'{"notes": "' + b"x" * 1_048_576 + b'"}'
    refused(send(steady, large), 413, "body_too_large")
    refused(steady.post(EXPERIMENTS, content=iter([large[:600_000], large[600_000:]]), headers=JSON), 413)
    retry = f"{EXPERIMENTS}/{SOME_ID}/retry"
    refused(steady.post(retry, content=iter([large, large]), headers={"Idempotency-Key": "x"}), 413)
    for length in ("1048577", "9" * 30, "9" * 5000, "0" * 30 + "1048577"):
        refused(send(steady, b"{}", **{"Content-Length": length}), 413)


@pytest.mark.parametrize("length", ["-1", "x", "", "+1", "1_0"])
def test_body_limit_ignores_a_malformed_content_length(steady: TestClient, length: str) -> None:
    refused(send(steady, b"{}", **{"Content-Length": length}), 422)


# --- addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parameter", LISTS)
@pytest.mark.parametrize("value", ["%00", "%0", "%", "%zz", "%ff", "%ed%a0%80", "", "a&", "%27%20OR%201=1--"])
def test_garbage_parameter_is_refused_or_matches_nothing(steady: TestClient, parameter: str, value: str) -> None:
    answer = steady.get(f"{EXPERIMENTS}?{parameter}={value}")
    if answer.status_code != 200:
        assert {item["parameter"] for item in check_shape(answer)["errors"]} == {parameter}
        assert answer.status_code == 422
    assert answer.status_code == 422 or parameter in ("activation", "tag", "text")


@pytest.mark.parametrize("parameter", ["activation", "tag", "text", "cursor", "status", "study"])
@pytest.mark.parametrize("char", ["\0", "\x1f", "\x7f"])
def test_control_characters_in_parameters_are_refused(steady: TestClient, parameter: str, char: str) -> None:
    refused(steady.get(EXPERIMENTS, params={parameter: f"a{char}b"}), 422, at=parameter)


@pytest.mark.parametrize("name", ["stat", "Status", "status[]", "\0", "%", "\udcff", "offset", "page"])
def test_only_known_parameters_refuses_unknown_ones(steady: TestClient, name: str) -> None:
    query = urllib.parse.quote(name, errors="surrogateescape")
    for path in (EXPERIMENTS, "/api/v1/queue", "/healthz", f"{EXPERIMENTS}/{SOME_ID}"):
        problem = refused(steady.get(f"{path}?{query}=1"), 422)
        assert problem["errors"][0]["code"] == "unknown_parameter"
    refused(steady.post(f"{EXPERIMENTS}?{query}=1", json={"activation": "relu"}), 422)


@pytest.mark.parametrize("query", ["epochs_min=1&epochs_min=2", "limit=1&limit=1", "sort=id&tag=a&sort=-id"])
def test_only_known_parameters_refuses_repeated_ones(steady: TestClient, query: str) -> None:
    problem = refused(steady.get(f"{EXPERIMENTS}?{query}"), 422)
    assert [item["code"] for item in problem["errors"]] == ["repeated_parameter"]


@pytest.mark.parametrize(
    ("query", "says"),
    [("status=done", "'queued'"), ("dataset=cifar", "'mnist'"), ("sort=name", "'-id'"), ("limit=0", "1, got '0'"),
     ("limit=501", "500, got '501'"), ("limit=1.5", "integer"), ("limit=" + "9" * 30, "500"), ("study=7", "UUID")],
)  # fmt: skip
def test_wrong_filter_is_refused_with_the_valid_values(steady: TestClient, query: str, says: str) -> None:
    problem = refused(steady.get(f"{EXPERIMENTS}?{query}"), 422, at=query.partition("=")[0])
    assert says in problem["errors"][0]["detail"]


@pytest.mark.parametrize("id", ["%00", "%ff", "%2e%2e", "0", "1e9", "-1", "null", "x" * 5000, f"{SOME_ID}0", "%F0%9F"])
def test_malformed_id_is_422(steady: TestClient, id: str) -> None:
    for part in ("", "/metrics", "/diagnostics", "/result", "/attempts", "/log"):
        refused(steady.get(f"{EXPERIMENTS}/{id}{part}"), 422, at="id")


@pytest.mark.parametrize(
    "path", ["/api", "/api/v1", "/api/v2/experiments", f"{EXPERIMENTS}/{SOME_ID}/nothing", "//", "/%00",
             "/assets/%2e%2e/%2e%2e/app.py", "/x" * 3000, "/\N{SNOWMAN}"]
)  # fmt: skip
def test_unknown_path_is_404(steady: TestClient, path: str) -> None:
    refused(steady.get(f"http://127.0.0.1:8000{path}"), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("PUT", EXPERIMENTS, "GET, HEAD, POST"), ("DELETE", EXPERIMENTS, "GET, HEAD, POST"),
     ("POST", "/healthz", "GET, HEAD"), ("PUT", f"{EXPERIMENTS}/{SOME_ID}", "DELETE, GET, HEAD, PATCH"),
     ("GET", f"{EXPERIMENTS}/{SOME_ID}/cancel", "POST"), ("TRACE", STUDIES, "GET, HEAD, POST"),
     ("POST", f"{ACTIVATIONS}/mine", "DELETE, GET, HEAD, PUT"), ("POST", "/", "GET, HEAD"),
     ("DELETE", "/openapi.json", "GET, HEAD"), ("POST", "/assets/app/main.js", "GET, HEAD"),
     ("GET", f"{EXPERIMENTS}/cancel", "POST"), ("PATCH", f"{EXPERIMENTS}/retry", "POST"),
     ("PATCH", f"{EXPERIMENTS}/delete", "POST"), ("DELETE", f"{EXPERIMENTS}/export", "GET, HEAD")],
)  # fmt: skip
def test_unknown_method_is_405_with_all_methods_of_the_path(
    steady: TestClient, method: str, path: str, allowed: str
) -> None:
    answer = steady.request(method, path)
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allowed
