"""Alembic's entry: run the revisions on the connection, and in the transaction, of the caller."""

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
