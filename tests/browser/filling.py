"""Fill a database with studies whose figures look like training, since training as many as pages need takes hours."""

import math
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from sqlalchemy import insert, select

from service.domain.diagnostics import LayerDiagnostics
from service.domain.results import ClassFigures, EpochMetrics, Score, TestResult
from service.domain.spec import ExperimentSpec
from service.domain.status import Cause, Status
from service.domain.study import StudySpec
from service.storage.engine.database import Database
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.queue import transitions
from service.storage.queue.leases import Fence
from service.storage.records import diagnostics, epochs
from service.storage.records.results import FinishedRun
from service.storage.studies import records as studies
from service.storage.tables.base import new_id, table_of
from service.storage.tables.experiments import Experiment
from service.usecases import rankings
from tests.making import make_epoch, make_fingerprint

Json = dict[str, Any]
Accuracy = Callable[[ExperimentSpec], float]

LEASE_SECONDS = 3600
LONG_LEASES = {"ACTLAB_LEASE_SECONDS": str(LEASE_SECONDS)}
"""Settings of a service over such a database. With shorter leases it would requeue the experiments that run."""

IMAGES = 1000
LAYERS = ["conv1", "conv2", "dense1", "output"]
FIVE = ["relu", "sigmoid", "tanh", "leaky_relu", "swish"]
_ONE_FACTOR: Json = {"base": {"dataset": "mnist_5k", "epochs": 8}, "factors": {"activation": FIVE}}
_GRID: Json = {"activation": ["relu", "swish", "tanh"], "dropout": [0, 0.25], "batch_size": [64, 256]}
_TUNED: Json = {
    "base": {"dataset": "mnist_5k", "epochs": 4, "diagnostics": False},
    "factors": {"activation": ["relu", "swish", "softsign"]},
    "seeds": [0, 1],
    "tuning": {"rates": [0.001, 0.003, 0.01], "seeds": [1000]},
}
FILLED: list[tuple[Json, Json]] = [
    ({**_ONE_FACTOR, "name": "five", "question": "Which learns best?", "seeds": [0, 1, 2, 3, 4]}, {}),
    (
        {
            "name": "one",
            "base": {"dataset": "mnist_5k", "epochs": 5},
            "factors": {"activation": ["relu"]},
            "seeds": [0],
        },
        {},
    ),
    ({"name": "grid", "base": {"dataset": "mnist_5k", "epochs": 4}, "factors": _GRID}, {}),
    ({**_TUNED, "name": "tuned"}, {}),
    ({**_ONE_FACTOR, "name": "half way"}, {"finished": 9, "running": 2}),
]
"""Bodies of studies, each with the other arguments of `fill`."""

USUAL_RATE = 0.001
RATES = {"relu": 0.003, "swish": 0.01}
"""The best learning rate of each activation of the study that tunes; every other activation diverges."""

LIMITS = {"relu": 0.962, "leaky_relu": 0.961, "swish": 0.963, "tanh": 0.942, "sigmoid": 0.9}
"""The limit of each activation's accuracy; others get a value between."""


PACE = {"relu": 0.9, "swish": 1.2, "sigmoid": 1.1}
"""The training time of some activations against the others'."""


class Filled(NamedTuple):
    study: UUID
    running: list[tuple[Fence, ExperimentSpec]]


