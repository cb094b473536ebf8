"""Data of each release under this code: it answers the same, and goes on with an experiment that was interrupted.

`releases/make.py` says how the data of a release are made.
"""

import csv
import gzip
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psycopg
import pytest

from tests.stack.releases.make import recorded_answer
from tests.stack.services import Json, Service, figures_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

RELEASES = sorted(file.parent for file in (Path(__file__).parent / "releases").glob("*/embedded.json.gz"))

VOLATILE = frozenset({"version", "oldest_queued_seconds", "eta_seconds", "disk_free_bytes", "disk_used_share",
                      "schema_revision"})  # fmt: skip
"""Fields that depend on the machine, the moment or the release."""
SENTENCES = frozenset({"claim", "decision", "detail", "intervals", "missing", "note", "remedy", "rule", "text", "title",
                       "waiting_reason"})  # fmt: skip
"""Fields for people, whose words may change."""
FROM_FORMULAS = frozenset({"advice", "computed_as", "derivative", "derivative_latex", "estimated_cost", "latex",
                           "properties"})  # fmt: skip
"""Fields that are computed from a formula, which each release may compute and typeset better."""
FROM_TESTS = frozenset({"disagreements", "interval_correction", "interval_disagrees", "p", "p_attainable",
                        "p_correction", "p_holm", "rank", "seeds_needed", "test", "verdict"})  # fmt: skip
"""Fields of a comparison that its statistical tests decide, which each release may choose anew: see CHANGELOG.md."""
TABLE = "text/csv"
REPORTS = ("text/html", "text/markdown")
MACHINE = ("code", "torch", "numpy", "device", "device_name", "instruction_set", "threads", "precision")
"""Fields of a fingerprint that must be equal for two runs to agree bit for bit."""


class Recording:
    """The data of one release on one stack, and what that release answered about them."""

    def __init__(self, folder: Path, stack: str) -> None:
        self._folder = folder
        self._stack = stack
        with gzip.open(folder / f"{stack}.json.gz", "rt") as stream:
            content: Json = json.load(stream)
        self.interrupted: str = content["interrupted"]
        self.uninterrupted: str = content["uninterrupted"]
        self.answers: dict[str, Json] = content["answers"]

    def put_into(self, service: Service) -> None:
        """Unpack the folder as that of a service, and load the database where it is not in the folder."""
        with tarfile.open(self._folder / f"{self._stack}.tar.gz") as archive:
            archive.extractall(service.home, filter="data")
        if not service.embedded:
            with gzip.open(self._folder / f"{self._stack}.sql.gz", "rt") as stream:
                statements = stream.read()
            with psycopg.connect(service.database_url.replace("+psycopg", ""), autocommit=True) as connection:
                connection.execute(statements.encode())

    def of(self, id: str, part: str) -> Any:
        """The body of the recorded answer of a route of an experiment."""
        return self.answers[f"/api/v1/experiments/{id}{part}"]["body"]


@pytest.fixture(params=RELEASES, ids=lambda folder: folder.name)
def released(request: pytest.FixtureRequest, make_service: Callable[..., Service]) -> tuple[Service, Recording]:
    """A service that is not started yet, on the data of a release."""
    service = make_service()
    recording = Recording(request.param, "embedded" if service.embedded else "production")
    recording.put_into(service)
    return service, recording


def test_upgraded_data_get_the_answers_of_their_release(released: tuple[Service, Recording]) -> None:
    service, recording = released
    service.run("db", "upgrade")
    service.launch("serve")  # without a worker, which would go on with the interrupted experiment
    service.await_health()
    differing = []
    with httpx.Client(base_url=f"http://127.0.0.1:{service.port}", timeout=40) as http:
        for path, before in recording.answers.items():
            now = recorded_answer(http.get(path))
            if not _is_kept(before, now):
                differing.append((path, before, now))
    assert not differing, [path for path, *_ in differing]


def test_upgraded_service_resumes_an_interrupted_experiment(released: tuple[Service, Recording]) -> None:
    service, recording = released
    before = recording.of(recording.interrupted, "")
    assert (before["status"], before["attempt"]) == ("queued", 1)
    assert 0 < before["epochs_done"] < before["spec"]["epochs"]
    service.start()
    done = service.finished(recording.interrupted)
    assert (done["status"], done["attempt"], done["lost_count"]) == ("succeeded", 2, 0)
    epochs = service.client.metrics(recording.interrupted)["items"]
    assert epochs[: before["epochs_done"]] == recording.of(recording.interrupted, "/metrics")["items"]
    result, expected = service.client.result(recording.interrupted), recording.of(recording.uninterrupted, "/result")
    assert result["fingerprint"]["mixed"]  # the first epochs are of 0.1.0
    figures = figures_of(epochs)
    expected_figures = figures_of(recording.of(recording.uninterrupted, "/metrics")["items"])
    if [result["fingerprint"][name] for name in MACHINE] == [expected["fingerprint"][name] for name in MACHINE]:
        assert figures == expected_figures
        assert result["last"] == expected["last"]
        assert result["confusion_matrix"] == expected["confusion_matrix"]
    else:  # on another machine or PyTorch, or under a version that trains formulas in other forms, bits differ
        assert [epoch["validation_loss"] for epoch in figures] == pytest.approx(
            [epoch["validation_loss"] for epoch in expected_figures], rel=0.05
        )


def _is_kept(before: Json, now: Json) -> bool:
    """Return whether status, type and content are equal; of a report, status and type alone, for its text is of its
    release and its figures are those of the comparison; and of a table, the columns that it had."""
    if before["type"] in REPORTS:
        before, now = ({**answer, "body": bool(answer["body"])} for answer in (before, now))
    if before["type"] == TABLE:
        before, now = (
            {**answer, "body": list(csv.DictReader(answer["body"].splitlines()))} for answer in (before, now)
        )
    return _has(now, before)


def _has(now: Any, before: Any) -> bool:
    """Return whether a value is equal to the one before it, but for sentences and added fields."""
    if isinstance(before, dict) and isinstance(now, dict):
        fields = before.keys() - VOLATILE - SENTENCES - FROM_FORMULAS - FROM_TESTS
        if "hedges_g" in before:  # of a pair, whose sizes of the effect are the test's
            fields -= {"difference", "hedges_g", "interval"}
        if isinstance(before.get("notes"), list):  # of a claim; those of an experiment are its owner's
            fields -= {"notes"}
        return all(name in now and _has(now[name], before[name]) for name in fields)
    if isinstance(before, list) and isinstance(now, list):
        return len(before) == len(now) and all(map(_has, now, before))
    return bool(before == now)
