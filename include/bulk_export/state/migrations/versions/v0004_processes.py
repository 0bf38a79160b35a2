"""Which process runs an export, and which run delivers alone.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add column and table.

    Of runs under way no process is known; they claim nothing.
    """
    op.add_column("runs", sa.Column("process", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "exclusive_runs",
        sa.Column("export_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("export_id", name="pk_exclusive_runs"),
    )
