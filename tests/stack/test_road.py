"""Experiments from their request to their result, by real processes on both stacks."""

import time
from collections.abc import Callable

import pytest

from tests.stack.services import LONG, SHORT, Json, Service, figures_of
from tests.waiting import await_true

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def figures(service: Service, id: str) -> list[Json]:
    return figures_of(service.client.metrics(id)["items"])


def test_equal_experiments_give_equal_figures(service: Service) -> None:
    ids = [service.client.submit_experiment(SHORT)["id"] for _ in range(2)]
    first, second = (service.finished(id) for id in ids)
    assert (first["status"], second["status"]) == ("succeeded", "succeeded")
    assert figures(service, ids[0]) == figures(service, ids[1])
    assert [item["epoch"] for item in figures(service, ids[0])] == [1, 2]
    results = [service.client.result(id) for id in ids]
    assert results[0] == results[1]
    assert results[0]["last"]["test_accuracy"] == first["test_accuracy"]


def test_study_ends_in_a_comparison(service: Service) -> None:
    base = {name: value for name, value in SHORT.items() if name != "activation"} | {"epochs": 1}
    study = service.client.submit_study({"base": base, "factors": {"activation": ["relu", "tanh"]}, "seeds": [0, 1, 2]})
    finished = await_true(lambda: s if (s := service.client.study(study["id"], wait=5))["finished"] else None, 120)
    assert finished["progress"]["succeeded"] == 6
    comparison = service.client.comparison(study=study["id"], versus="relu")
    assert [group["n"] for group in comparison["groups"]] == [3, 3]
    assert len(comparison["pairs"]) == 1
    assert comparison["pairs"][0]["test"] == "Welch t of log errors"


def test_cancel_ends_a_running_experiment_within_seconds(service: Service) -> None:
    id = service.client.submit_experiment(LONG)["id"]
    service.until(id, status="running")
    await_true(lambda: service.client.experiment(id)["epochs_done"] >= 1)
    begun = time.monotonic()
    service.client.cancel(id)
    assert service.finished(id)["status"] == "cancelled"
    assert time.monotonic() - begun < 3


def test_service_resumes_after_a_restart_what_it_released(
    make_service: Callable[..., Service],
) -> None:
    service = make_service().start()
    spec = SHORT | {"epochs": 8}
    plain = service.client.submit_experiment(spec)["id"]
    service.finished(plain)
    id = service.client.submit_experiment(spec)["id"]
    await_true(lambda: service.client.experiment(id)["epochs_done"] >= 2)
    expected = figures(service, plain)
    stopping = time.monotonic()
    service.stop()
    assert time.monotonic() - stopping < 8
    service.start()
    done = service.finished(id)
    assert (done["status"], done["attempt"], done["lost_count"]) == ("succeeded", 2, 0)
    assert figures(service, id) == expected
    outcomes = [attempt["outcome"] for attempt in service.client.attempts(id)]
    assert outcomes == ["released", "succeeded"]


def test_api_process_loads_no_torch_and_stays_small(service: Service) -> None:
    service.finished(service.client.submit_experiment(SHORT)["id"])
    service.client.comparison()
    api = service.process("serve")
    assert not [library.path for library in api.memory_maps() if "torch" in library.path]
    assert api.memory_info().rss < 250 * 2**20
    worker = service.process("worker")
    assert [library.path for library in worker.memory_maps() if "torch" in library.path]


def test_api_answers_within_seconds_of_its_start(make_service: Callable[..., Service]) -> None:
    service = make_service()
    service.run("db", "upgrade")
    service.launch("serve")
    await_true(service.client.healthy, seconds=30)  # promised: 5, on a machine that is its own


@pytest.mark.parametrize("make_service", ["embedded"], indirect=True)
def test_idle_service_uses_almost_no_processor(make_service: Callable[..., Service]) -> None:
    """API and worker together, with the default settings, over half a minute."""
    service = make_service(
        ACTLAB_LEASE_SECONDS="30", ACTLAB_RENEW_SECONDS="5", ACTLAB_REAP_SECONDS="5",
        ACTLAB_RECONCILE_SECONDS="2",
    ).start()  # fmt: skip
    await_true(service.client.workers, seconds=30)
    time.sleep(5)  # the start is over
    processes = [service.process(name) for name in ("serve", "worker")]
    before = sum(sum(process.cpu_times()[:2]) for process in processes)
    time.sleep(30)
    used = sum(sum(process.cpu_times()[:2]) for process in processes) - before
    assert used / 30 < 0.03
