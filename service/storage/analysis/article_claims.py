"""The observations that article claims are decided by: every run of a study with its final figures."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from service.domain.article_claims.layers import STEP
from service.domain.article_claims.observations import Fields, Layers, Observations, Observed, fields, tuned
from service.domain.comparisons.machines import machine_name
from service.domain.comparisons.refusals import TooManyObservations
from service.domain.status import Cause, Status
from service.storage.analysis.comparisons import specs_of
from service.storage.records.experiments import Filter
from service.storage.tables.diagnostics import Layer
from service.storage.tables.experiments import Experiment, Result
from service.storage.tables.studies import Study

MOST_EXPERIMENTS = 20_000

MEASURES = ("units", "zero_share", "saturated_share", "dead_share_confirmed", "inactive_share", "gradient_norm",
            "gradient_rms", "unchanged")  # fmt: skip

FIGURES = (
    Experiment.id, Experiment.condition, Experiment.seed, Experiment.status, Experiment.cause, Experiment.test_accuracy,
    Experiment.early_loss, Experiment.images_per_second, Experiment.device, Experiment.device_name,
    Experiment.threads, Experiment.precision, Experiment.code,
    Experiment.started_at, Experiment.finished_at, Experiment.epochs_done, Result.collapse,
)  # fmt: skip


def observe(session: Session, study: UUID, filters: Filter | None = None) -> Observations:
    """Return the runs of a study in any status, or those of them that `filters` select.

    Raises TooManyObservations for more than MOST_EXPERIMENTS.
    """
    conditions = (filters or Filter(studies=(study,))).conditions()
    query = select(*FIGURES).outerjoin(Result, Result.experiment_id == Experiment.id)
    rows = session.execute(query.where(*conditions).limit(MOST_EXPERIMENTS + 1)).all()
    if len(rows) > MOST_EXPERIMENTS:
        raise TooManyObservations(MOST_EXPERIMENTS, study)
    specs = specs_of(session, {row.condition for row in rows})
    named = {condition: fields(spec) for condition, spec in specs.items()}
    if session.execute(select(Study.tuned_at).where(Study.id == study)).scalar_one() is not None:
        named = {condition: tuned(own) for condition, own in named.items()}
    layers = _layers(session, conditions)
    return Observations([_observed(row, named, layers.get(row.id, {})) for row in rows])


def _layers(session: Session, conditions: Sequence[ColumnElement[bool]]) -> dict[UUID, Layers]:
    """Return the measures of layers by experiment, from the input on, of the first epoch and the last.

    Those of step networks are of every epoch.
    """
    epochs = or_(Layer.epoch == 0, Layer.epoch == Experiment.epochs_done, Experiment.activation == STEP)
    measures = (getattr(Layer, name) for name in MEASURES)
    rows = session.execute(
        select(Layer.experiment_id, Layer.epoch, Layer.layer, *measures)
        .join(Experiment, Experiment.id == Layer.experiment_id)
        .where(*conditions, epochs)
        .order_by(Layer.experiment_id, Layer.epoch, Layer.position)
    )
    layers: dict[UUID, dict[int, dict[str, Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(dict))
    for experiment, epoch, layer, *figures in rows:
        layers[experiment][epoch][layer] = dict(zip(MEASURES, figures, strict=True))
    return {experiment: dict(by_epoch) for experiment, by_epoch in layers.items()}


def _observed(row: Any, named: Mapping[str, Fields], layers: Layers) -> Observed:
    succeeded = row.status == Status.SUCCEEDED
    return Observed(
        id=row.id.hex,
        seed=row.seed,
        status=Status(row.status),
        cause=None if row.cause is None else Cause(row.cause),
        value=row.test_accuracy,
        unmeasured=True,
        fields=named[row.condition],
        test_accuracy=row.test_accuracy,
        learning_speed=math.log(row.early_loss) if row.early_loss else None,
        images_per_second=row.images_per_second,
        machine=(row.device, row.precision, row.code) if succeeded else None,
        hardware=machine_name(row.device, row.device_name, row.threads) if succeeded else None,
        started=row.started_at,
        finished=row.finished_at,
        epochs=row.epochs_done,
        layers=layers,
        largest_difference=None if row.collapse is None else row.collapse["largest_difference"],
    )
