"""The spread between the seeds of conditions."""

import statistics

import pytest

from service.storage.analysis.spread import spreads
from service.storage.engine.database import Database
from tests.api import states


def test_spreads_are_sds_over_distinct_seeds(database: Database) -> None:
    accuracies = {0: 0.951, 1: 0.957, 2: 0.9605, 3: 0.9580}
    ids = [states.finish(database, accuracy, seed=seed) for seed, accuracy in accuracies.items()]
    states.finish(database, accuracies[0], seed=0)  # trained twice: one seed
    states.queue(database, seed=9)
    condition = states.read(database, ids[0]).condition
    with database.read() as session:
        assert spreads(session, [condition, "unknown"]) == {
            condition: pytest.approx(statistics.stdev(accuracies.values()), rel=1e-6)
        }


def test_spreads_leave_out_few_and_equal_seeds(database: Database) -> None:
    for seed in range(3):
        equal = states.finish(database, 0.95, seed=seed, epochs=2)
    for seed in range(2):
        few = states.finish(database, 0.95 + seed / 100, seed=seed, epochs=4)
    with database.read() as session:
        assert spreads(session, [states.read(database, id).condition for id in (equal, few)]) == {}
