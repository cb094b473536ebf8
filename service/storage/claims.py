"""What the claims are decided by: every run of a study with its final figures."""

import math
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain.claims.observations import Fields, Observations, Observed, fields
from service.domain.errors import FieldProblem, Invalid
from service.domain.status import Cause, Status
from service.storage.comparisons import specs_of
from service.storage.tables import Experiment

MOST_EXPERIMENTS = 20_000

FIGURES = (
    Experiment.id, Experiment.condition, Experiment.seed, Experiment.status, Experiment.cause, Experiment.test_accuracy,
    Experiment.early_loss, Experiment.images_per_second, Experiment.device, Experiment.precision, Experiment.code,
    Experiment.started_at, Experiment.finished_at, Experiment.epochs_done,
)  # fmt: skip


def observe(session: Session, study: UUID) -> Observations:
    """The runs of a study, whatever became of them. Invalid for more than one answer is made of."""
    rows = session.execute(select(*FIGURES).where(Experiment.study_id == study).limit(MOST_EXPERIMENTS + 1)).all()
    if len(rows) > MOST_EXPERIMENTS:
        reason = f"The study holds more than {MOST_EXPERIMENTS:,} experiments, the most that claims are decided over"
        raise Invalid(f"{reason}.", errors=[FieldProblem("id", reason, "too_many", str(study))])
    named = {condition: fields(spec) for condition, spec in specs_of(session, {row.condition for row in rows}).items()}
    return Observations([_observed(row, named) for row in rows])


def _observed(row: Any, named: Mapping[str, Fields]) -> Observed:
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
    )
