"""Index attempts by their end: the order of the queue depends on those of the last hour.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_attempts_ended_at"), "attempts", ["ended_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_attempts_ended_at"), table_name="attempts")
