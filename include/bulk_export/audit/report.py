"""Show the audit record of a run to people and programs.

`audit_summary` and `record_as_json`. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime

from bulk_export.audit.figures import notes, outcomes
from bulk_export.process import process_of
from bulk_export.reasons import Reason
from bulk_export.sizes import size_text
from bulk_export.state.records import RunRecord
from bulk_export.state.run_fields import DeclaredField, declared_fields

_LABEL_WIDTH = 13


def record_as_json(record: RunRecord) -> bytes:
    """The record as one JSON object, UTF-8, ending with a line feed.

    The keys are the fields of the record, always all of them, in its order. Moments are ISO 8601 in UTC
    (`2026-11-23T07:30:00Z`), `quota_day` is a date, what is not known is null. `definitions`, `process` and
    `dry_run_report` are objects rather than the texts the record keeps, null when empty.
    """
    found = {field.name: _plain(field, getattr(record, field.name)) for field in declared_fields(type(record))}
    return json.dumps(found, ensure_ascii=False, indent=2).encode() + b"\n"


def _plain(field: DeclaredField, value: object) -> object:
    if field.rules.json_text and isinstance(value, str):
        return json.loads(value) if value else None
    if isinstance(value, datetime):
        return plain_moment(value)
    return value.isoformat() if isinstance(value, date) else value


def plain_moment(moment: datetime) -> str:
    """A moment for programs: ISO 8601 in UTC, `2026-11-23T07:30:00Z`."""
    return moment.isoformat().replace("+00:00", "Z")


def audit_summary(record: RunRecord) -> str:
    """The record in lines of words and aligned figures.

    Each matched contact is in exactly one of the indented ones.
    """
    lines = [f"{record.export_name} ({record.export_id}): {record.status}"]
    lines += [f"  {label:<{_LABEL_WIDTH}}{text}" for label, text in _facts(record) if text]
    figures = list(_figures(record))
    if figures:
        label_width = max(len(label) for label, _, _ in figures)
        number_width = max(len(f"{number:,}") for _, number, _ in figures)
        lines.append("")
        lines += [f"  {label:<{label_width}}  {n:>{number_width},}  {words}".rstrip() for label, n, words in figures]
    if record.error_code:
        place = f" in {record.failed_stage}" if record.failed_stage else ""
        lines += ["", f"  {record.error_code}{place}: " + record.error_message.replace("\n", "\n    ")]
        lines += [f"  What to do: {record.error_hint}"] if record.error_hint else []
    return "\n".join(lines)


def _facts(record: RunRecord) -> Iterator[tuple[str, str]]:
    who = f" by {record.triggered_by}" if record.triggered_by else ""
    yield "run", record.run_id
    yield "continues", record.continues_run_id
    yield "trigger", f"{record.trigger}{who}"
    yield "process", str(process_of(record.process) or "")
    yield "as of", _moment(record.as_of)
    if record.window_from and record.window_to:
        yield "window", f"{_moment(record.window_from)} to {_moment(record.window_to)}"
    yield "started", _moment(record.started_at)
    yield "ended", _moment(record.ended_at)
    yield "formats", ", ".join(f"{kind} {name}" for kind, name in record.formats.items())
    if record.published:
        yield "directory", f"{record.destination_uri.rstrip('/')}/{record.directory}"
        yield "manifest", f"sha256 {record.manifest_sha256}"
    if record.media_files or record.transcript_files:
        yield "media", f"{record.media_files:,} files, {size_text(record.media_bytes)}"
        yield "transcripts", f"{record.transcript_files:,} files, {size_text(record.transcript_bytes)}"
    if record.cut_values:
        yield "cut", f"{record.cut_values:,} texts to the maximum of their column"
    if record.long_cells:
        yield "long", f"{record.long_cells:,} cells longer than the 32,767 characters that Excel takes"
    if record.transcript_fixes:
        yield "replaced", f"{record.transcript_fixes:,} characters that XML cannot hold"
    yield "quota", _quota(record)
    yield "follow-up", record.follow_up_run_id
    yield "dry run", record.dry_run_report


def _quota(record: RunRecord) -> str:
    if record.quota_day is None:
        return ""
    after = "" if record.quota_after is None else f", {record.quota_after:,} after"
    taken = f"{record.quota_used:,} by this run, {record.quota_before:,} before{after}"
    return f"{record.quota_day}: {taken}, {record.quota_limit:,} a day"


def _figures(record: RunRecord) -> Iterator[tuple[str, int, str]]:
    if record.matched is None:
        return
    yield "matched", record.matched, "contacts"
    for figure in outcomes(record):
        yield f"  {figure.reason or figure.label.lower()}", figure.number, figure.words
    for figure in notes(record):
        if figure.reason is Reason.ROOT_UNSUPPORTED:
            yield figure.label, figure.number, "Not among the matches: root recordings cannot be exported."
        else:
            yield figure.label, figure.number, f"Among the delivered: {figure.words}"


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""
