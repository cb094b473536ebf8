"""The questions of benchmarks.queries: filled tables, and equal rows on both sides of each ratio."""

import pytest

from benchmarks.filling import EPOCHS, fill, id_of
from benchmarks.queries import PAGE, questions
from service.domain.comparisons.answer import Comparison
from service.storage.analysis.comparisons import gather
from service.storage.engine.database import Database
from service.storage.engine.keyset import Page
from service.storage.records.epochs import of_experiment
from service.storage.records.experiments import Filter, page
from service.storage.records.results import of_experiment as result_of

pytestmark = pytest.mark.slow

FILLED = 250


@pytest.fixture
def full(database: Database) -> Database:
    fill(database, 100)
    fill(database, FILLED)
    return database


def test_questions_give_the_same_rows_on_both_sides(full: Database) -> None:
    for question in questions("sqlite" if full.sqlite else "postgresql", FILLED):
        with full.read() as session:
            ours, bare = question.ours(session), question.bare(session)
        if isinstance(ours, Page):
            rows, tags = bare
            assert 1 < len(ours.items) == min(len(rows), PAGE), question.title
            assert len(tags) == len(rows), question.title
            ids = [str(row[1] if full.sqlite else row.id) for row in rows]
            assert [str(item.id) for item in ours.items] == ids[:PAGE], question.title
        elif isinstance(ours, Comparison):
            assert len(ours.groups) == len(bare) == 100, question.title
            assert sum(group.n for group in ours.groups) == FILLED
        else:
            assert len(ours) in (1, EPOCHS), question.title
            assert len(bare) == EPOCHS, question.title


def test_fill_makes_what_workers_would_have_left(full: Database) -> None:
    with full.read() as session:
        (newest, *_) = page(session, Filter(), sort="-id", limit=1, after=None).items
        assert newest.id == id_of(FILLED - 1)
        assert len(of_experiment(session, newest.id)) == EPOCHS
        assert result_of(session, newest.id) is not None
        assert newest.tags == ["tag0"]


def test_packed_values_are_exact(full: Database) -> None:
    factors = ["activation", "dropout", "batch_size"]
    with full.read() as session:
        cells = gather(session, Filter(), "test_loss", factors, allow_mixed=False).cells
        rows = page(session, Filter(), sort="-id", limit=FILLED, after=None).items
    figures = sorted((seed, value) for cell in cells for seed, value in cell.values.items())
    assert figures == sorted((row.seed, row.test_loss) for row in rows)
    assert {type(seed) for seed, _ in figures} == {int}
