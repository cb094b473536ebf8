"""Verdicts on the articles' claims over HTTP, with experiments as evidence."""

import json
from datetime import UTC, datetime
from typing import Any, NoReturn
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from service.domain.status import Cause
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.studies import records as studies
from service.storage.tables.base import new_id
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS, STUDIES
from tests.making import make_epoch, make_layer

LOSSES = {"sigmoid": 0.8, "tanh": 0.4}  # of the first two epochs
SPEC = {"factors": {"activation": list(LOSSES)}, "base": {"dataset": "mnist_5k", "epochs": 3}, "seeds": list(range(5))}


def submit(client: TestClient, **fields: Any) -> str:
    id: str = client.post(STUDIES, json={**SPEC, **fields}).json()["id"]
    return id


def finish(database: Database, losses: dict[str, float]) -> None:
    for fence in states.claim(database):
        spec = states.read(database, fence.id).spec
        loss = losses[spec["activation"]["name"]] * (1 + spec["seed"] / 100)
        states.succeed(database, fence, early_loss=loss)


def claims(client: TestClient, study: str) -> dict[int, dict[str, Any]]:
    answer = client.get(f"{STUDIES}/{study}/claims")
    assert answer.status_code == 200, answer.text
    items = json.loads(answer.text, parse_constant=_refuse)["claims"]
    return {claim["number"]: claim for claim in items}


def _refuse(constant: str) -> NoReturn:
    pytest.fail(f"{constant} is no JSON")


def test_get_study_claims_names_what_is_missing(client: TestClient, database: Database) -> None:
    study = submit(client)
    before = claims(client, study)
    assert list(before) == list(range(1, 13))
    assert before.pop(12)["verdict"] == "refuted"  # by the functions themselves
    assert {claim["verdict"] for claim in before.values()} == {"undecided"}
    assert all(claim["missing"] for claim in before.values())
    assert before[4]["missing"] == ["5 seeds with a value; there are 0 (sigmoid and tanh)"]
    finish(database, LOSSES)
    decided = claims(client, study)[4]
    assert (decided["verdict"], decided["missing"]) == ("supported", [])
    (part,) = decided["parts"]
    assert (part["n"], part["context"]) == (5, {"dataset": "mnist_5k", "epochs": 3})
    assert part["mean"] == pytest.approx(0.693, abs=0.001)
    evidence = {id for side in part["evidence"] for id in side["experiments"]}
    assert evidence == {
        experiment["id"] for experiment in client.get(EXPERIMENTS, params={"study": study}).json()["items"]
    }


def test_get_study_claims_refutes_a_claim(client: TestClient, database: Database) -> None:
    study = submit(client)
    finish(database, {"sigmoid": 0.4, "tanh": 0.4})
    assert claims(client, study)[4]["verdict"] == "refuted"


def test_get_study_claims_ignores_diverged_runs(client: TestClient, database: Database) -> None:
    study = submit(client)
    for fence in states.claim(database):
        if states.read(database, fence.id).spec["seed"] == 4:
            states.fail(database, fence, Cause.DIVERGED)
        else:
            states.succeed(database, fence, early_loss=0.5)
    claim = claims(client, study)[4]
    assert (claim["verdict"], claim["missing"][0]) == (
        "undecided",
        "runs of sigmoid that do not diverge: 1 of 5 did, and the others are a selected sample",
    )


def test_get_study_claims_ignores_losses_without_speed(client: TestClient, database: Database) -> None:
    study = submit(client)
    for fence in states.claim(database):
        states.succeed(database, fence, early_loss=None)
    assert claims(client, study)[4]["missing"] == ["5 seeds with a value; there are 0 (sigmoid and tanh)"]


