"""Schema version of this release, and the table that holds a database's."""

from __future__ import annotations

# The newest revision in migrations/versions: known here so that an up-to-date database costs no Alembic import.
HEAD = "0005"
# Not Alembic's default name: the database may be shared with a program that uses Alembic too, such as Airflow.
VERSION_TABLE = "bulk_export_version"