def fill(
    database: Database,
    body: Json,
    *,
    finished: int | None = None,
    running: int = 0,
    accuracy: Accuracy | None = None,
) -> Filled:
    """Create a study whose first `finished` experiments (default: all) succeeded and next `running` are half trained.

    `accuracy` gives the test accuracy of each; without it they get those of their curves. Nothing else may be queued.
    """
    spec = StudySpec.model_validate(body)
    submissions = spec.tuning_experiments() or spec.experiments()
    with database.write("fill") as session:
        id = studies.create(session, "local", spec, submissions, new_id()).id
    done = len(submissions) if finished is None else finished
    claims = _claim(database, done + running)
    with database.write("fill") as session:
        for fence, experiment in claims[:done]:
            _end(session, fence, experiment, accuracy, tuned=spec.tuning is not None)
        for fence, experiment in claims[done:]:
            _train(session, fence, experiment, experiment.epochs // 2)
    if spec.tuning is not None and finished is None:
        _rank(database, id)
    return Filled(id, claims[done:])


def multiply(database: Database, count: int, *, per_day: int = 700) -> None:
    """Copy the succeeded experiments of a database, without their epochs, until there are `count` in all.

    The copies belong to no study, have accuracies that differ a little, and were created over the days before.
    """
    table = table_of(Experiment)
    with database.write("multiply") as session:
        rows = [dict(row._mapping) for row in session.execute(select(table))]
        succeeded = [row for row in rows if row["status"] == Status.SUCCEEDED]
        copies = [_copy(succeeded[place % len(succeeded)], place, per_day) for place in range(count - len(rows))]
        session.execute(insert(table), copies)


def _copy(row: Json, place: int, per_day: int) -> Json:
    shift = 0.004 * math.sin(1.7 * place)
    return row | {
        "id": new_id(),
        "study_id": None,
        "test_accuracy": min(1.0, row["test_accuracy"] + shift),
        "created_at": row["created_at"] - timedelta(days=place / per_day),
    }


def _claim(database: Database, count: int) -> list[tuple[Fence, ExperimentSpec]]:
    with database.write("fill") as session:
        claims = transitions.claim(session, "filler", count, LEASE_SECONDS) if count else []
        return [(claim.fence, ExperimentSpec.model_validate(claim.spec)) for claim in claims]


def _rank(database: Database, study: UUID) -> None:
    """Choose the rates of a study whose trials have ended, and finish its ranking."""
    with database.write("fill") as session:
        ranked = rankings.start(session, study, make_fingerprint().code)
    claims = _claim(database, ranked)
    with database.write("fill") as session:
        for fence, spec in claims:
            _succeed(session, fence, spec, None)


def _end(session: UnitOfWork, fence: Fence, spec: ExperimentSpec, accuracy: Accuracy | None, *, tuned: bool) -> None:
    if tuned and spec.activation.label not in RATES:
        transitions.fail(session, fence, Cause.DIVERGED, "The loss became NaN in epoch 1.")
    else:
        _succeed(session, fence, spec, accuracy)


def _succeed(session: UnitOfWork, fence: Fence, spec: ExperimentSpec, accuracy_of: Accuracy | None) -> None:
    epochs = spec.epochs
    _train(session, fence, spec, epochs)
    last = make_figures(spec, epochs)
    accuracy = accuracy_of(spec) if accuracy_of is not None else last.validation_accuracy or 0.0
    score = Score(
        epoch=epochs,
        test_loss=last.validation_loss,
        test_accuracy=accuracy,
        interval=(accuracy - 0.01, min(1.0, accuracy + 0.01)),
        correct=_correct(spec, accuracy),
    )
    result = TestResult(
        last=score,
        best=score,
        per_class=[
            ClassFigures(label=n, support=100, precision=accuracy, recall=accuracy, f1=accuracy) for n in range(10)
        ],
        confusion_matrix=list(_confusion(spec.seed, accuracy)),
        fingerprint=make_fingerprint(),
        epochs_trained=epochs,
        seconds=2.0 * epochs * PACE.get(spec.activation.label, 1.0) * (1 + 0.01 * math.sin(2.3 * spec.seed)),
        early_loss=last.train_loss,
    )
    transitions.succeed(session, fence, FinishedRun(result, weights=None))


def _train(session: UnitOfWork, fence: Fence, spec: ExperimentSpec, last: int) -> None:
    for epoch in range(1, last):
        epochs.upsert(session, fence.id, fence.attempt, make_figures(spec, epoch))
    if spec.diagnostics:
        inside = [make_layer(epoch, position) for epoch in range(last + 1) for position in range(len(LAYERS))]
        diagnostics.upsert(session, fence.id, fence.attempt, inside)
    transitions.record_epoch(session, fence, make_figures(spec, last))  # earlier epochs have no revision of their own


def make_figures(spec: ExperimentSpec, epoch: int) -> EpochMetrics:
    """Return an epoch of a curve that rises towards the activation's limit, shifted a little for each seed."""
    label = spec.activation.label
    limit = LIMITS.get(label, 0.93 + 0.02 * math.sin(len(label)))
    limit += _gain(spec.optimizer.learning_rate or USUAL_RATE, RATES.get(label, USUAL_RATE))
    limit += 0.004 * math.sin(7.3 * spec.seed + len(label)) - 0.002 * spec.dropout.conv
    accuracy = limit - 0.35 * math.exp(-epoch / 2.5) + 0.001 * math.sin(5.1 * epoch + spec.seed)
    loss = 3.2 * (1 - accuracy)
    return make_epoch(
        epoch,
        train_loss=1.3 * loss,
        train_accuracy=accuracy - 0.02,
        validation_loss=loss,
        validation_accuracy=accuracy,
        seconds=2.0,
    )


def _gain(rate: float, best: float) -> float:
    """Return the change in accuracy against the usual learning rate."""
    return 0.01 * (math.log10(USUAL_RATE / best) ** 2 - math.log10(rate / best) ** 2)


def make_layer(epoch: int, position: int) -> LayerDiagnostics:
    """Return a layer whose zeros and gradients change a little, and whose saturation is not defined."""
    return LayerDiagnostics(
        epoch=epoch,
        layer=LAYERS[position],
        position=position,
        units=32,
        zero_share=0.5 + 0.02 * position - 0.01 * math.sin(epoch),
        inactive_share=0.01 * position,
        gradient_norm=10 ** (-0.1 * epoch - 0.3 * position),
        gradient_rms=10 ** (-2 - 0.1 * epoch - 0.3 * position),
        parameters={"slope": 0.25 + 0.01 * epoch * position},
    )


def _correct(spec: ExperimentSpec, accuracy: float) -> bytes:
    """Return a bit for each test image. Seeds of one activation share most of their errors; activations do not."""
    first = 97 * len(spec.activation.label) + 5 * spec.seed
    wrong = {(first + place) % IMAGES for place in range(round((1 - accuracy) * IMAGES))}
    return np.packbits([index not in wrong for index in range(IMAGES)]).tobytes()


def _confusion(seed: int, accuracy: float) -> Iterator[list[int]]:
    for true in range(10):
        wrong = round(100 * (1 - accuracy))
        row = [0] * 10
        row[true] = 100 - wrong
        row[(true + 3 + seed) % 10] += wrong
        yield row
