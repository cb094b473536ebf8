"""Records of diagnostics, on both databases."""

from collections.abc import Sequence
from uuid import UUID

from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.queue.leases import Checkpoint
from service.storage.records import diagnostics, experiments
from service.storage.tables.diagnostics import Layer
from service.storage.tables.experiments import Experiment
from tests.conftest import make_experiment, read_experiment
from tests.making import make_epoch, make_layer
from tests.storage.steps import claim, claimed, do, lose


def layers_of(database: Database, id: UUID, since: int | None = None, layers: Sequence[str] = ()) -> Sequence[Layer]:
    with database.read() as session:
        return diagnostics.of_experiment(session, id, since, layers)


def test_of_experiment_orders_layers_by_epoch_and_position(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    start = [make_layer(0, name, unchanged=True, parameters={"beta": 1.0}) for name in ("output", "conv1")]
    do(database, transitions.record_start, fence, start)
    do(database, transitions.record_epoch, fence, make_epoch(1), [make_layer(1)])
    layers = layers_of(database, experiment)
    assert [(row.epoch, row.layer) for row in layers] == [(0, "conv1"), (0, "output"), (1, "conv1")]
    assert type(make_layer()).model_validate(layers[0], extra="ignore") == start[1]
    assert [row.attempt for row in layers] == [1, 1, 1]


def test_upsert_stores_non_finite_measures_as_null_and_names_them(database: Database, experiment: UUID) -> None:
    broken = {"epoch": 1, "layer": "conv1", "position": 0, "units": 2, "unchanged": False}
    figures = {
        "mean_before": float("nan"),
        "gradient_norm": float("inf"),
        "parameters": {"beta": float("nan"), "a": 2.0},
    }
    do(database, transitions.record_epoch, claimed(database), make_epoch(1), [type(make_layer()).of(broken | figures)])
    (row,) = layers_of(database, experiment)
    assert (row.mean_before, row.gradient_norm, row.parameters) == (None, None, {"beta": None, "a": 2.0})
    assert row.non_finite == ["gradient_norm", "mean_before", "parameters.beta"]
    assert (row.units, row.unchanged) == (2, False)


def test_record_epoch_gives_an_epoch_and_its_layers_one_revision(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    do(database, transitions.record_start, fence, [make_layer(0)])
    started = read_experiment(database, experiment).revision
    do(database, transitions.record_epoch, fence, make_epoch(1), [make_layer(1)])
    now = read_experiment(database, experiment)
    assert [row.revision for row in layers_of(database, experiment)] == [started, now.revision]
    assert [row.epoch for row in layers_of(database, experiment, since=started)] == [1]
    assert now.epochs_done == 1


def test_of_experiment_selects_layers_by_name(database: Database, experiment: UUID) -> None:
    layers = [make_layer(1, name) for name in ("conv1", "conv2", "dense1")]
    do(database, transitions.record_epoch, claimed(database), make_epoch(1), layers)
    selected = layers_of(database, experiment, layers=["dense1", "conv1"])
    assert [row.layer for row in selected] == ["conv1", "dense1"]


def test_upsert_replaces_layers_of_the_same_attempt(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    for share in (0.4, 0.6):
        do(database, transitions.record_epoch, fence, make_epoch(1), [make_layer(1, zero_share=share)])
    assert [row.zero_share for row in layers_of(database, experiment)] == [0.6]


def test_older_attempt_does_not_overwrite_layers(database: Database, experiment: UUID) -> None:
    do(database, diagnostics.upsert, experiment, 2, [make_layer(1, zero_share=0.2)])
    do(database, diagnostics.upsert, experiment, 1, [make_layer(1, zero_share=0.1)])
    assert [row.zero_share for row in layers_of(database, experiment)] == [0.2]


def test_claim_deletes_layers_past_the_checkpoint_and_keeps_epoch_0(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    do(database, transitions.record_start, fence, [make_layer(0)])
    for epoch in (1, 2, 3):
        do(database, transitions.record_epoch, fence, make_epoch(epoch), [make_layer(epoch)])
    do(database, transitions.record_checkpoint, fence, Checkpoint(2, 20, "file", "sha"))
    assert lose(database, experiment)
    claim(database, "w2")
    assert [row.epoch for row in layers_of(database, experiment)] == [0, 1, 2]


def test_remove_deletes_the_layers_of_an_experiment(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    do(database, transitions.record_start, fence, [make_layer(0)])
    do(database, transitions.release, fence)
    do(database, lambda s: transitions.request_cancel(s, Experiment.id == experiment))
    assert do(database, experiments.remove, experiment)
    assert layers_of(database, experiment) == []


def test_of_experiments_orders_layers_by_experiment_epoch_and_position(database: Database) -> None:
    ids = [do(database, make_experiment).id for _ in range(3)]
    for id in reversed(ids):
        do(database, diagnostics.upsert, id, 1, [make_layer(1), make_layer(0, "dense1"), make_layer(0)])
    with database.read() as session:
        rows = diagnostics.of_experiments(session, ids[:2])
    expected = [(id, epoch, layer) for id in ids[:2] for epoch, layer in ((0, "conv1"), (0, "dense1"), (1, "conv1"))]
    assert [(row.experiment_id, row.epoch, row.layer) for row in rows] == expected


def test_upsert_of_several_layers_stores_the_bits_that_upserts_of_one_store(
    database: Database, experiment: UUID
) -> None:
    awkward = {"zero_share": 1 / 3, "mean_before": -0.0, "sd_before": 5e-324, "gradient_norm": 1.7976931348623157e308,
               "mean_after": None, "unchanged": None, "parameters": {"beta": 0.1 + 0.2}}  # fmt: skip
    layers = [make_layer(1, name, **awkward) for name in ("conv1", "output")]
    fence = claimed(database)
    do(database, transitions.record_epoch, fence, make_epoch(1), layers)
    together = [as_text(row) for row in layers_of(database, experiment)]
    for layer in layers:  # each replaces what is stored
        do(database, transitions.record_epoch, fence, make_epoch(1), [layer])
    assert [as_text(row) for row in layers_of(database, experiment)] == together
    assert [text.count("5e-324") for text in together] == [1, 1]


def as_text(row: Layer) -> str:
    return repr(type(make_layer()).model_validate(row, extra="ignore"))
