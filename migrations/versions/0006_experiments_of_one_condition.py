"""Add an index of experiments by condition and seed, with which a comparison reads the spec of a condition.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_experiments_condition_seed", "experiments", ["condition", "seed"])


def downgrade() -> None:
    op.drop_index("ix_experiments_condition_seed", "experiments")
