"""Let studies count finished experiments that they did not train.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "study_reuses",
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("experiment_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"], ["studies.id"], name=op.f("fk_study_reuses_study_id_studies"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name=op.f("fk_study_reuses_experiment_id_experiments")
        ),
        sa.PrimaryKeyConstraint("study_id", "experiment_id", name=op.f("pk_study_reuses")),
    )
    op.create_index(op.f("ix_study_reuses_experiment_id"), "study_reuses", ["experiment_id"])
    with op.batch_alter_table("studies") as table:
        table.add_column(sa.Column("reuse", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("studies") as table:
        table.alter_column("reuse", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("studies") as table:
        table.drop_column("reuse")
    op.drop_table("study_reuses")
