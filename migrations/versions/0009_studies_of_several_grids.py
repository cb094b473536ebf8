"""Let studies hold several grids.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("studies") as table:
        table.add_column(sa.Column("grids", sa.JSON(none_as_null=True), nullable=False, server_default="[]"))
    with op.batch_alter_table("studies") as table:
        table.alter_column("grids", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("studies") as table:
        table.drop_column("grids")
