"""Copy numbers of the spec to columns of the experiment, so that lists can filter by ranges of them.

The columns may be null: a process of the version before, which may run during the migration, does not set them.

Revision ID: 0002
Revises: 0001
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLUMNS: dict[str, tuple[sa.types.TypeEngine[Any], str, tuple[str, ...]]] = {
    "epochs": (sa.Integer(), "integer", ("epochs",)),
    "batch_size": (sa.Integer(), "integer", ("batch_size",)),
    "dropout_conv": (sa.Double(), "double precision", ("dropout", "conv")),
    "dropout_dense": (sa.Double(), "double precision", ("dropout", "dense")),
    "learning_rate": (sa.Double(), "double precision", ("optimizer", "learning_rate")),
}


def upgrade() -> None:
    for name, (kind, _, _) in COLUMNS.items():
        op.add_column("experiments", sa.Column(name, kind, nullable=True))
    copied = ", ".join(f"{name} = {_read(path, cast)}" for name, (_, cast, path) in COLUMNS.items())
    op.execute(f"UPDATE experiments SET {copied}")


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("experiments", name)


def _read(path: tuple[str, ...], cast: str) -> str:
    """Return the expression that reads a number from the stored spec."""
    if op.get_context().dialect.name == "sqlite":
        return f"json_extract(spec, '$.{'.'.join(path)}')"
    return f"CAST(spec #>> '{{{','.join(path)}}}' AS {cast})"
