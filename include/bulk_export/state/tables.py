"""The tables of the state database, as SQLAlchemy Core.

`migrations/` makes them; a test holds both together.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

from bulk_export.state.columns import UtcDateTime, run_columns
from bulk_export.state.records import RunRecord


def _count(name: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def _text(name: str) -> Column[Any]:
    return Column(name, Text, nullable=False, server_default="")


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# One row per run; never deleted. Quota figures of a run are in `reservations`.
runs = Table("runs", metadata, *run_columns(RunRecord))
Index("ix_runs_queued_at_run_id", runs.c.queued_at, runs.c.run_id)
Index("ix_runs_export_id_queued_at_run_id", runs.c.export_id, runs.c.queued_at, runs.c.run_id)
Index("ix_runs_status", runs.c.status)
Index("ix_runs_run_key", runs.c.run_key)

# What is wrong right now, per stage and job of a run: a retry that goes well takes its row away.
stage_errors = Table(
    "stage_errors",
    metadata,
    Column("run_id", Text, ForeignKey("runs.run_id"), primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("job", Integer, primary_key=True),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    _text("hint"),
    Column("recorded_at", UtcDateTime, nullable=False),
)

job_progress = Table(
    "job_progress",
    metadata,
    Column("run_id", Text, ForeignKey("runs.run_id"), primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("job", Integer, primary_key=True),
    _count("done"),
    _count("total"),
    _count("bytes"),
    Column("updated_at", UtcDateTime, nullable=False),
)

# Only contacts with problems: what was delivered whole is in the run's own items.csv.
items = Table(
    "items",
    metadata,
    Column("run_id", Text, ForeignKey("runs.run_id"), primary_key=True),
    Column("contact_id", BigInteger, primary_key=True, autoincrement=False),
    Column("status", Text, nullable=False),
    _text("reason"),
    _text("detail"),
)

# What each run took from a day. `charged` is what the day's `used` contains of it.
reservations = Table(
    "reservations",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("environment", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("state", Text, nullable=False),
    Column("granted", BigInteger, nullable=False),
    Column("charged", BigInteger, nullable=False),
    Column("used_before", BigInteger, nullable=False),
    Column("daily_limit", BigInteger, nullable=False),
    Column("reserved_at", UtcDateTime, nullable=False),
    CheckConstraint("charged >= 0", name="charged_not_negative"),
    CheckConstraint("state IN ('held', 'settled', 'released')", name="state_known"),
)
Index("ix_reservations_environment_day", reservations.c.environment, reservations.c.day)

quota_days = Table(
    "quota_days",
    metadata,
    Column("environment", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("used", BigInteger, nullable=False),
    CheckConstraint("used >= 0", name="used_not_negative"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("export_id", Text, primary_key=True),
    Column("contact_id", BigInteger, primary_key=True, autoincrement=False),
    Column("updated_at", UtcDateTime),
    Column("run_id", Text, nullable=False),
)

# What a run's directory holds once its marker is there: recorded before, so that whoever finds the marker knows.
publications = Table(
    "publications",
    metadata,
    Column("run_id", Text, ForeignKey("runs.run_id"), primary_key=True),
    Column("manifest_sha256", Text, nullable=False),
    Column("marker_sha256", Text, nullable=False),
    Column("files", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("counts", JSON, nullable=False),
)

# What an incremental export has matched and not delivered, until it does.
undelivered = Table(
    "undelivered",
    metadata,
    Column("export_id", Text, primary_key=True),
    Column("contact_id", BigInteger, primary_key=True, autoincrement=False),
    Column("run_id", Text, nullable=False),
)

# The run that delivers for an incremental export, while it is RUNNING.
exclusive_runs = Table(
    "exclusive_runs",
    metadata,
    Column("export_id", Text, primary_key=True),
    Column("run_id", Text, nullable=False),
)

# Append only: triggers of the migration refuse every update and delete.
events = Table(
    "events",
    metadata,
    Column("event_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    _text("detail"),
    sqlite_autoincrement=True,
)
