"""Tables of experiments, with their tags, attempts and results.

The constraints hold what must always be true, so that a defect in the code becomes an error and not a wrong figure.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.domain.status import Cause, Outcome, Status
from service.storage.engine.clock import now
from service.storage.tables.base import Base, new_id, one_of, only


class Experiment(Base):
    """An experiment: its spec, its entry in the queue, its lease and its final figures."""

    __tablename__ = "experiments"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    principal: Mapped[str]
    study_id: Mapped[UUID | None] = mapped_column(ForeignKey("studies.id"))
    # Set null when the older experiment is deleted: a retry stands on its own.
    retry_of: Mapped[UUID | None] = mapped_column(ForeignKey("experiments.id", ondelete="SET NULL"), index=True)
    name: Mapped[str | None]
    notes: Mapped[str | None]

    # The spec, followed by copies of some of its fields, by which lists filter and group.
    spec: Mapped[dict[str, Any]]
    spec_version: Mapped[int]
    activation: Mapped[str]
    dataset: Mapped[str]
    seed: Mapped[int] = mapped_column(BigInteger)
    epochs: Mapped[int | None]
    batch_size: Mapped[int | None]
    dropout_conv: Mapped[float | None]
    dropout_dense: Mapped[float | None]
    learning_rate: Mapped[float | None]
    # Hash of the spec without its seed: experiments with equal hashes differ by chance alone.
    condition: Mapped[str]

    # Its place in the life cycle.
    status: Mapped[str] = mapped_column(default=Status.QUEUED)
    cause: Mapped[str | None]
    detail: Mapped[str | None]
    priority: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(default=0)
    lost_count: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)

    # The checkpoint: the epochs completed and steps done when the file was written.
    checkpoint_epoch: Mapped[int | None]
    checkpoint_step: Mapped[int | None]
    checkpoint_path: Mapped[str | None]
    checkpoint_sha256: Mapped[str | None]
    # The furthest step of any checkpoint; unlike the four columns above it survives a start from the beginning.
    furthest_step: Mapped[int | None]
    # Device kind, precision, threads and torch of the first attempt; later attempts use the same.
    execution: Mapped[dict[str, Any] | None]

    # Final figures, written once at the end, except epochs_done.
    epochs_done: Mapped[int] = mapped_column(default=0)
    test_accuracy: Mapped[float | None]
    test_loss: Mapped[float | None]
    best_epoch: Mapped[int | None]
    best_test_accuracy: Mapped[float | None]
    best_test_loss: Mapped[float | None]
    # Of the last epoch, and of `best_epoch`; the two that choices are made by.
    validation_accuracy: Mapped[float | None]
    validation_loss: Mapped[float | None]
    best_validation_accuracy: Mapped[float | None]
    best_validation_loss: Mapped[float | None]
    seconds: Mapped[float | None]
    # Mean validation loss at 20 even checks within epochs 1 and 2; its logarithm is the speed of learning.
    early_loss: Mapped[float | None]
    images_per_second: Mapped[float | None]  # median over the epochs
    device: Mapped[str | None]
    device_name: Mapped[str | None]
    threads: Mapped[int | None]
    precision: Mapped[str | None]
    code: Mapped[str | None]

    edit_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    # Since when lists leave it out. Archived with its study, it has the time of the study.
    archived_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(BigInteger, default=0, index=True)

    tag_rows: Mapped[list["Tag"]] = relationship(lazy="raise", cascade="all, delete-orphan", passive_deletes=True)

    @property
    def tags(self) -> list[str]:
        return sorted(row.tag for row in self.tag_rows)

    @property
    def remedy(self) -> str | None:
        return None if self.cause is None else Cause(self.cause).remedy

    __table_args__ = (
        one_of("status", Status),
        one_of("cause", Cause),
        CheckConstraint("(status = 'running') = (owner IS NOT NULL AND lease_until IS NOT NULL)", name="lease"),
        CheckConstraint("(status IN ('failed', 'cancelled')) = (cause IS NOT NULL)", name="cause_when_ended_badly"),
        CheckConstraint("(status = 'cancelled') = (cause = 'cancelled')", name="cancelled_is_its_own_cause"),
        CheckConstraint(
            "(status IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)",
            name="finished_when_terminal",
        ),
        CheckConstraint("NOT (status = 'succeeded' AND cancel_requested)", name="no_success_after_cancel"),
        CheckConstraint("status <> 'succeeded' OR test_accuracy IS NOT NULL", name="success_has_figures"),
        CheckConstraint("test_accuracy >= 0 AND test_accuracy <= 1", name="test_accuracy"),
        CheckConstraint("priority >= 0 AND priority <= 9", name="priority"),
        CheckConstraint("attempt >= 0 AND lost_count >= 0 AND epochs_done >= 0", name="counts"),
        CheckConstraint(
            "(checkpoint_path IS NULL) = (checkpoint_sha256 IS NULL)"
            " AND (checkpoint_path IS NULL) = (checkpoint_step IS NULL)"
            " AND (checkpoint_path IS NULL) = (checkpoint_epoch IS NULL)",
            name="checkpoint_whole",
        ),
        # The claim reads only queued rows, in this order; the reaper and the worker only running ones.
        Index("ix_experiments_queue", "priority", "id", **only("status = 'queued'")),
        Index("ix_experiments_running", "owner", **only("status = 'running'")),
        Index("ix_experiments_status_id", "status", "id"),
        Index("ix_experiments_study_id_status", "study_id", "status"),
        Index("ix_experiments_study_id_id", "study_id", "id"),
        Index("ix_experiments_activation_dataset_id", "activation", "dataset", "id"),
        Index("ix_experiments_activation_dataset_test_accuracy", "activation", "dataset", "test_accuracy", "id"),
        Index("ix_experiments_activation_id", "activation", "id"),
        Index("ix_experiments_activation_test_accuracy", "activation", "test_accuracy", "id"),
        Index("ix_experiments_activation_validation_accuracy", "activation", "validation_accuracy", "id"),
        Index("ix_experiments_test_accuracy_id", "test_accuracy", "id"),
        Index("ix_experiments_validation_accuracy_id", "validation_accuracy", "id"),
        Index("ix_experiments_condition_seed", "condition", "seed"),
        Index("ix_experiments_principal_id", "principal", "id"),
        Index("ix_experiments_archived", "id", **only("archived_at IS NOT NULL")),
    )  # fmt: skip


class Tag(Base):
    __tablename__ = "experiment_tags"

    tag: Mapped[str] = mapped_column(primary_key=True)
    experiment_id: Mapped[UUID] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True)

    __table_args__ = (Index("ix_experiment_tags_experiment_id", "experiment_id"),)


class Result(Base):
    """The test scores of a succeeded experiment; the primary key makes a second completion impossible."""

    __tablename__ = "results"

    experiment_id: Mapped[UUID] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int]
    last: Mapped[dict[str, Any]]
    best: Mapped[dict[str, Any]]
    # One bit per test image, packed, most significant bit first.
    last_correct: Mapped[bytes] = mapped_column(LargeBinary)
    best_correct: Mapped[bytes] = mapped_column(LargeBinary)
    per_class: Mapped[list[Any]]
    confusion_matrix: Mapped[list[Any]]
    fingerprint: Mapped[dict[str, Any]]
    collapse: Mapped[dict[str, Any] | None]  # of networks all of whose layers are linear
    weights_path: Mapped[str | None]
    # SHA-256 of the weights and predictions; null for results of 0.1.0.
    checksum: Mapped[str | None]


class Attempt(Base):
    __tablename__ = "attempts"

    experiment_id: Mapped[UUID] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    worker: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(default=now())
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    cause: Mapped[str | None]
    detail: Mapped[str | None]
    epochs: Mapped[int] = mapped_column(default=0)
    log_tail: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        one_of("outcome", Outcome),
        one_of("cause", Cause),
        CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="ended_with_an_outcome"),
        Index("ix_attempts_ended_at", "ended_at"),
        Index("ix_attempts_lost", "experiment_id", **only("outcome = 'lost'")),
    )


class Trace(Base):
    """A transition, written in its own transaction where tests enable the trace; `seq` is the order."""

    __tablename__ = "lifecycle_trace"

    seq: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[UUID]
    attempt: Mapped[int]
    transition: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now())

    __table_args__ = (Index("ix_lifecycle_trace_experiment_id", "experiment_id", "seq"),)
