"""Experiments and studies can be archived; studies have tags and notes.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

ARCHIVED = sa.text("archived_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("experiments", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_experiments_archived", "experiments", ["id"], sqlite_where=ARCHIVED, postgresql_where=ARCHIVED)
    op.add_column("studies", sa.Column("notes", sa.Text(), nullable=True))
    op.add_column("studies", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "study_tags",
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tag", "study_id", name=op.f("pk_study_tags")),
        sa.ForeignKeyConstraint(
            ["study_id"], ["studies.id"], name=op.f("fk_study_tags_study_id_studies"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_study_tags_study_id", "study_tags", ["study_id"])


def downgrade() -> None:
    op.drop_table("study_tags")
    for name in ("archived_at", "notes"):
        op.drop_column("studies", name)
    op.drop_index("ix_experiments_archived", "experiments")
    op.drop_column("experiments", "archived_at")
