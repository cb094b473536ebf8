"""Add two figures of a success: the early validation loss, and the pace of training.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("experiments", sa.Column("early_loss", sa.Double(), nullable=True))
    op.add_column("experiments", sa.Column("images_per_second", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("experiments", "images_per_second")
    op.drop_column("experiments", "early_loss")
