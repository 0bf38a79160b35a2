from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime

from bulk_export.audit.report import audit_summary, record_as_json
from bulk_export.state.records import RunRecord, RunStatus, Trigger

T0 = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)

RECORD = RunRecord(
    run_id="export-weekly/scheduled__2026-11-23",
    run_key="0123456789",
    export_id="weekly",
    export_name="Weekly detractors",
    version="5f1d",
    trigger=Trigger.MANUAL,
    triggered_by="ana",
    as_of=T0,
    window_from=None,
    window_to=None,
    licence="standard",
    definitions='{"search": {"id": "recent"}}',
    destination_name="archive",
    destination_uri="file:///srv/exports/",
    directory="Weekly_detractors/20261123T073000Z_0123456789",
    formats={"audio_only": "wav", "transcripts": "json"},
    parameters={"limit": 5},
    status=RunStatus.COMPLETED_WITH_ERRORS,
    queued_at=T0,
    started_at=T0,
    ended_at=T0.replace(minute=33),
    matched=1406,
    roots=2,
    granted=1000,
    exported=993,
    masked=3,
    by_status={"delivered": 990, "masked": 3, "faulty": 7, "deferred": 406},
    by_reason={"RECYCLED": 3, "MEDIA_CORRUPT": 7, "QUOTA_EXCEEDED": 406, "NO_MEDIA": 50, "ROOT_UNSUPPORTED": 2},
    jobs=1,
    media_files=990,
    media_bytes=91_200_000,
    transcript_files=940,
    transcript_bytes=999,
    transcript_fixes=4,
    cut_values=12,
    long_cells=3,
    quota_day=date(2026, 11, 23),
    quota_limit=1000,
    quota_before=0,
    quota_used=993,
    quota_after=993,
    error_code="",
    error_message="",
    error_hint="",
    failed_stage="",
    manifest_sha256="ab" * 32,
    published_at=T0,
    dag_id="export-weekly",
    dag_run_id="scheduled__2026-11-23",
    dag_run_url="",
    continues_run_id="",
    follow_up_run_id="",
    dry_run_report="",
)

SUMMARY = f"""\
Weekly detractors (weekly): COMPLETED_WITH_ERRORS
  run          export-weekly/scheduled__2026-11-23
  trigger      manual by ana
  as of        2026-11-23 07:30:00 UTC
  started      2026-11-23 07:30:00 UTC
  ended        2026-11-23 07:33:00 UTC
  formats      audio_only wav, transcripts json
  directory    file:///srv/exports/Weekly_detractors/20261123T073000Z_0123456789
  manifest     sha256 {"ab" * 32}
  media        990 files, 91.2 MB
  transcripts  940 files, 999 bytes
  cut          12 texts to the maximum of their column
  long         3 cells longer than the 32,767 characters that Excel takes
  replaced     4 characters that XML cannot hold
  quota        2026-11-23: 993 by this run, 0 before, 993 after, 1,000 a day

  matched           1,406  contacts
    delivered         990
    RECYCLED            3  The contact is recycled: its fields are masked and it has no media or transcript.
    MEDIA_CORRUPT       7  The stored media file is empty, cut off or damaged: replace it, then retry what failed.
    QUOTA_EXCEEDED    406  The day's quota did not reach this contact.
  NO_MEDIA             50  Among the delivered: The contact has no media.
  ROOT_UNSUPPORTED      2  Not among the matches: root recordings cannot be exported."""


def test_the_summary_shows_every_matched_contact_in_one_figure() -> None:
    assert audit_summary(RECORD) == SUMMARY


def test_the_summary_owns_up_to_contacts_it_cannot_account_for() -> None:
    summary = audit_summary(replace(RECORD, by_reason={}))
    assert "    not counted       416  The run did not get as far" in summary


def test_the_summary_of_a_failed_run_ends_with_what_to_do() -> None:
    failed = replace(
        RECORD,
        status=RunStatus.FAILED,
        matched=None,
        roots=0,
        manifest_sha256="",
        quota_day=None,
        error_code="FILTER_INCOMPLETE",
        error_message="1 filter is incomplete\nfilters[1]: value is missing",
        error_hint="Complete it.",
        failed_stage="validate_filters",
    )
    summary = audit_summary(failed)
    assert "directory" not in summary
    assert "matched" not in summary
    assert summary.splitlines()[-4:] == [
        "",
        "  FILTER_INCOMPLETE in validate_filters: 1 filter is incomplete",
        "    filters[1]: value is missing",
        "  What to do: Complete it.",
    ]


def test_the_json_has_every_field_of_the_record_in_order() -> None:
    found = json.loads(record_as_json(RECORD))
    assert list(found) == [field.name for field in fields(RunRecord)]


def test_the_json_holds_plain_values() -> None:
    text = record_as_json(replace(RECORD, triggered_by="Íñigo"))
    found = json.loads(text)
    assert text.endswith(b"}\n")
    assert "Íñigo".encode() in text
    assert (found["status"], found["trigger"]) == ("COMPLETED_WITH_ERRORS", "manual")
    assert (found["started_at"], found["window_from"], found["quota_day"]) == (
        "2026-11-23T07:30:00Z",
        None,
        "2026-11-23",
    )
    assert (found["definitions"], found["dry_run_report"]) == ({"search": {"id": "recent"}}, None)
    assert (found["by_reason"]["MEDIA_CORRUPT"], found["parameters"]) == (7, {"limit": 5})
