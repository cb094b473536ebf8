"""APIs that die around a commit or have no connection left: each accepted experiment exists once."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import uuid4

import httpx2
import pytest

from actlab.client import ApiError
from tests.faults.stage import SPEC, TIMEOUT_SECONDS, Stage, writes_blocked
from tests.waiting import await_true

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

DEATHS = {
    "before its commit": "submit_experiment.before_commit:kill",
    "after it, before the wake": "submit_experiment.after_commit:kill",
    "after the wake, before its answer": "submit_experiment.before_answer:pause,wake.after_publish:kill",
}


@pytest.mark.proves(
    "a repeated submit creates one experiment",
    "SIGKILL of the API before its commit, between the commit and the wake, and between the wake and the"
    " answer; the client repeats its Idempotency-Key",
)
def test_api_killed_during_a_submit_creates_one_experiment(stage: Stage) -> None:
    if stage.embedded:
        await_true(
            lambda: "docs=" in stage.service.output("up"), TIMEOUT_SECONDS
        )  # an API that dies before this ends `actlab up`
    for number, plan in enumerate(DEATHS.values()):
        stage.plan_faults(plan)
        started = time.monotonic()
        id = stage.submit(seed=number, epochs=1)
        stage.scenario.record_recovery(time.monotonic() - started)
        assert all(stage.reached(fault.partition(":")[0]) for fault in plan.split(","))
        stage.scenario.inject()
        stage.plan_faults("")
        assert stage.finish(id)["status"] == "succeeded"
    assert stage.submitted_count() == len(DEATHS)
    stage.judge()


@pytest.mark.proves(
    "the API answers an overload with 503 and loses no experiment",
    "32 concurrent submits to a pool of two connections while another transaction locks the table",
)
def test_api_with_an_exhausted_pool_answers_503_with_retry_after(open_stage: Callable[..., Stage]) -> None:
    stage = open_stage(ACTLAB_POOL_SIZE="2", ACTLAB_ADMISSION_SECONDS="0.5")
    url = f"http://127.0.0.1:{stage.service.port}/api/v1/experiments"
    keys = [uuid4().hex for _ in range(32)]

    def submit(key: str) -> httpx2.Response:
        return httpx2.post(url, json=SPEC | {"epochs": 1}, headers={"Idempotency-Key": key}, timeout=60)

    def accepted(key: str) -> httpx2.Response | None:
        answer = submit(key)
        return answer if answer.status_code == 202 else None

    with ThreadPoolExecutor(len(keys)) as pool:
        with writes_blocked(stage):
            requests = [pool.submit(submit, key) for key in keys]
            await_true(lambda: sum(request.done() for request in requests) >= len(keys) - 1, TIMEOUT_SECONDS)
            stage.scenario.inject(len(keys))
        answers = [request.result() for request in requests]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert len(refused) >= len(keys) - 1
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert {answer.json()["code"] for answer in refused} == {"overloaded"}
    for key in keys[:4]:
        answer = await_true(partial(accepted, key), TIMEOUT_SECONDS)
        assert stage.finish(answer.json()["id"])["status"] == "succeeded"
    stage.judge()


@pytest.mark.proves(
    "a cancel prevails over a success, or is refused because the experiment has ended",
    "a cancel during the worker's final commit, and one after the last epoch",
)
def test_cancel_during_the_final_commit_has_one_outcome(stage: Stage) -> None:
    stage.plan_faults("finish.before_commit:pause")
    late = stage.submit()
    stage.await_point("finish.before_commit")
    with ThreadPoolExecutor(1) as pool:
        cancelling = pool.submit(stage.service.client.cancel, late)
        time.sleep(0.5)  # it now most likely waits for that commit; the outcome is the same if it does not
        stage.resume_at("finish.before_commit")
        with pytest.raises(ApiError) as refused:
            cancelling.result()
    assert refused.value.status == 409
    assert stage.await_fields(late)["status"] == "succeeded"
    stage.plan_faults("epoch.after_commit:pause:5")
    early = stage.submit(seed=1)
    stage.await_point("epoch.after_commit")
    stage.service.client.cancel(early)
    stage.resume_at("epoch.after_commit")
    assert stage.finish(early)["status"] == "cancelled"
    stage.scenario.inject(2)
    stage.judge()
