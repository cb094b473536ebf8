"""Records of test results, and the figures copied onto the experiment's row for lists and comparisons."""

from dataclasses import dataclass
from statistics import median
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from service.domain.results import TestResult
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Result

SERVED = {"last", "best", "per_class", "confusion_matrix", "fingerprint", "collapse", "checksum"}


@dataclass(frozen=True)
class FinishedRun:
    """The result of a finished run. `weights` is the folder of last.safetensors and best.safetensors."""

    result: TestResult
    weights: str | None


def figures(session: Session, experiment: UUID, run: FinishedRun) -> dict[str, Any]:
    """Return the columns of the experiment's row that a success sets.

    The pace is a median, because on a shared machine a single epoch may take several times as long.
    """
    result, epochs = run.result, _epochs(session, experiment)
    paces = [epoch.images_per_second for epoch in epochs.values()]
    last, best = epochs.get(result.last.epoch), epochs.get(result.best.epoch)
    return {
        "test_accuracy": result.last.test_accuracy,
        "test_loss": result.last.test_loss,
        "best_epoch": result.best.epoch,
        "best_test_accuracy": result.best.test_accuracy,
        "best_test_loss": result.best.test_loss,
        "validation_accuracy": None if last is None else last.validation_accuracy,
        "validation_loss": None if last is None else last.validation_loss,
        "best_validation_accuracy": None if best is None else best.validation_accuracy,
        "best_validation_loss": None if best is None else best.validation_loss,
        "seconds": result.seconds,
        "early_loss": result.early_loss,
        "images_per_second": median(paces) if paces else None,
        "device": result.fingerprint.device,
        "device_name": result.fingerprint.device_name,
        "threads": result.fingerprint.threads,
        "precision": result.fingerprint.precision,
        "code": result.fingerprint.code,
    }


def _epochs(session: Session, experiment: UUID) -> dict[int, Row[int, float, float | None, float | None]]:
    columns = (Epoch.epoch, Epoch.images_per_second, Epoch.validation_accuracy, Epoch.validation_loss)
    rows = session.execute(select(*columns).where(Epoch.experiment_id == experiment))
    return {row.epoch: row for row in rows}


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
