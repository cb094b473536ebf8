"""Examples of answers, for readers of the OpenAPI document: one experiment and one study seen from every route. What
is sent has its examples beside its own bounds, in service.domain."""

from collections.abc import Mapping
from typing import Any

from service.api.openapi.comparison_examples import CLAIMS, COMPARISON, CURVES
from service.api.schemas.diagnostics import DIAGNOSTICS
from service.api.views.activations import EXAMPLES as ACTIVATION_EXAMPLES
from service.domain.workers import WorkerMemory

_STUDY_ID = "0198c1d2-7e4f-7a31-8b0c-5d6e7f809102"

EXPERIMENT: dict[str, Any] = {
    "id": "0198c1d2-7e51-7c44-9f3a-1b2c3d4e5f60",
    "name": "swish, quick look",
    "status": "succeeded",
    "cause": None,
    "detail": None,
    "remedy": None,
    "waiting_reason": None,
    "queue_position": None,
    "cancel_requested": False,
    "attempt": 1,
    "lost_count": 0,
    "study_id": _STUDY_ID,
    "activation_label": "swish",
    "spec": {
        "activation": {"name": "swish", "parameters": {"beta": {"value": 1.0, "learnable": False}}},
        "dataset": "mnist_5k",
        "epochs": 3,
        "model": {
            "conv_channels": [32, 64],
            "dense_units": 128,
            "dense_layers": 1,
            "batch_norm": True,
            "pool": "max",
            "init": "glorot_uniform",
        },
        "batch_size": 128,
        "dropout": {"conv": 0.25, "dense": 0.5},
        "seed": 0,
        "validation_fraction": 0.1,
        "train_samples": None,
        "classes": None,
        "optimizer": {"name": "adam", "learning_rate": 0.001, "momentum": 0.0, "l2": 1e-05},
        "schedule": "reduce_on_plateau",
        "max_seconds": None,
        "output": "softmax",
        "early_stopping": None,
        "precision": "auto",
        "diagnostics": True,
    },
    "tags": ["quick"],
    "notes": None,
    "priority": 0,
    "epochs_done": 3,
    "test_accuracy": 0.961,
    "test_loss": 0.1274,
    "best_epoch": 3,
    "best_test_accuracy": 0.961,
    "best_test_loss": 0.1274,
    "seconds": 18.4,
    "early_loss": 0.4137,
    "images_per_second": 612.9,
    "retry_of": None,
    "edit_version": 1,
    "created_at": "2026-01-15T09:30:00Z",
    "started_at": "2026-01-15T09:30:01.250000Z",
    "finished_at": "2026-01-15T09:30:21.900000Z",
    "revision": 128,
}

METRICS: dict[str, Any] = {
    "items": [
        {
            "epoch": 3,
            "attempt": 1,
            "train_loss": 0.2213,
            "train_accuracy": 0.9336,
            "validation_loss": 0.1502,
            "validation_accuracy": 0.955,
            "l2": 0.0071,
            "learning_rate": 0.001,
            "seconds": 5.9,
            "images_per_second": 610.2,
            "non_finite": [],
        }
    ],
    "valid_through_epoch": 3,
    "revision": 128,
}

_SCORE = {"epoch": 3, "test_loss": 0.1274, "test_accuracy": 0.961, "interval": [0.947, 0.971]}

RESULT: dict[str, Any] = {
    "last": _SCORE,
    "best": _SCORE,
    "per_class": [
        {"label": 0, "support": 500, "precision": 0.97, "recall": 0.958, "f1": 0.964},
        {"label": 1, "support": 500, "precision": 0.952, "recall": 0.964, "f1": 0.958},
    ],
    "confusion_matrix": [[479, 21], [18, 482]],
    "fingerprint": {
        "torch": "2.13.0",
        "numpy": "2.4.6",
        "device": "cpu",
        "device_name": "Intel(R) Xeon(R) Platinum 8481C",
        "instruction_set": "AVX512",
        "threads": 8,
        "precision": "float32",
        "execution": "single",
        "code": "0.1.0",
        "mixed": False,
    },
    "collapse": None,
}

