"""Add registered activations with their versions, and the versions that names in a study stand for.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "activations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("newest", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("newest >= 1", name=op.f("ck_activations_newest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activations")),
        sa.UniqueConstraint("name", name=op.f("uq_activations_name")),
    )
    op.create_table(
        "activation_versions",
        sa.Column("activation_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("formula", sa.Text(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_activation_versions_version")),
        sa.ForeignKeyConstraint(
            ["activation_id"], ["activations.id"], name=op.f("fk_activation_versions_activation_id_activations")
        ),
        sa.PrimaryKeyConstraint("activation_id", "version", name=op.f("pk_activation_versions")),
    )
    op.add_column("studies", sa.Column("activations", sa.JSON(), server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("studies", "activations")
    op.drop_table("activation_versions")
    op.drop_table("activations")
