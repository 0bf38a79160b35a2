"""Run Alembic's revisions of the state database inside a given transaction.

- `env.py`: Alembic's entry
- `versions/`: the revisions

A new revision is a module `vNNNN_words.py` of `versions/`, made by hand; `HEAD` in `state/schema_version.py` names the
newest.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bulk_export.errors import DefinitionError
from bulk_export.state.schema_version import HEAD, VERSION_TABLE


def configuration() -> Config:
    """Alembic's configuration, without an ini file."""
    config = Config()
    # ConfigParser would read a % in the path as the start of a variable.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def upgrade(connection: Connection) -> None:
    """Bring the database to the newest revision.

    Within the caller's transaction and lock.

    Raises:
        DefinitionError: STATE_TOO_NEW when its revision is not among the ones known here.
    """
    config = configuration()
    stored = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if stored is not None and stored not in known:
        raise DefinitionError(
            "STATE_TOO_NEW",
            f"the state database has schema {stored}, this version of bulk-export knows schemas up to {HEAD}",
            hint="Upgrade bulk-export on this machine to the version that migrated the database.",
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
