"""A run's field is declared once; table, counts and JSON follow."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column

from bulk_export.audit.report import record_as_json
from bulk_export.state.columns import run_columns
from bulk_export.state.records import Counted, NewRun, RunRecord, RunStatus, Trigger
from bulk_export.state.run_fields import declared_fields
from bulk_export.state.tables import runs

T0 = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended(RunRecord):
    """The record with one more count."""

    viewer_views: Counted[int] = 0


def extended(make_run: Any) -> Extended:
    new: NewRun = make_run(trigger=Trigger.MANUAL)
    given = {field.name: getattr(new, field.name) for field in fields(new)}
    own = {"run_key": "0123456789", "status": RunStatus.RUNNING, "queued_at": T0, "started_at": None}
    return Extended(**(given | own), viewer_views=3)


def test_the_table_has_every_field_but_those_of_the_reservation() -> None:
    kept_elsewhere = {"granted", "quota_day", "quota_limit", "quota_before", "quota_used"}
    assert {field.name for field in fields(RunRecord)} - {column.name for column in runs.columns} == kept_elsewhere
    assert [column.name for column in runs.columns] == [
        field.name for field in fields(RunRecord) if field.name not in kept_elsewhere
    ]


def test_one_more_field_is_a_column_a_count_and_a_key_of_the_json(make_run: Any) -> None:
    [column] = {column.name: column for column in run_columns(Extended)}.keys() - set(runs.columns.keys())
    assert column == "viewer_views"
    made: Column[Any] = next(each for each in run_columns(Extended) if each.name == column)
    assert (str(made.type), made.nullable, made.server_default.arg) == ("BIGINT", False, "0")  # type: ignore[union-attr]
    assert [field.name for field in declared_fields(Extended) if field.rules.counted][-1] == "viewer_views"
    assert json.loads(record_as_json(extended(make_run)))["viewer_views"] == 3


def test_what_a_definition_decides_is_taken_anew_and_errors_are_reset() -> None:
    declared = declared_fields(RunRecord)
    assert {field.name for field in declared if field.rules.redefined} == {
        *("export_name", "window_from", "window_to", "version", "licence", "definitions"),
        *("destination_name", "destination_uri", "directory", "formats"),
    }
    assert {field.name: field.default for field in declared if field.rules.reset} == {
        "ended_at": None,
        "error_code": "",
        "error_message": "",
        "error_hint": "",
        "failed_stage": "",
    }
