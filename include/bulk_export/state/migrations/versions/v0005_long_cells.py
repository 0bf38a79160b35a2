"""How many cells of the CSV are longer than Excel takes.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column.

    Those of earlier runs are not known, and shown as none.
    """
    op.add_column("runs", sa.Column("long_cells", sa.BigInteger(), nullable=False, server_default="0"))
