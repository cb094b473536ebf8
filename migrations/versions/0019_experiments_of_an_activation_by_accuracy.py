"""Indexes of the experiments of one activation, newest and best first: without them a page sorted all of them.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_experiments_activation_id": ["activation", "id"],
    "ix_experiments_activation_test_accuracy": ["activation", "test_accuracy", "id"],
    "ix_experiments_activation_validation_accuracy": ["activation", "validation_accuracy", "id"],
}


def upgrade() -> None:
    for name, columns in INDEXES.items():
        op.create_index(name, "experiments", columns)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "experiments")