ATTEMPTS: dict[str, Any] = {
    "items": [
        {
            "attempt": 1,
            "worker": "lab-1:4711:0198c1d2",
            "started_at": "2026-01-15T09:30:01.250000Z",
            "ended_at": "2026-01-15T09:30:21.900000Z",
            "outcome": "succeeded",
            "cause": None,
            "detail": None,
            "epochs": 3,
            "log_tail": "epoch 3/3 validation accuracy 0.9550\n",
        }
    ]
}

STUDY: dict[str, Any] = {
    "id": _STUDY_ID,
    "name": "quick",
    "question": "Which activation learns best in three short epochs?",
    "preset": None,
    "base": {"dataset": "mnist_5k", "epochs": 3},
    "factors": {"activation": ["relu", "swish"]},
    "grids": [],
    "seeds": [0, 1, 2],
    "tuning": None,
    "tunes": None,
    "reuse": False,
    "activations": {},
    "experiments": 6,
    "progress": {"queued": 3, "running": 1, "succeeded": 2, "failed": 0, "cancelled": 0},
    "finished": False,
    "eta_seconds": 74.0,
    "cancelled_at": None,
    "edit_version": 1,
    "created_at": "2026-01-15T09:30:00Z",
    "revision": 131,
}

STUDY_PLAN: dict[str, Any] = {
    "cells": 2,
    "experiments": 6,
    "reused": 0,
    "tuning_experiments": 0,
    "train_seconds": 110.4,
    "seconds": 55.2,
    "workers": 2,
    "basis": "The pace of recent epochs of the same network and batch size, on the kinds of device that live workers"
    " have.",
}

WORKERS: dict[str, Any] = {
    "items": [
        {
            "id": "lab-1:4711:0198c1d2",
            "hostname": "lab-1",
            "pid": 4711,
            "device": "cpu",
            "device_name": "Intel(R) Xeon(R) Platinum 8481C",
            "memory": WorkerMemory(total=33_554_432_000, used=1_482_000_000).model_dump(),
            "status": "busy",
            "alive": True,
            "experiments": ["0198c1d2-7e53-7d10-a5b6-c7d8e9f00112"],
            "versions": {"actlab": "0.1.0", "torch": "2.13.0"},
            "started_at": "2026-01-15T09:00:00Z",
            "last_seen": "2026-01-15T09:31:07Z",
        }
    ]
}

QUEUE: dict[str, Any] = {
    "queued": 3,
    "running": 1,
    "oldest_queued_seconds": 67.0,
    "eta_seconds": 74.0,
    "by_priority": {"0": 3},
}

PROBLEM: dict[str, Any] = {
    "type": "about:blank",
    "title": "The request is not valid",
    "status": 422,
    "detail": "epochs: Should be greater than or equal to 1, got 0.",
    "code": "validation_error",
    "errors": [
        {
            "pointer": "/epochs",
            "detail": "Should be greater than or equal to 1, got 0",
            "code": "greater_than_equal",
        }
    ],
}

BY_SCHEMA: Mapping[str, dict[str, Any]] = {
    "ExperimentView": EXPERIMENT,
    "Page_ExperimentView_": {"items": [EXPERIMENT], "next_cursor": None},
    "MetricsView": METRICS,
    "DiagnosticsView": DIAGNOSTICS,
    "ResultView": RESULT,
    "AttemptsView": ATTEMPTS,
    "StudyView": STUDY,
    "Page_StudyView_": {"items": [STUDY], "next_cursor": None},
    "StudyPlan": STUDY_PLAN,
    "Comparison": COMPARISON,
    "Curves": CURVES,
    "Claims": CLAIMS,
    "WorkersView": WORKERS,
    "QueueView": QUEUE,
    **ACTIVATION_EXAMPLES,
    "Problem": PROBLEM,
}
