"""Index revisions, and add tombstones, so that changes since a revision, deletes included, are found by an index.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tombstones",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tombstones"),
    )
    op.create_index("ix_tombstones_revision", "tombstones", ["revision"])
    op.create_index("ix_tombstones_deleted_at", "tombstones", ["deleted_at"])
    op.create_index("ix_experiments_revision", "experiments", ["revision"])
    op.create_index("ix_studies_revision", "studies", ["revision"])
    op.add_column("change_counter", sa.Column("forgotten", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("change_counter", "forgotten")
    op.drop_index("ix_studies_revision", "studies")
    op.drop_index("ix_experiments_revision", "experiments")
    op.drop_table("tombstones")
