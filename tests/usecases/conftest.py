"""A study, in each of the ways that the use cases need it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from service.domain.study import StudySpec
from service.storage.engine.database import Database
from service.storage.tables.base import new_id
from service.usecases import studies

CODE = "0.1.0"
"""The version of the results that tests.making makes."""

MakeStudy = Callable[..., UUID]


def make_spec(**fields: Any) -> StudySpec:
    """A study of two cells over two seeds."""
    small = {"base": {"dataset": "mnist_5k", "epochs": 3}, "factors": {"activation": ["relu", "tanh"]}, "seeds": [0, 1]}
    return StudySpec.model_validate(small | fields)


@pytest.fixture
def make_study(database: Database) -> MakeStudy:
    """Submits a study and returns its id."""

    def make(**fields: Any) -> UUID:
        id = new_id()
        with database.write("submit") as session:
            studies.submit(session, "local", studies.stage(session, make_spec(**fields), CODE, limit=100), id)
        return id

    return make
