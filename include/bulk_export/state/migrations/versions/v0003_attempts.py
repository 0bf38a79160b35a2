"""Number the attempts at a run; keep what one will publish.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add column and table.

    Runs under way go on as attempt 0.
    """
    op.add_column("runs", sa.Column("attempt", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "publications",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("manifest_sha256", sa.Text(), nullable=False),
        sa.Column("marker_sha256", sa.Text(), nullable=False),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_publications"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_publications_run_id_runs"),
    )
