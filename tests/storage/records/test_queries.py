"""Queries as SQL select what a plain evaluation of the same tree selects, on both databases."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings

from service.domain.query.fields import EXPERIMENTS, SPEC, STUDIES, Catalogue
from service.domain.query.parser import parse
from service.domain.spec import value_at
from service.domain.study import StudySpec
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.records import epochs, experiments, queries
from service.storage.records.experiments import Filter
from service.storage.studies import records as studies
from service.storage.studies import reuse
from service.storage.tables.base import new_id
from service.storage.tables.experiments import Experiment
from service.storage.tables.studies import Study
from tests.api import states
from tests.conftest import make_submission
from tests.domain.query import generating
from tests.domain.query.evaluation import holds


def fill(database: Database) -> list[UUID]:
    """Make experiments in each state, with and without each kind of value, and return ids of studies."""
    first = states.trained(database, [(0.9, 0.5), (0.95, 0.25)], best=1, name="a%b", tags=["x"], seed=1)
    states.finish(database, 0.25, activation="tanh", name="A_b", tags=["x", "y z"], classes=[1, 2], notes="it's")
    states.finish(
        database, 0.9, run={"device": "cuda"}, optimizer={"name": "sgd", "learning_rate": 0.01, "momentum": 0.9}
    )
    states.fail(database, states.start(database, name="a\\b", early_stopping={"patience": 3}, max_seconds=0.5))
    study, second = new_id(), new_id()
    with database.write("study") as session:
        studies.create(session, "key", StudySpec(base={"activation": "relu"}), [make_submission(name="")], study)
        spec = StudySpec(base={"activation": "tanh"}, name="a_b", question="x?", tags=["x"])
        studies.create(session, "local", spec, [make_submission(name='say "x"')], second, reused=[first])
    with database.write("cancel") as session:
        transitions.request_cancel(session, Experiment.study_id == second)
    retried = states.queue(database, name="a*b?[c]", dropout={"conv": 0.25, "dense": 0.0}, model={"batch_norm": False})
    states.start(database, name="runs", dataset="digits")
    with database.write("archive") as session:
        experiments.retry_all(session, "local", [first])
        experiments.archive_all(session, [first], archived=True)
    return [study, second, first, retried]


def records(database: Database) -> dict[UUID, dict[str, Any]]:
    """Read the fields of every experiment, without a query's columns."""
    with database.read() as session:
        rows = experiments.page(session, Filter(), sort="id", limit=100, after=None).items
        counted = {row.id: {row.study_id, *reuse.referring(session, row.id)} - {None} for row in rows}
        newest = {row.id: [epoch for epoch in epochs.of_experiment(session, row.id) if epoch.epoch == row.epochs_done]
                  for row in rows}  # fmt: skip
        return {row.id: _fields(row, counted[row.id], newest[row.id]) for row in rows}


def _fields(row: Experiment, counted: set[Any], newest: list[Any]) -> dict[str, Any]:
    spec = {path: value_at(row.spec, path) for path in SPEC}
    for path in ("model.conv_channels", "classes"):
        spec[path] = None if spec[path] is None else str(spec[path]).replace(" ", "")
    own = {name: getattr(row, name) for name in EXPERIMENTS.attributes if hasattr(row, name)}
    return own | spec | {
        "activation": row.activation, "dropout": (row.dropout_conv, row.dropout_dense), "tag": set(row.tags),
        "study": counted, "trained_precision": row.precision, "created_by": row.principal, "created": row.created_at,
        "started": row.started_at, "finished": row.finished_at, "archived": row.archived_at is not None,
        **{name: getattr(newest[0], name) if newest else None for name in ("train_loss", "train_accuracy", "l2")},
    }  # fmt: skip


@pytest.mark.parametrize(
    "examples", [60, pytest.param(3000, marks=[pytest.mark.nightly, pytest.mark.timeout(1800)])], ids=["some", "many"]
)
def test_condition_selects_what_a_plain_evaluation_selects(database: Database, examples: int) -> None:
    ids = fill(database)
    rows = records(database)
    sizes = set()

    @settings(max_examples=examples, suppress_health_check=[HealthCheck.too_slow], database=None)
    @given(generating.queries(ids))
    @example("NOT test_accuracy > 0.5")
    @example("tag != 'x' AND NOT tag IN ('y z')")
    @example(f"study IS NULL OR NOT study = '{ids[1]}'")
    @example("NOT (dropout > 0.1 OR name LIKE 'A\\_%')")
    @example("train_loss = 0.5 OR early_stopping.patience IS NOT NULL")
    @example("seed < 12345678901234567890 AND NOT attempt IN (1e300, 0.5) AND epochs != 3.5")
    def check(text: str) -> None:
        query = parse(text, EXPERIMENTS)
        with database.read() as session:
            selected = session.query(Experiment.id).where(queries.condition(query, queries.EXPERIMENTS)).all()
        assert {row.id for row in selected} == {id for id, row in rows.items() if holds(query.condition, row)}
        sizes.add(len(selected))

    check()
    assert len(sizes) > 4  # some select nothing, and others some or all


def test_condition_of_studies_selects_what_a_plain_evaluation_selects(database: Database) -> None:
    ids = fill(database)
    with database.read() as session:
        page = studies.page(session, studies.Filter(), descending=True, limit=100, after=None)
        tags = studies.tags_of(session, [row.id for row in page.items])
        rows = {row.id: _study_fields(row, set(tags[row.id])) for row in page.items}

    @settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], database=None)
    @given(generating.queries(ids, STUDIES))
    @example("NOT preset = 'quick'")
    def check(text: str) -> None:
        query = parse(text, STUDIES)
        with database.read() as session:
            selected = session.query(Study.id).where(queries.condition(query, studies.COLUMNS)).all()
        assert {row.id for row in selected} == {id for id, row in rows.items() if holds(query.condition, row)}

    check()


def _study_fields(row: Study, tags: set[str]) -> dict[str, Any]:
    names = ("id", "name", "question", "notes", "preset")
    return {name: getattr(row, name) for name in names} | {
        "tag": tags, "created_by": row.principal, "created": row.created_at, "archived": row.archived_at is not None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("catalogue", "columns"), [(EXPERIMENTS, queries.EXPERIMENTS), (STUDIES, studies.COLUMNS)],
    ids=["experiments", "studies"],
)  # fmt: skip
def test_every_field_of_a_catalogue_has_columns(catalogue: Catalogue, columns: queries.Columns) -> None:
    named = [*catalogue.attributes.values(), *catalogue.metrics.values(), *catalogue.params.values()]
    assert {field.name for field in named} == columns.keys()
