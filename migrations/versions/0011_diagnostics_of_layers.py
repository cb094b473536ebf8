"""Add diagnostics: figures per epoch and layer.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MEASURES = (
    "zero_share", "saturated_share", "dead_share", "dead_share_confirmed", "inactive_share", "mean_before", "sd_before",
    "mean_after", "sd_after", "gradient_norm", "gradient_rms", "update_ratio",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "diagnostics",
        sa.Column("experiment_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=True) for name in MEASURES),
        sa.Column("unchanged", sa.Boolean(), nullable=True),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("non_finite", sa.JSON(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("epoch >= 0 AND position >= 0 AND units >= 1", name=op.f("ck_diagnostics_counts")),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name=op.f("fk_diagnostics_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("experiment_id", "epoch", "position", name=op.f("pk_diagnostics")),
    )


def downgrade() -> None:
    op.drop_table("diagnostics")
