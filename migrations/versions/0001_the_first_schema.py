"""Create the first schema."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Json = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.create_table(
        "change_counter",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("database_id", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_change_counter_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_counter")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("principal", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"])

    op.create_table(
        "lifecycle_trace",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("experiment_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("transition", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_lifecycle_trace")),
    )
    op.create_index("ix_lifecycle_trace_experiment_id", "lifecycle_trace", ["experiment_id", "seq"])

    op.create_table(
        "studies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("preset", sa.Text(), nullable=True),
        sa.Column("base", Json, nullable=False),
        sa.Column("factors", Json, nullable=False),
        sa.Column("seeds", Json, nullable=False),
        sa.Column("edit_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hostname", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("device_name", sa.Text(), nullable=False),
        sa.Column("memory", Json, nullable=False),
        sa.Column("experiments", Json, nullable=False),
        sa.Column("versions", Json, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_index(op.f("ix_workers_last_seen"), "workers", ["last_seen"])

    op.create_table(
        "experiments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=True),
        sa.Column("retry_of", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("spec", Json, nullable=False),
        sa.Column("spec_version", sa.Integer(), nullable=False),
        sa.Column("activation", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lost_count", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("checkpoint_epoch", sa.Integer(), nullable=True),
        sa.Column("checkpoint_step", sa.Integer(), nullable=True),
        sa.Column("checkpoint_path", sa.Text(), nullable=True),
        sa.Column("checkpoint_sha256", sa.Text(), nullable=True),
        sa.Column("execution", Json, nullable=True),
        sa.Column("epochs_done", sa.Integer(), nullable=False),
        sa.Column("test_accuracy", sa.Double(), nullable=True),
        sa.Column("test_loss", sa.Double(), nullable=True),
        sa.Column("best_epoch", sa.Integer(), nullable=True),
        sa.Column("best_test_accuracy", sa.Double(), nullable=True),
        sa.Column("best_test_loss", sa.Double(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("precision", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("edit_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(status = 'cancelled') = (cause = 'cancelled')", name=op.f("ck_experiments_cancelled_is_its_own_cause")
        ),
        sa.CheckConstraint(
            "(status = 'running') = (owner IS NOT NULL AND lease_until IS NOT NULL)", name=op.f("ck_experiments_lease")
        ),
        sa.CheckConstraint(
            "(status IN ('failed', 'cancelled')) = (cause IS NOT NULL)",
            name=op.f("ck_experiments_cause_when_ended_badly"),
        ),
        sa.CheckConstraint(
            "(status IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)",
            name=op.f("ck_experiments_finished_when_terminal"),
        ),
        sa.CheckConstraint(
            "NOT (status = 'succeeded' AND cancel_requested)", name=op.f("ck_experiments_no_success_after_cancel")
        ),
        sa.CheckConstraint(
            "cause IN ('diverged', 'out_of_memory', 'worker_lost', 'timeout', 'invalid_data', 'internal_error',"
            " 'cancelled')",
            name=op.f("ck_experiments_cause"),
        ),
        sa.CheckConstraint(
            "status <> 'succeeded' OR test_accuracy IS NOT NULL", name=op.f("ck_experiments_success_has_figures")
        ),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name=op.f("ck_experiments_status")
        ),
        sa.CheckConstraint(
            "(checkpoint_path IS NULL) = (checkpoint_sha256 IS NULL)"
            " AND (checkpoint_path IS NULL) = (checkpoint_step IS NULL)"
            " AND (checkpoint_path IS NULL) = (checkpoint_epoch IS NULL)",
            name=op.f("ck_experiments_checkpoint_whole"),
        ),
        sa.CheckConstraint("attempt >= 0 AND lost_count >= 0 AND epochs_done >= 0", name=op.f("ck_experiments_counts")),
        sa.CheckConstraint("priority >= 0 AND priority <= 9", name=op.f("ck_experiments_priority")),
        sa.CheckConstraint("test_accuracy >= 0 AND test_accuracy <= 1", name=op.f("ck_experiments_test_accuracy")),
        sa.ForeignKeyConstraint(
            ["retry_of"], ["experiments.id"], name=op.f("fk_experiments_retry_of_experiments"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_experiments_study_id_studies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
    )
    op.create_index("ix_experiments_activation_dataset_id", "experiments", ["activation", "dataset", "id"])
    op.create_index(
        "ix_experiments_activation_dataset_test_accuracy",
        "experiments",
        ["activation", "dataset", "test_accuracy", "id"],
    )
    op.create_index(
        "ix_experiments_queue",
        "experiments",
        ["priority", "id"],
        postgresql_where=sa.text("status = 'queued'"),
        sqlite_where=sa.text("status = 'queued'"),
    )
    op.create_index(op.f("ix_experiments_retry_of"), "experiments", ["retry_of"])
    op.create_index(
        "ix_experiments_running",
        "experiments",
        ["owner"],
        postgresql_where=sa.text("status = 'running'"),
        sqlite_where=sa.text("status = 'running'"),
    )
    op.create_index("ix_experiments_status_id", "experiments", ["status", "id"])
    op.create_index("ix_experiments_study_id_status", "experiments", ["study_id", "status"])
    op.create_index("ix_experiments_study_id_id", "experiments", ["study_id", "id"])
    op.create_index("ix_experiments_test_accuracy_id", "experiments", ["test_accuracy", "id"])

    op.create_table(
        "attempts",
        sa.Column("experiment_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("epochs", sa.Integer(), nullable=False),
        sa.Column("log_tail", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "cause IN ('diverged', 'out_of_memory', 'worker_lost', 'timeout', 'invalid_data', 'internal_error',"
            " 'cancelled')",
            name=op.f("ck_attempts_cause"),
        ),
        sa.CheckConstraint(
            "outcome IN ('succeeded', 'failed', 'cancelled', 'released', 'lost')", name=op.f("ck_attempts_outcome")
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name=op.f("ck_attempts_ended_with_an_outcome")),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_attempts_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("experiment_id", "attempt", name=op.f("pk_attempts")),
    )
    op.create_table(
        "epochs",
        sa.Column("experiment_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("train_loss", sa.Double(), nullable=True),
        sa.Column("train_accuracy", sa.Double(), nullable=True),
        sa.Column("validation_loss", sa.Double(), nullable=True),
        sa.Column("validation_accuracy", sa.Double(), nullable=True),
        sa.Column("l2", sa.Double(), nullable=True),
        sa.Column("learning_rate", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("images_per_second", sa.Double(), nullable=False),
        sa.Column("non_finite", Json, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("epoch >= 1", name=op.f("ck_epochs_epoch")),
        sa.CheckConstraint("train_accuracy >= 0 AND train_accuracy <= 1", name=op.f("ck_epochs_train_accuracy")),
        sa.CheckConstraint(
            "validation_accuracy >= 0 AND validation_accuracy <= 1", name=op.f("ck_epochs_validation_accuracy")
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name=op.f("fk_epochs_experiment_id_experiments"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("experiment_id", "epoch", name=op.f("pk_epochs")),
    )
    op.create_table(
        "experiment_tags",
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("experiment_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_experiment_tags_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tag", "experiment_id", name=op.f("pk_experiment_tags")),
    )
    op.create_index("ix_experiment_tags_experiment_id", "experiment_tags", ["experiment_id"])

    op.create_table(
        "results",
        sa.Column("experiment_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("last", Json, nullable=False),
        sa.Column("best", Json, nullable=False),
        sa.Column("last_correct", sa.LargeBinary(), nullable=False),
        sa.Column("best_correct", sa.LargeBinary(), nullable=False),
        sa.Column("per_class", Json, nullable=False),
        sa.Column("confusion_matrix", Json, nullable=False),
        sa.Column("fingerprint", Json, nullable=False),
        sa.Column("weights_path", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name=op.f("fk_results_experiment_id_experiments"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("experiment_id", name=op.f("pk_results")),
    )
    op.execute(
        sa.text("INSERT INTO change_counter (id, value, database_id) VALUES (1, 0, :id)").bindparams(
            id=uuid.uuid4().hex
        )
    )


def downgrade() -> None:
    for table in (
        "results",
        "experiment_tags",
        "epochs",
        "attempts",
        "experiments",
        "workers",
        "studies",
        "lifecycle_trace",
        "idempotency_keys",
        "change_counter",
    ):
        op.drop_table(table)
