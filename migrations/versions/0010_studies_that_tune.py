"""Let studies tune the learning rate before their ranking.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("studies") as table:
        table.add_column(sa.Column("tuning", sa.JSON(none_as_null=True), nullable=True))
        table.add_column(sa.Column("tuned", sa.JSON(none_as_null=True), nullable=True))
        table.add_column(sa.Column("tuned_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("tunes", sa.Uuid(), nullable=True))
        table.create_foreign_key(op.f("fk_studies_tunes_studies"), "studies", ["tunes"], ["id"])
        table.create_index(op.f("ix_studies_tunes"), ["tunes"])


def downgrade() -> None:
    with op.batch_alter_table("studies") as table:
        table.drop_index(op.f("ix_studies_tunes"))
        table.drop_constraint(op.f("fk_studies_tunes_studies"), type_="foreignkey")
        for name in ("tunes", "tuned_at", "tuned", "tuning"):
            table.drop_column(name)
