"""Observations that article claims are decided by, as read from the database."""

from dataclasses import replace

import pytest

from service.domain.results import LinearCollapse
from service.storage.analysis import article_claims
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.tables.base import new_id
from service.storage.tables.studies import Study
from tests.conftest import make_experiment
from tests.making import make_run
from tests.storage.steps import claimed, do


@pytest.mark.parametrize("difference", [None, 1e-12])
def test_observe_reads_the_largest_difference_of_a_linear_network(database: Database, difference: float | None) -> None:
    study, run = new_id(), make_run()
    if difference is not None:
        collapse = LinearCollapse.of(785, 10, difference)
        run = replace(run, result=run.result.model_copy(update={"collapse": collapse}))
    with database.write("make") as session:
        session.add(Study(id=study, principal="local", base={}, factors={}, grids=[], seeds=[0]))
        session.flush()
        make_experiment(session, activation="linear").study_id = study
    do(database, transitions.succeed, claimed(database), run)
    with database.read() as session:
        (setting,) = article_claims.observe(session, study).settings(["activation"])
    (side,) = setting.sides.values()
    (observed,) = side.succeeded.values()
    assert observed.largest_difference == difference
