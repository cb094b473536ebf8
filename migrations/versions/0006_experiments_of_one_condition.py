"""An index that finds the experiments of one condition and seed: what a comparison reads a spec by.

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
