"""The audit record of a run for people (`audit_summary`) and for programs (`record_as_json`). Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from datetime import date, datetime

from bulk_export.reasons import NOT_APPLICABLE, REASON_WORDS, ItemStatus, Reason
from bulk_export.sizes import size_text
from bulk_export.state.records import RunRecord

_LABEL_WIDTH = 13
_JSON_TEXTS = frozenset({"definitions", "dry_run_report"})


def record_as_json(record: RunRecord) -> bytes:
    """The record as one JSON object, UTF-8, ending with a line feed.

    The keys are the fields of `RunRecord`, always all of them, in that order. Moments are ISO 8601 in UTC
    (`2026-11-23T07:30:00Z`), `quota_day` is a date, what is not known is null, `definitions` and `dry_run_report` are
    objects rather than the texts the record keeps, null when empty.
    """
    found = {field.name: _plain(field.name, getattr(record, field.name)) for field in fields(record)}
    return json.dumps(found, ensure_ascii=False, indent=2).encode() + b"\n"


def _plain(name: str, value: object) -> object:
    if name in _JSON_TEXTS and isinstance(value, str):
        return json.loads(value) if value else None
    if isinstance(value, datetime):
        return plain_moment(value)
    return value.isoformat() if isinstance(value, date) else value


def plain_moment(moment: datetime) -> str:
    """A moment of the state database for programs: ISO 8601 in UTC, `2026-11-23T07:30:00Z`."""
    return moment.isoformat().replace("+00:00", "Z")


def audit_summary(record: RunRecord) -> str:
    """The record in lines of words and aligned figures; each matched contact is in exactly one of the indented ones."""
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
    if record.by_status:
        delivered = record.by_status.get(ItemStatus.DELIVERED, 0)
        yield "  delivered", delivered, ""
        rest = record.matched - delivered
        for reason in Reason:
            number = record.by_reason.get(reason, 0)
            # Reasons that leave a contact whole belong to delivered ones; roots are no matches.
            if number and reason not in NOT_APPLICABLE and reason is not Reason.ROOT_UNSUPPORTED:
                yield f"  {reason}", number, REASON_WORDS[reason]
                rest -= number
        if rest:
            yield "  not counted", rest, "The run did not get as far as these, or its counts are wrong."
    for reason in Reason:
        if reason in NOT_APPLICABLE and (number := record.by_reason.get(reason, 0)):
            yield str(reason), number, f"Among the delivered: {REASON_WORDS[reason]}"
    if record.roots:
        yield str(Reason.ROOT_UNSUPPORTED), record.roots, "Not among the matches: root recordings cannot be exported."


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""
