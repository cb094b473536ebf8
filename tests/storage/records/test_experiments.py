"""Records of experiments that are created, on both databases."""

from typing import Any

from sqlalchemy import select

from service.domain.study import StudySpec
from service.storage.engine.database import Database
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.records import experiments
from service.storage.studies import records as studies
from service.storage.tables.base import new_id
from service.storage.tables.experiments import Experiment

OWN = {"id", "study_id", "created_at", "revision"}
"""Columns in which an experiment of a study differs from the same one without a study."""


def columns(row: Experiment) -> dict[str, Any]:
    values = {column.name: getattr(row, column.name) for column in Experiment.__table__.columns}
    return {name: value for name, value in values.items() if name not in OWN} | {"tags": row.tags}


def test_create_all_stores_what_create_stores(database: Database) -> None:
    spec = StudySpec.model_validate({
        "base": {"epochs": 3, "tags": ["a", "b"], "name": "n", "priority": 4},
        "factors": {"activation": ["relu", {"name": "elu", "parameters": {"alpha": 0.5}}], "dropout": [0, 0.25]},
        "seeds": [7, 3],
    })  # fmt: skip
    submissions = spec.experiments()

    def make(session: UnitOfWork) -> list[Experiment]:
        single = [experiments.create(session, "local", submission, id=new_id()) for submission in submissions]
        study = studies.create(session, "local", spec, submissions, new_id())
        ids = session.scalars(select(Experiment.id).where(Experiment.study_id == study.id).order_by(Experiment.id))
        return single + [experiments.reload(session, id) for id in ids]

    rows = database.run("make", make)
    single, of_study = rows[:8], rows[8:]
    assert [columns(row) for row in of_study] == [columns(row) for row in single]
    assert [(row.seed, row.spec["seed"]) for row in of_study] == [(seed, seed) for seed in (7, 3) for _ in range(4)]
    assert [list(row.spec) for row in of_study] == [list(row.spec) for row in single]
    assert len({row.revision for row in of_study}) == 1
    assert len({row.condition for row in of_study}) == 4