def test_get_study_claims_reads_diagnostics_of_first_and_last_epoch(client: TestClient, database: Database) -> None:
    """ReLU: half of its outputs are zero at the start, and units die without batch normalisation."""
    normalised = {"name": "with", "factors": {"activation": ["relu"]}, "base": {}}
    bare = {"name": "without", "factors": {"activation": ["relu"], "optimizer.learning_rate": [0.001, 0.01]},
            "base": {"model": {"batch_norm": False}}}  # fmt: skip
    study = client.post(STUDIES, json={"grids": [normalised, bare], "seeds": list(range(5))}).json()["id"]
    for fence in states.claim(database):
        share = 0.5 + states.read(database, fence.id).spec["seed"] / 100
        with database.write("start") as session:
            transitions.record_start(session, fence, [make_layer(0, zero_share=share)])
        with database.write("epoch") as session:
            last = make_layer(1, dead_share_confirmed=share - 0.3, zero_share=0.9)
            transitions.record_epoch(session, fence, make_epoch(1), [last])
        states.succeed(database, fence)
    verdicts = claims(client, study)
    assert (verdicts[6]["verdict"], verdicts[7]["verdict"]) == ("supported", "supported")
    assert verdicts[6]["parts"][0]["mean"] == pytest.approx(0.52)
    assert [part["mean"] for part in verdicts[7]["parts"]] == [pytest.approx(0.22)] * 2


def one_by_one(database: Database, number: int) -> None:
    """End the queued experiments in the order in which one worker takes them."""
    for _ in range(number):
        (fence,) = states.claim(database, limit=1)
        with database.write("epoch") as session:
            transitions.record_epoch(session, fence, make_epoch(1))
        states.succeed(database, fence, early_loss=0.1 if states.read(database, fence.id).activation == "relu" else 0.5)


def test_claims_preset_has_whole_pairs_when_half_is_done(client: TestClient, database: Database) -> None:
    study = submit(client, factors={"activation": ["relu", "sigmoid", "tanh"]}, seeds=list(range(6)))
    one_by_one(database, 9)
    pairs = client.get(f"{STUDIES}/{study}/comparison?metric=test_loss").json()["pairs"]
    assert [pair["test"] for pair in pairs] == ["paired t"] * 3
    assert claims(client, study)[5]["missing"] == ["5 seeds with a value; there are 3 (sigmoid and relu)",
                                                   "5 seeds with a value; there are 3 (tanh and relu)",
                                                   "5 seeds with a value; there are 3 (relu and sigmoid)",
                                                   "5 seeds with a value; there are 3 (relu and tanh)"]  # fmt: skip
    one_by_one(database, 9)
    assert claims(client, study)[5]["verdict"] == "supported"


def test_get_study_claims_of_a_tuned_study_uses_its_rates(client: TestClient, database: Database) -> None:
    study = submit(client, factors={"activation": ["relu", "swish"]})
    with database.write("tuned") as session:
        row = studies.find(session, UUID(study))
        assert row is not None
        row.tuned_at = datetime.now(UTC)
    (part,) = (part for part in claims(client, study)[9]["parts"] if part["evidence"])
    assert part["context"]["optimizer.learning_rate"] == "tuned"


@states.on_sqlite
def test_claims_preset_covers_every_claim(client: TestClient, database: Database) -> None:
    small = {"preset": "claims", "base": {"dataset": "mnist_5k", "epochs": 2}, "seeds": [0]}
    study = client.post(STUDIES, json=small).json()["id"]
    for number, claim in claims(client, study).items():
        assert claim["verdict"] == ("refuted" if number == 12 else "undecided"), number
        assert number in (1, 12) or any(part["evidence"] or part["missing"] for part in claim["parts"]), number


@states.on_sqlite
def test_get_study_claims_answers_304_until_a_change(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = submit(client)
    path = f"{STUDIES}/{study}/claims"
    etag = client.get(path).headers["etag"]
    with monkeypatch.context() as patched:
        patched.setattr("service.api.routes.article_claims.judge", lambda _: pytest.fail("judged again"))
        assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    finish(database, LOSSES)
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 200


@states.on_sqlite
def test_get_study_claims_refuses_large_and_unknown_studies(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = submit(client)
    monkeypatch.setattr("service.storage.analysis.article_claims.MOST_EXPERIMENTS", 9)
    assert refused(client.get(f"{STUDIES}/{study}/claims"), 422)["errors"][0]["code"] == "too_many"
    refused(client.get(f"{STUDIES}/{new_id()}/claims"), 404, "study_not_found")
