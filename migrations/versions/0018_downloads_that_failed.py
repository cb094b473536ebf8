"""Data sets that machines cannot download now: since when, why, and when they try again.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "failed_downloads",
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("dataset", "machine", name=op.f("pk_failed_downloads")),
        sa.CheckConstraint("failures >= 1", name=op.f("ck_failed_downloads_failures")),
    )


def downgrade() -> None:
    op.drop_table("failed_downloads")
