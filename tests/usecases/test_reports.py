"""Building the report of a study."""

import pytest

from service.domain.comparisons.refusals import Confounded
from service.domain.errors import StudyNotFound
from service.domain.report import Report
from service.domain.status import Cause, Status
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.records.experiments import Filter
from service.storage.tables.base import new_id
from service.usecases import reports
from service.usecases.reports import Grouping
from tests.making import make_run
from tests.storage.steps import claim
from tests.usecases.conftest import MakeStudy
from tests.usecases.observing import stored

BY_ACTIVATION = Grouping(["activation"], "test_accuracy")


@pytest.fixture
def finished(database: Database, make_study: MakeStudy) -> Filter:
    """Two activations over two seeds, of which one run of tanh diverged."""
    study = make_study(name="depth", question="Which is better?")
    for claimed in claim(database, limit=100):
        relu, seed = claimed.spec["activation"]["name"] == "relu", claimed.spec["seed"]
        with database.write("end") as session:
            if not relu and seed == 1:
                transitions.fail(session, claimed.fence, Cause.DIVERGED, "NaN")
            else:
                transitions.succeed(session, claimed.fence, make_run(0.9 + seed / 100 if relu else 0.8))
    return Filter(studies=(study,))


def build(database: Database, filters: Filter, grouping: Grouping = BY_ACTIVATION) -> Report:
    (study,) = filters.studies
    with database.read() as session:
        return reports.build(session, study, filters, grouping)


def test_build_compares_the_groups_of_the_study(database: Database, finished: Filter) -> None:
    report = build(database, finished)
    assert (report.study.name, report.study.question) == ("depth", "Which is better?")
    assert report.progress == {Status.SUCCEEDED: 3, Status.FAILED: 1}
    means = {group.factors["activation"]: group.mean for group in report.comparison.groups}
    assert means == {"relu": pytest.approx(0.905), "tanh": pytest.approx(0.8)}


def test_build_names_machines_and_what_did_not_finish(database: Database, finished: Filter) -> None:
    report = build(database, finished)
    assert [(machine.device, machine.experiments) for machine in report.machines] == [("cpu", 3)]
    assert [(ended.factors, ended.cause, ended.seeds) for ended in report.unfinished] == [
        ({"activation": "tanh"}, Cause.DIVERGED, [1])]  # fmt: skip


def test_build_writes_nothing(database: Database, finished: Filter) -> None:
    before = stored(database)
    build(database, finished)
    assert stored(database) == before


def test_build_refuses_a_confounded_grouping(database: Database, finished: Filter) -> None:
    with pytest.raises(Confounded):
        build(database, finished, Grouping(["epochs"], "test_accuracy"))


def test_build_of_an_unknown_study_raises(database: Database) -> None:
    with pytest.raises(StudyNotFound):
        build(database, Filter(studies=(new_id(),)))
