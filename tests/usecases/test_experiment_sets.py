"""The experiments of a study or a grid, the paths to group them by, and their revision."""

from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from service.domain.errors import Invalid, StudyNotFound
from service.storage.engine.database import Database
from service.storage.records import experiments
from service.storage.records.experiments import Filter
from service.storage.tables.base import new_id
from service.usecases import experiment_sets
from tests.conftest import make_experiment
from tests.usecases.conftest import MakeStudy

GRIDS = {
    "factors": {"activation": ["relu", "tanh"]},
    "grids": [
        {"name": "depth", "factors": {"model.dense_layers": [1, 2]}},
        {"name": "rate", "factors": {"optimizer.learning_rate": [0.001, 0.01]}},
    ],
    "seeds": [0],
}


def grouping_of(session: Session, paths: list[str], studies: list[UUID]) -> list[str]:
    return experiment_sets.of_filter(session, Filter(studies=tuple(studies)), paths).group_by


def test_of_filter_groups_by_the_factors_of_its_study(database: Database, make_study: MakeStudy) -> None:
    study = make_study(factors={"activation": ["relu"], "dropout": [0, 0.25]})
    with database.read() as session:
        assert grouping_of(session, [], [study]) == ["activation", "dropout"]
        assert grouping_of(session, ["epochs"], [study]) == ["epochs"]


def test_of_filter_groups_several_studies_by_the_factors_of_each(database: Database, make_study: MakeStudy) -> None:
    studies = [make_study(), make_study(factors={"activation": ["relu"], "dropout": [0, 0.25]})]
    with database.read() as session:
        assert grouping_of(session, [], studies) == ["activation", "dropout"]


def test_of_filter_without_a_study_groups_by_the_activation(database: Database) -> None:
    with database.read() as session:
        assert grouping_of(session, [], []) == ["activation"]


def test_of_filter_refuses_a_path_that_no_spec_has(database: Database) -> None:
    with database.read() as session, pytest.raises(Invalid, match="group_by"):
        grouping_of(session, ["colour"], [])


def test_of_study_selects_the_experiments_of_one_grid(database: Database, make_study: MakeStudy) -> None:
    study = make_study(**GRIDS)
    with database.read() as session:
        experiments_of_grid = experiment_sets.of_study(session, study, "depth", [])
        page = experiments.page(session, experiments_of_grid.filters, sort="id", limit=100, after=None)
    assert experiments_of_grid.group_by == ["activation", "model.dense_layers"]
    assert sorted((row.activation, row.spec["model"]["dense_layers"]) for row in page.items) == [
        ("relu", 1), ("relu", 2), ("tanh", 1), ("tanh", 2)]  # fmt: skip


def test_of_study_raises_for_an_unknown_study(database: Database) -> None:
    with database.read() as session, pytest.raises(StudyNotFound):
        experiment_sets.of_study(session, new_id(), None, [])


def test_revision_of_a_study_ignores_other_experiments(database: Database, make_study: MakeStudy) -> None:
    study = make_study()

    def revisions() -> tuple[int, int]:
        with database.read() as session:
            own = experiment_sets.revision(session, Filter(studies=(study,)))
            return own, experiment_sets.revision(session, Filter(activations=("relu",)))

    own, newest = revisions()
    database.run("make", make_experiment)
    assert revisions() == (own, newest + 1)


def test_revision_raises_for_an_unknown_study(database: Database) -> None:
    with database.read() as session, pytest.raises(StudyNotFound):
        experiment_sets.revision(session, Filter(studies=(new_id(),)))
