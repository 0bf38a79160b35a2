"""`bulk-export audit`: what ran, what it delivered, and what went wrong."""

from __future__ import annotations

import argparse

from bulk_export.cli import DONE
from bulk_export.cli.places import site


def run(options: argparse.Namespace) -> int:
    """List runs newest first, or show one."""
    return _show(options) if options.audit_command == "show" else _list(options)


def _show(options: argparse.Namespace) -> int:
    from bulk_export.audit_report import audit_summary, record_as_json
    from bulk_export.state.runs import find_run

    record = find_run(site(options).engine, options.run)
    print(record_as_json(record).decode() if options.json else audit_summary(record))
    return DONE


def _list(options: argparse.Namespace) -> int:
    from bulk_export.audit_report import record_as_json
    from bulk_export.state.records import RunStatus
    from bulk_export.state.runs import RunFilters, list_runs

    statuses = frozenset({RunStatus(options.status)} if options.status else ())
    filters = RunFilters(export_id=options.export, statuses=statuses)
    records = list_runs(site(options).engine, filters, limit=options.limit)
    if options.json:
        for record in records:
            print(record_as_json(record).decode())
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
