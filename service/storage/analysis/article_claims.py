"""What the claims are decided by: every run of a study with its final figures."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from service.domain.article_claims.layers import STEP
from service.domain.article_claims.observations import Fields, Layers, Observations, Observed, fields, tuned
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
    Experiment.early_loss, Experiment.images_per_second, Experiment.device, Experiment.precision, Experiment.code,
    Experiment.started_at, Experiment.finished_at, Experiment.epochs_done, Result.collapse,
)  # fmt: skip


def observe(session: Session, study: UUID, narrowed: Filter | None = None) -> Observations:
    """The runs of a study, whatever became of them, or those of them that are left when it is narrowed. Invalid for
    more than one answer is made of."""
    among = (narrowed or Filter(study=study)).conditions()
    found = select(*FIGURES).outerjoin(Result, Result.experiment_id == Experiment.id)
    rows = session.execute(found.where(*among).limit(MOST_EXPERIMENTS + 1)).all()
    if len(rows) > MOST_EXPERIMENTS:
        reason = f"The study holds more than {MOST_EXPERIMENTS:,} experiments, the most that claims are decided over"
        raise TooManyObservations(reason, str(study))
    specs = specs_of(session, {row.condition for row in rows})
    named = {condition: fields(spec) for condition, spec in specs.items()}
    if session.execute(select(Study.tuned_at).where(Study.id == study)).scalar_one() is not None:
        named = {condition: tuned(each) for condition, each in named.items()}
    inside = _layers(session, among)
    return Observations([_observed(row, named, inside.get(row.id, {})) for row in rows])


def _layers(session: Session, among: Sequence[ColumnElement[bool]]) -> dict[UUID, Layers]:
    """What the claims read of the layers, by experiment, from the input on: of the first epoch and the last, and of
    step networks of every epoch."""
    wanted = or_(Layer.epoch == 0, Layer.epoch == Experiment.epochs_done, Experiment.activation == STEP)
    measures = (getattr(Layer, name) for name in MEASURES)
    rows = session.execute(
        select(Layer.experiment_id, Layer.epoch, Layer.layer, *measures)
        .join(Experiment, Experiment.id == Layer.experiment_id)
        .where(*among, wanted)
        .order_by(Layer.experiment_id, Layer.epoch, Layer.position)
    )
    found: dict[UUID, dict[int, dict[str, Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(dict))
    for experiment, epoch, layer, *figures in rows:
        found[experiment][epoch][layer] = dict(zip(MEASURES, figures, strict=True))
    return {experiment: dict(epochs) for experiment, epochs in found.items()}


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
        started=row.started_at,
        finished=row.finished_at,
        epochs=row.epochs_done,
        layers=layers,
        largest_difference=None if row.collapse is None else row.collapse["largest_difference"],
    )
