"""Generated requests of every role, valid and not, against a server that is really listening: no defect, and no answer
that the OpenAPI document does not tell of.

Each change is tested with an admin on SQLite, and with fewer examples of the other roles on PostgreSQL; a nightly test
takes every role on both.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

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
from tests.databases import LentDatabase
from tests.servers import free_port
from tests.waiting import await_true

pytestmark = pytest.mark.slow

LEFT_OUT = {
    "positive_data_acceptance": "The schema cannot say all rules: a formula's grammar, fields that exclude each other.",
    "missing_required_header": "No operation requires a header.",
    "unsupported_method": "It acts in a phase of its own. tests/api/test_walk.py sends every method to every path.",
    "use_after_free": "It acts along links. tests/api/routes reads what was deleted.",
    "ensure_resource_availability": "It acts along links. tests/api/routes reads what was created.",
    "object_level_authorization": "Every key of a role may see and change everything: objects have no owners.",
}
"""The checks of schemathesis that are not made, each with the reason."""
load_all_checks()
MADE = [CHECKS.get_one(name) for name in CHECKS.get_all_names() if name not in LEFT_OUT]
DRAWN = {"get_study_report": 5}
"""The most examples of operations that take a second each."""
SAMPLE = {("sqlite", Role.ADMIN): 20, ("postgresql", Role.VIEWER): 5, ("postgresql", Role.SUBMITTER): 5}
"""The number of examples of each operation and mode for every change."""
NIGHTLY_EXAMPLES = 30

WITHOUT_KEYS = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
"""Requests have the key of the session, and none that is made up: all of those would be answered 401."""

TIMEOUT_SECONDS = 60  # the first report of a process draws for seconds on a loaded machine
WITHOUT_NEGATIVE = {"get_service_metrics"}
"""Operations whose every parameter takes any text, here the header Accept, so that no request is wrong."""
ASKED = [
    (operation["operationId"], mode)
    for _, _, operation in OPERATIONS
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if mode is GenerationMode.POSITIVE
    or (operation.keys() & {"parameters", "requestBody"} and operation["operationId"] not in WITHOUT_NEGATIVE)
]


@dataclass(frozen=True)
class Live:
    schemas: dict[Role, Any]
    sessions: dict[Role, requests.Session]
    ids: dict[str, str]
    """The id of a record of each collection."""
    share: str
    """The id of a link to the study."""


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    home = tmp_path_factory.mktemp("live")
    yield from _live(home, f"sqlite:///{home / 'actlab.db'}")


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory, lent_database: LentDatabase) -> Iterator[Live]:
    yield from _live(tmp_path_factory.mktemp("live"), lent_database.url)
    lent_database.empty()


def _live(home: Path, database_url: str) -> Iterator[Live]:
    """Serve a database with a record of each kind, and a key of each role."""
    own = Settings(
        home=home, database_url=database_url, port=free_port(), max_study_experiments=50, rate_per_minute=0,
        submits_per_hour=0, max_queued=0,
    )  # fmt: skip
    database = Database(own.database)
    migrate.upgrade(database)
    server = uvicorn.Server(uvicorn.Config(create_app(own), port=own.port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        await_true(lambda: server.started)
        keys = {role: make_key(database, role) for role in Role}
        time.sleep(1)  # until the server has noticed the keys
        with ExitStack() as opened:
            sessions = {role: opened.enter_context(requests.Session()) for role in Role}
            for role, session in sessions.items():
                session.headers.update(bearer(keys[role].text))
            ids, share = _records(own.own_url, database, sessions[Role.ADMIN])
            schemas = {
                role: schemathesis.openapi.from_url(
                    f"{own.own_url}/openapi.json", config=WITHOUT_KEYS, headers=bearer(key.text)
                )
                for role, key in keys.items()
            }
            yield Live(schemas, sessions, ids | {"keys": keys[Role.ADMIN].id}, share)
    finally:
        server.should_exit = True
        thread.join(20)
        database.close()


def _records(url: str, database: Database, session: requests.Session) -> tuple[dict[str, str], str]:
    """Make a record of each collection, and return their ids and that of a link."""
    study = session.post(f"{url}{STUDIES}", json={"factors": {"activation": ["relu"]}, "seeds": [0]}).json()["id"]
    (fence,) = states.claim(database)
    states.succeed(database, fence)
    mine: Any = {"name": "mine", "formula": "a * x", "parameters": {"a": 1}}
    assert session.post(f"{url}{ACTIVATIONS}", json=mine).status_code == 201
    share = session.post(f"{url}{STUDIES}/{study}/shares", json={}).json()["id"]
    return {"experiments": str(fence.id), "studies": study}, share


def test_checks_that_are_left_out_exist() -> None:
    assert LEFT_OUT.keys() <= set(CHECKS.get_all_names())
    assert len(MADE) >= 8


each_request = pytest.mark.parametrize(("name", "mode"), ASKED, ids=lambda value: getattr(value, "value", value))
# Hypothesis takes the jitter of the server's threads, in this same process, for randomness of a strategy's.
in_this_process = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")


@in_this_process
@each_request
@pytest.mark.parametrize(("database", "role"), SAMPLE, ids=[f"{database}-{role}" for database, role in SAMPLE])
@pytest.mark.defends("hostile")
def test_operation_conforms_to_the_document(
    request: pytest.FixtureRequest, name: str, mode: GenerationMode, database: str, role: Role
) -> None:
    conform(request.getfixturevalue(database), role, name, mode, SAMPLE[database, role])


@pytest.mark.nightly
@in_this_process
@each_request
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.defends("hostile")
def test_operation_conforms_for_every_role_on_both_databases(
    request: pytest.FixtureRequest, name: str, mode: GenerationMode, database: str, role: Role
) -> None:
    conform(request.getfixturevalue(database), role, name, mode, NIGHTLY_EXAMPLES)


def conform(live: Live, role: Role, name: str, mode: GenerationMode, examples: int) -> None:
    operation = live.schemas[role].find_operation_by_id(name)

    @settings(
        max_examples=min(DRAWN.get(name, examples), examples),
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def conforms(case: Any) -> None:
        if mode is GenerationMode.POSITIVE and case.method != "DELETE":
            _about_what_exists(case, live)
        answer = case.call(session=live.sessions[role], timeout=TIMEOUT_SECONDS)
        case.validate_response(answer, checks=MADE)
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
        case.path_parameters["name"] = "digits" if "/datasets/" in case.path else "mine"
    if "wait" in (case.query or {}):
        case.query["wait"] = 0.01
    if case.path.endswith("/events"):
        case.query = {**(case.query or {}), "seconds": 0.01}
