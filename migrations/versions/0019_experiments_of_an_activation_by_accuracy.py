"""An index of the experiments of one activation, best first: without it all of them were sorted for a page.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

INDEX = "ix_experiments_activation_test_accuracy"


def upgrade() -> None:
    op.create_index(INDEX, "experiments", ["activation", "test_accuracy", "id"])


def downgrade() -> None:
    op.drop_index(INDEX, "experiments")
