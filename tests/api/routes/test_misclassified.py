"""Single test images: those that one network gets wrong, and those on which two groups differ."""

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from service.storage.engine.database import Database
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import COMPARISONS, EXPERIMENTS, STUDIES

IMAGES = 10  # of the results that tests make


def bits(*wrong: int) -> bytes:
    return np.packbits([index not in wrong for index in range(IMAGES)]).tobytes()


def finish(database: Database, activation: str, seed: int, *wrong: int) -> str:
    return str(states.finish(database, activation=activation, seed=seed, run={"correct": bits(*wrong)}))


def ask(client: TestClient, **query: Any) -> Any:
    return client.get(f"{COMPARISONS}/images", params={"a": "swish", "b": "relu", **query}).json()


def test_get_misclassified_lists_the_images_of_a_network(client: TestClient, database: Database) -> None:
    id = finish(database, "relu", 0, 2, 9)
    assert client.get(f"{EXPERIMENTS}/{id}/misclassified").json() == {"test_images": 10, "n": 2, "indices": [2, 9]}
    assert client.get(f"{EXPERIMENTS}/{id}/misclassified", params={"which": "best"}).json()["n"] == 2
    running = states.start(database)
    refused(client.get(f"{EXPERIMENTS}/{running.id}/misclassified"), 409, "result_not_ready")
    refused(client.get(f"{EXPERIMENTS}/{states.SOME_ID}/misclassified"), 404, "experiment_not_found")


def test_get_differing_images_lists_images_by_majority(client: TestClient, database: Database) -> None:
    for seed, wrong in enumerate([(1, 2), (1, 3), (1, 2, 4)]):
        finish(database, "relu", seed, *wrong)
    for seed, lost in enumerate([(1,), (2,), (5,)]):
        finish(database, "swish", seed, *lost)
    difference = ask(client)
    assert (difference["n_a"], difference["n_b"], difference["test_images"], difference["total"]) == (3, 3, 10, 2)
    assert difference["images"] == [
        {"index": 1, "a_correct": 2, "b_correct": 0},
        {"index": 2, "a_correct": 2, "b_correct": 1},
    ]
    assert ask(client, limit=1)["images"] == difference["images"][:1]
    assert client.get(f"{COMPARISONS}/images", params={"a": "relu", "b": "swish"}).json()["images"] == []


def test_get_differing_images_needs_more_than_half_of_the_seeds(client: TestClient, database: Database) -> None:
    finish(database, "relu", 0, 1, 2)
    finish(database, "relu", 1, 1)
    finish(database, "swish", 0)
    assert [image["index"] for image in ask(client)["images"]] == [1]


def test_get_differing_images_counts_the_newest_of_a_seed(client: TestClient, database: Database) -> None:
    finish(database, "relu", 0, 1)
    finish(database, "relu", 0, 2)
    finish(database, "swish", 0)
    difference = ask(client)
    assert (difference["n_b"], [image["index"] for image in difference["images"]]) == (1, [2])


def test_get_study_differing_images_groups_by_its_factors(client: TestClient, database: Database) -> None:
    finish(database, "swish", 7, 0, 1, 2)  # of no study
    grid = {"base": {"epochs": 1}, "factors": {"activation": ["relu", "swish"]}, "seeds": [0]}
    study = client.post(STUDIES, json=grid).json()["id"]
    for fence in states.claim(database):
        name = states.read(database, fence.id).activation
        states.succeed(database, fence, correct=bits(4) if name == "relu" else bits())
    difference = client.get(f"{STUDIES}/{study}/images", params={"a": "swish", "b": "relu"}).json()
    assert (difference["n_a"], difference["a"], [image["index"] for image in difference["images"]]) == (
        1,
        {"activation": "swish"},
        [4],
    )


@pytest.mark.parametrize("place", ["a", "b"])
@states.on_sqlite
def test_get_differing_images_names_an_unknown_group(client: TestClient, database: Database, place: str) -> None:
    finish(database, "relu", 0)
    query = {"a": "relu", "b": "relu", place: "gelu"}
    refused(client.get(f"{COMPARISONS}/images", params=query), 422, at=place)
    refused(client.get(f"{COMPARISONS}/images", params={"a": "relu"}), 422, at="b")


@states.on_sqlite
def test_get_differing_images_of_a_group_without_results(client: TestClient, database: Database) -> None:
    states.queue(database, activation="swish")
    finish(database, "relu", 0, 1)
    difference = ask(client)
    assert (difference["n_a"], difference["n_b"], difference["images"]) == (0, 1, [])


@states.on_sqlite
def test_get_differing_images_refuses_different_test_sets(client: TestClient, database: Database) -> None:
    for dataset in ("mnist_5k", "digits"):
        states.finish(database, dataset=dataset)
    query = {"a": "mnist_5k", "b": "digits", "group_by": "dataset"}
    refused(client.get(f"{COMPARISONS}/images", params=query), 422, at="b")
