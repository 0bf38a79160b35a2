"""The first tables: runs and their trouble, quota, deliveries, events.

Revision ID: 0001
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_REFUSED = "events are append-only"


def upgrade() -> None:
    """Make every table; the event log refuses updates and deletes."""
    _runs()
    _run_details()
    _quota()
    op.create_table(
        "deliveries",
        _key("export_id", sa.Text()),
        _key("contact_id", sa.BigInteger(), autoincrement=False),
        sa.Column("updated_at", _MOMENT),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("export_id", "contact_id", name="pk_deliveries"),
    )
    _events()


def _key(name: str, kind: sa.types.TypeEngine[Any], *, autoincrement: bool | None = None) -> sa.Column[Any]:
    if autoincrement is None:
        return sa.Column(name, kind, nullable=False)
    return sa.Column(name, kind, nullable=False, autoincrement=autoincrement)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("run_key", sa.String(10), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("export_id", "export_name", "version", "trigger")),
        _text("triggered_by"),
        sa.Column("as_of", _MOMENT, nullable=False),
        sa.Column("window_from", _MOMENT),
        sa.Column("window_to", _MOMENT),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("licence", "definitions", "destination_name", "destination_uri", "directory")
        ),
        sa.Column("formats", sa.JSON(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("queued_at", _MOMENT, nullable=False),
        sa.Column("started_at", _MOMENT),
        sa.Column("ended_at", _MOMENT),
        sa.Column("matched", sa.BigInteger()),
        *(_count(name) for name in ("roots", "exported", "masked")),
        sa.Column("by_status", sa.JSON(), nullable=False),
        sa.Column("by_reason", sa.JSON(), nullable=False),
        *(_count(name) for name in ("jobs", "media_files", "media_bytes", "transcript_files", "transcript_bytes")),
        *(_count(name) for name in ("transcript_fixes", "cut_values")),
        sa.Column("quota_after", sa.BigInteger()),
        *(_text(name) for name in ("error_code", "error_message", "error_hint", "failed_stage", "manifest_sha256")),
        sa.Column("published_at", _MOMENT),
        *(_text(name) for name in ("dag_id", "dag_run_id", "dag_run_url", "continues_run_id", "follow_up_run_id")),
        _text("dry_run_report"),
        sa.PrimaryKeyConstraint("run_id", name="pk_runs"),
    )
    op.create_index("ix_runs_queued_at_run_id", "runs", ["queued_at", "run_id"])
    op.create_index("ix_runs_export_id_queued_at_run_id", "runs", ["export_id", "queued_at", "run_id"])
    op.create_index("ix_runs_status", "runs", ["status"])
    op.create_index("ix_runs_run_key", "runs", ["run_key"])


def _run_details() -> None:
    op.create_table(
        "stage_errors",
        *_job_key(),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        _text("hint"),
        sa.Column("recorded_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_stage_errors_run_id_runs"),
        sa.PrimaryKeyConstraint("run_id", "stage", "job", name="pk_stage_errors"),
    )
    op.create_table(
        "job_progress",
        *_job_key(),
        *(_count(name) for name in ("done", "total", "bytes")),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_job_progress_run_id_runs"),
        sa.PrimaryKeyConstraint("run_id", "stage", "job", name="pk_job_progress"),
    )
    op.create_table(
        "items",
        _key("run_id", sa.Text()),
        _key("contact_id", sa.BigInteger(), autoincrement=False),
        sa.Column("status", sa.Text(), nullable=False),
        *(_text(name) for name in ("reason", "detail")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_items_run_id_runs"),
        sa.PrimaryKeyConstraint("run_id", "contact_id", name="pk_items"),
    )


def _job_key() -> tuple[sa.Column[Any], ...]:
    return _key("run_id", sa.Text()), _key("stage", sa.Text()), _key("job", sa.Integer(), autoincrement=False)


def _quota() -> None:
    op.create_table(
        "reservations",
        _key("run_id", sa.Text()),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("granted", "charged", "used_before", "daily_limit")
        ),
        sa.Column("reserved_at", _MOMENT, nullable=False),
        sa.CheckConstraint("charged >= 0", name=op.f("ck_reservations_charged_not_negative")),
        sa.CheckConstraint("state IN ('held', 'settled', 'released')", name=op.f("ck_reservations_state_known")),
        sa.PrimaryKeyConstraint("run_id", name="pk_reservations"),
    )
    op.create_index("ix_reservations_environment_day", "reservations", ["environment", "day"])
    op.create_table(
        "quota_days",
        _key("environment", sa.Text()),
        _key("day", sa.Date()),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_quota_days_used_not_negative")),
        sa.PrimaryKeyConstraint("environment", "day", name="pk_quota_days"),
    )


def _events() -> None:
    identity = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "events",
        sa.Column("event_id", identity, autoincrement=True, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("who", "action", "subject")),
        _text("detail"),
        sa.PrimaryKeyConstraint("event_id", name="pk_events"),
        sqlite_autoincrement=True,
    )
    if op.get_bind().dialect.name == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
        op.execute(f"CREATE TRIGGER events_no_update BEFORE UPDATE ON events {refuse}")
        op.execute(f"CREATE TRIGGER events_no_delete BEFORE DELETE ON events {refuse}")
        # INSERT OR REPLACE deletes the old row without asking a delete trigger.
        op.execute(
            "CREATE TRIGGER events_no_replace BEFORE INSERT ON events"
            f" WHEN EXISTS (SELECT 1 FROM events WHERE event_id = NEW.event_id) {refuse}"
        )
        return
    op.execute(
        "CREATE FUNCTION events_append_only() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events"
        " FOR EACH ROW EXECUTE FUNCTION events_append_only()"
    )
    op.execute(
        "CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON events"
        " FOR EACH STATEMENT EXECUTE FUNCTION events_append_only()"
    )
