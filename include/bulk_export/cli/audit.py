"""`bulk-export audit`: runs, what they delivered, and who did what."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from bulk_export.cli.exit_codes import DONE
from bulk_export.cli.places import site


def run(options: argparse.Namespace) -> int:
    """List runs or events, newest first, or show one run."""
    return {"show": _show, "list": _list, "events": _events}[options.audit_command](options)


def _show(options: argparse.Namespace) -> int:
    from bulk_export.audit.report import audit_summary, record_as_json
    from bulk_export.state.runs import find_run

    record = find_run(site(options).engine, options.run)
    print(record_as_json(record).decode() if options.json else audit_summary(record))
    return DONE


def _list(options: argparse.Namespace) -> int:
    from bulk_export.audit.report import record_as_json
    from bulk_export.state.records import RunStatus
    from bulk_export.state.runs import RunFilters, list_runs

    statuses = frozenset({RunStatus(options.status)} if options.status else ())
    filters = RunFilters(export_id=options.export, statuses=statuses)
    records = list_runs(site(options).engine, filters, limit=options.limit)
    if options.json:
        for record in records:
            print(json.dumps(json.loads(record_as_json(record)), ensure_ascii=False))
        return DONE
    row = "{:<10}  {:<24}  {:<21}  {:>9}  {:>9}  {:<19}  {}"
    print(row.format("RUN", "EXPORT", "STATUS", "MATCHED", "EXPORTED", "STARTED (UTC)", "ERROR"))
    for record in records:
        started = f"{record.started_at:%Y-%m-%d %H:%M:%S}" if record.started_at else ""
        print(
            row.format(
                record.run_key,
                record.export_id[:24],
                record.status,
                record.matched if record.matched is not None else "",
                record.exported if record.exported is not None else "",
                started,
                record.error_code or "",
            )
        )
    return DONE


def _events(options: argparse.Namespace) -> int:
    from bulk_export.audit.report import plain_moment
    from bulk_export.state.events import list_events

    found = list_events(site(options).engine, limit=options.limit, who=options.who, subject=options.subject)
    if options.json:
        for event in found:
            print(json.dumps(asdict(event) | {"at": plain_moment(event.at)}, ensure_ascii=False))
        return DONE
    row = "{:<19}  {:<16}  {:<10}  {:<32}  {}"
    print(row.format("AT (UTC)", "WHO", "ACTION", "SUBJECT", "DETAIL"))
    for event in found:
        words = (" ".join(text.split()) for text in (event.who, event.action, event.subject, event.detail))
        print(row.format(f"{event.at:%Y-%m-%d %H:%M:%S}", *words).rstrip())
    return DONE
