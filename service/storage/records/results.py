"""Records of test results, and the figures copied onto the experiment's row for lists and comparisons."""

from dataclasses import dataclass
from statistics import median
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.domain.results import TestResult
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Result

SERVED = {"last", "best", "per_class", "confusion_matrix", "fingerprint", "collapse"}


@dataclass(frozen=True)
class FinishedRun:
    """The result of a finished run. `weights` is the folder of last.safetensors and best.safetensors."""

    result: TestResult
    weights: str | None


def figures(session: Session, experiment: UUID, run: FinishedRun) -> dict[str, Any]:
    """Return the columns of the experiment's row that a success sets.

    The pace is a median, because on a shared machine a single epoch may take several times as long.
    """
    result = run.result
    paces = session.scalars(select(Epoch.images_per_second).where(Epoch.experiment_id == experiment)).all()
    return {
        "test_accuracy": result.last.test_accuracy,
        "test_loss": result.last.test_loss,
        "best_epoch": result.best.epoch,
        "best_test_accuracy": result.best.test_accuracy,
        "best_test_loss": result.best.test_loss,
        "seconds": result.seconds,
        "early_loss": result.early_loss,
        "images_per_second": median(paces) if paces else None,
        "device": result.fingerprint.device,
        "precision": result.fingerprint.precision,
        "code": result.fingerprint.code,
    }


def insert(session: Session, experiment: UUID, attempt: int, run: FinishedRun) -> None:
    result = run.result
    columns = result.model_dump(mode="json", include=SERVED)
    session.add(
        Result(
            experiment_id=experiment,
            attempt=attempt,
            last_correct=result.last.correct,
            best_correct=result.best.correct,
            weights_path=run.weights,
            **columns,
        )
    )


def of_experiment(session: Session, experiment: UUID) -> Result | None:
    return session.get(Result, experiment)
