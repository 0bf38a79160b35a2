"""Run Alembic's revisions on the connection of the caller.

And in the caller's transaction.
"""

from __future__ import annotations

from alembic import context

from bulk_export.state.schema_version import VERSION_TABLE
from bulk_export.state.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
