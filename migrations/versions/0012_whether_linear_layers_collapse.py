"""Add to the result whether a network of linear layers equals one linear layer.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("results", sa.Column("collapse", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("results", "collapse")
