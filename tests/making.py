"""Results, figures and heartbeats for tests that train nothing."""

from typing import Any
from uuid import uuid4

import numpy as np

from service.domain.diagnostics import LayerDiagnostics
from service.domain.results import EpochMetrics, Fingerprint, Score, TestResult
from service.domain.workers import WorkerMemory
from service.storage.records.results import FinishedRun
from service.storage.records.workers import Heartbeat


def make_epoch(epoch: int = 1, **fields: Any) -> EpochMetrics:
    figures = {
        "train_loss": 0.5, "train_accuracy": 0.8, "validation_loss": 0.4, "validation_accuracy": 0.9, "l2": 0.01,
        "learning_rate": 1e-3, "seconds": 1.0, "images_per_second": 1000.0,
    }  # fmt: skip
    return EpochMetrics(**{"epoch": epoch, **figures, **fields})


def make_layer(epoch: int = 1, layer: str = "conv1", **fields: Any) -> LayerDiagnostics:
    position = {"conv1": 0, "conv2": 1, "dense1": 2, "output": 3}[layer]
    figures = {"units": 32, "zero_share": 0.5, "gradient_norm": 0.1}
    return LayerDiagnostics(**{"epoch": epoch, "layer": layer, "position": position, **figures, **fields})


def make_fingerprint(**fields: Any) -> Fingerprint:
    known = {
        "torch": "2.13.0", "numpy": "2.4.6", "device": "cpu", "device_name": "test", "instruction_set": "none",
        "threads": 1, "precision": "float32", "code": "0.1.0",
    }  # fmt: skip
    return Fingerprint(**{**known, **fields})


OF_ITS_OWN = "of its own"
"""Runs with the same figures are still different runs, unless a test says otherwise."""


def make_run(
    accuracy: float = 0.97,
    *,
    seconds: float = 3.0,
    early_loss: float | None = 0.4,
    images: int = 10,
    correct: bytes | None = None,
    last_epoch: int = 3,
    best_epoch: int | None = None,
    checksum: str | None = OF_ITS_OWN,
    **fingerprint: Any,
) -> FinishedRun:
    """A finished run over `images` test images; `correct` has a bit for each, by default ones."""
    correct = np.packbits(np.ones(images, dtype=bool)).tobytes() if correct is None else correct
    score = Score(epoch=last_epoch, test_loss=0.1, test_accuracy=accuracy, interval=(0.9, 1.0), correct=correct)
    result = TestResult(
        last=score,
        best=score.model_copy(update={"epoch": best_epoch or last_epoch}),
        per_class=[],
        confusion_matrix=[[images - images // 2, 0], [0, images // 2]],
        fingerprint=make_fingerprint(**fingerprint),
        epochs_trained=last_epoch,
        seconds=seconds,
        early_loss=early_loss,
        checksum=uuid4().hex if checksum == OF_ITS_OWN else checksum,
    )
    return FinishedRun(result, weights=None)


def make_heartbeat(id: str, **fields: Any) -> Heartbeat:
    known = {
        "hostname": "host", "pid": 1, "device": "cpu", "device_name": "a processor", "memory": WorkerMemory(),
        "versions": {"torch": "2.13.0"},
    }  # fmt: skip
    return Heartbeat(**{"id": id, **known, **fields})
