"""Add the furthest step of any checkpoint of an experiment, so that starting over is not taken for progress.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("experiments", sa.Column("furthest_step", sa.Integer(), nullable=True))
    op.execute("UPDATE experiments SET furthest_step = checkpoint_step")


def downgrade() -> None:
    op.drop_column("experiments", "furthest_step")
