from uuid import UUID

import pytest

from service.storage.engine.database import Database
from tests.conftest import make_experiment


@pytest.fixture
def experiment(database: Database) -> UUID:
    return database.run("make", make_experiment).id
