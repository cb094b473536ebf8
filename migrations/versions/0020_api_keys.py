"""API keys, the counter by which processes notice that one has changed, and an index of who submitted what.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

STANDING = sa.text("revoked_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.CheckConstraint("role IN ('viewer', 'submitter', 'admin')", name=op.f("ck_api_keys_role")),
    )
    op.create_index(
        "uq_api_keys_name", "api_keys", ["name"], unique=True, sqlite_where=STANDING, postgresql_where=STANDING
    )
    op.create_index("ix_experiments_principal_id", "experiments", ["principal", "id"])
    op.add_column("change_counter", sa.Column("keys", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("change_counter", "keys")
    op.drop_index("ix_experiments_principal_id", "experiments")
    op.drop_index("uq_api_keys_name", "api_keys")
    op.drop_table("api_keys")
