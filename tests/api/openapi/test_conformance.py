"""Generated requests, valid and not, against a server that is really listening: no defect, and no answer that the
OpenAPI document does not tell of."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.access.roles import Role
from service.api.app import create_app
from service.settings import Settings
from service.storage import migrate
from service.storage.engine.database import Database
from tests.api import states
from tests.api.holders import bearer, make_key
from tests.api.openapi.test_document import OPERATIONS
from tests.api.problems import MEDIA_TYPE
from tests.api.serving import ACTIVATIONS, STUDIES
from tests.servers import free_port
from tests.waiting import await_true

pytestmark = pytest.mark.slow

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 30
DRAWN = {"get_study_report": 5}
"""The number of examples of operations that take a second each."""

WITHOUT_KEYS = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
"""Requests have the key of the session, and none that is made up: all of those would be answered 401."""

TIMEOUT_SECONDS = 60  # the first report of a process draws for seconds on a loaded machine
ASKED = [
    (operation["operationId"], mode)
    for _, _, operation in OPERATIONS
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if mode is GenerationMode.POSITIVE or operation.keys() & {"parameters", "requestBody"}
]


@dataclass(frozen=True)
class Live:
    schema: Any
    session: requests.Session
    ids: dict[str, str]
    """The id of a record of each collection."""
    share: str
    """The id of a link to the study."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    home: Path = tmp_path_factory.mktemp("live")
    own = Settings(home=home, port=free_port(), max_study_experiments=50)
    database = Database(own.database)
    migrate.upgrade(database)
    server = uvicorn.Server(uvicorn.Config(create_app(own), port=own.port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        await_true(lambda: server.started)
        key = make_key(database, Role.ADMIN)
        time.sleep(1)  # until the server has noticed the key
        with requests.Session() as session:
            session.headers.update(bearer(key.text))
            study = session.post(
                f"{own.own_url}{STUDIES}", json={"factors": {"activation": ["relu"]}, "seeds": [0]}
            ).json()
            (fence,) = states.claim(database)
            states.succeed(database, fence)
            mine: Any = {"name": "mine", "formula": "a * x", "parameters": {"a": 1}}
            assert session.post(f"{own.own_url}{ACTIVATIONS}", json=mine).status_code == 201
            ids = {"experiments": str(fence.id), "studies": study["id"], "keys": key.id}
            share = session.post(f"{own.own_url}{STUDIES}/{study['id']}/shares", json={}).json()["id"]
            schema = schemathesis.openapi.from_url(
                f"{own.own_url}/openapi.json", config=WITHOUT_KEYS, headers=bearer(key.text)
            )
            yield Live(schema, session, ids, share)
    finally:
        server.should_exit = True
        thread.join(20)
        database.close()


# Hypothesis takes the jitter of the server's threads, in this same process, for randomness of a strategy's.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.parametrize(("name", "mode"), ASKED, ids=lambda value: getattr(value, "value", value))
def test_operation_conforms_to_the_document(live: Live, name: str, mode: GenerationMode) -> None:
    operation = live.schema.find_operation_by_id(name)

    @settings(
        max_examples=DRAWN.get(name, EXAMPLES),
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def conforms(case: Any) -> None:
        if mode is GenerationMode.POSITIVE and case.method != "DELETE":
            _about_what_exists(case, live)
        answer = case.call(session=live.session, timeout=TIMEOUT_SECONDS)
        case.validate_response(answer, checks=CHECKS)
        assert answer.status_code != 401 or name == "create_session"
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == [MEDIA_TYPE]

    conforms()


def _about_what_exists(case: Any, live: Live) -> None:
    if "id" in case.path_parameters:
        case.path_parameters["id"] = live.ids[case.path.split("/")[3]]
    if "share" in case.path_parameters:
        case.path_parameters["share"] = live.share
    if "name" in case.path_parameters:
        case.path_parameters["name"] = "mine"
    if "wait" in (case.query or {}):
        case.query["wait"] = 0.01
    if case.path.endswith("/events"):
        case.query = {**(case.query or {}), "seconds": 0.01}
