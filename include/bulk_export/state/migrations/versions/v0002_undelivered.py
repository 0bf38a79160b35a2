"""What an incremental export has matched and not delivered.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table.

    What earlier runs could not deliver is not known any more.
    """
    op.create_table(
        "undelivered",
        sa.Column("export_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("export_id", "contact_id", name="pk_undelivered"),
    )
