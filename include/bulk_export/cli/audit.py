"""`bulk-export audit`: runs, what they delivered, and who did what."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from bulk_export.cli.abandoned import close_ended_runs, refuse_if_running
from bulk_export.cli.exit_codes import DONE, FAILED
from bulk_export.cli.output import print_json
from bulk_export.cli.places import site
from bulk_export.errors import RefusedError
from bulk_export.site import Site


def run(options: argparse.Namespace) -> int:
    """List runs or events, newest first, or show one run."""
    here = site(options)
    if options.audit_command == "close":
        return _close(here, options)
    close_ended_runs(here)
    return {"show": _show, "list": _list, "events": _events}[options.audit_command](here, options)


def _close(here: Site, options: argparse.Namespace) -> int:
    from bulk_export.pipeline import write_audit
    from bulk_export.state.records import OPEN
    from bulk_export.state.runs import find_run

    if options.run is None:
        return FAILED if close_ended_runs(here) else DONE
    record = find_run(here.engine, options.run)
    if record.status in OPEN and not options.force:
        if record.dag_run_id:
            raise RefusedError(
                "RUN_ACTIVE",
                f"the run {record.run_key} is one of the DAG {record.dag_id}, which closes it",
                hint="Mark the DAG run as failed in Airflow; the maintenance DAG closes what it leaves open.",
            )
        refuse_if_running(record)
    if record.status in OPEN:
        record = write_audit(here, record.run_id, (record.failed_stage or "run",))
    print(f"{record.run_key}: {record.status}")
    return DONE


def _show(here: Site, options: argparse.Namespace) -> int:
    from bulk_export.audit.report import audit_summary, record_as_json
    from bulk_export.state.runs import find_run

    record = find_run(here.engine, options.run)
    if options.json:
        print_json(record_as_json(record))
    else:
        print(audit_summary(record))
    return DONE


def _list(here: Site, options: argparse.Namespace) -> int:
    from bulk_export.audit.report import record_as_json
    from bulk_export.state.records import RunStatus
    from bulk_export.state.runs import RunFilters, list_runs

    statuses = frozenset({RunStatus(options.status)} if options.status else ())
    filters = RunFilters(export_id=options.export, statuses=statuses)
    records = list_runs(here.engine, filters, limit=options.limit)
    if options.json:
        for record in records:
            print_json(json.dumps(json.loads(record_as_json(record)), ensure_ascii=False))
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


def _events(here: Site, options: argparse.Namespace) -> int:
    from bulk_export.audit.report import plain_moment
    from bulk_export.state.events import list_events

    found = list_events(here.engine, limit=options.limit, who=options.who, subject=options.subject)
    if options.json:
        for event in found:
            print_json(json.dumps(asdict(event) | {"at": plain_moment(event.at)}, ensure_ascii=False))
        return DONE
    row = "{:<19}  {:<16}  {:<10}  {:<32}  {}"
    print(row.format("AT (UTC)", "WHO", "ACTION", "SUBJECT", "DETAIL"))
    for event in found:
        words = (" ".join(text.split()) for text in (event.who, event.action, event.subject, event.detail))
        print(row.format(f"{event.at:%Y-%m-%d %H:%M:%S}", *words).rstrip())
    return DONE
