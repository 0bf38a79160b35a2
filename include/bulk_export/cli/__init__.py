"""The command line, `bulk-export`: the whole product without Airflow.

One module per command, imported only when it is called, so that `--help` answers at once:

- `run.py`: a whole export
- `validate.py`: every problem of the definitions; dates schedules
- `check_store.py`, `check_storage.py`: whether the contact store fits, what may be done in a storage location
- `verify.py`: whether delivered directories are whole
- `audit.py`: what ran and what became of it
- `schema.py`: the published schemas
- `init.py`: the first files of a new installation
- `migrate.py`: the state database's tables
- `sample_store.py`: a contact store to try things on

`places.py` finds the installation for them, `connections.py` reads connections from the environment, `abandoned.py`
closes runs that were killed, `signals.py` ends a command, `output.py` prints on any console, `exit_codes.py` says which
exit code an error ends in.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from bulk_export import __version__
from bulk_export.cli.exit_codes import DONE, FAILED, exit_code
from bulk_export.definitions.folder import DEFINITIONS_VARIABLE, default_folder
from bulk_export.errors import BulkExportError
from bulk_export.state.records import RunStatus

# As `definitions.json_schema.MODELS`, whose import would cost the start-up pydantic; a test compares them.
DEFINITION_KINDS = ("settings", "search", "export")
SCHEMAS = ("definitions", *DEFINITION_KINDS, "transcript-json", "transcript-xsd", "store", "store-sql")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    from bulk_export.cli.output import show_everything
    from bulk_export.cli.signals import stopped_by_signals

    show_everything()
    options = parser().parse_args(arguments)
    try:
        with stopped_by_signals():
            module = import_module(f"bulk_export.cli.{options.module}")
            return int(module.run(options))
    except BulkExportError as error:
        print(error, file=sys.stderr)
        return exit_code(error.code)
    except BrokenPipeError:
        sys.stderr.close()  # the reader (`| head`) has gone; Python must not complain while shutting down
        return DONE
    except KeyboardInterrupt as stop:
        print(f"Interrupted{f' by {stop}' if str(stop) else ''}.", file=sys.stderr)
        return FAILED
    except (OSError, MemoryError) as error:
        from bulk_export.storage.faults import machine_error

        print(machine_error(error, options.module), file=sys.stderr)
        return FAILED
    except Exception as error:
        traceback.print_exc()
        print(
            f"\nINTERNAL_ERROR: '{options.module}' ended with an unforeseen {type(error).__name__}.\n"
            "What to do: try again; if it happens again, report it with the lines above.",
            file=sys.stderr,
        )
        return FAILED


def parser() -> argparse.ArgumentParser:
    """Every command and option."""
    top = argparse.ArgumentParser(
        prog="bulk-export",
        description="Export contact-centre recordings, transcripts and metadata: complete, verifiable, audited.",
        epilog="Exit codes: 0 done, 1 failed or refused, 2 bad usage or definitions, 3 completed with errors.",
    )
    top.add_argument("--version", action="version", version=f"bulk-export {__version__}")
    top.add_argument(
        "--definitions",
        type=Path,
        default=default_folder(os.environ),
        metavar="DIR",
        help="folder with settings.yaml, searches/ and exports/ "
        f"(default: that of the environment variable {DEFINITIONS_VARIABLE}, else the project's)",
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, module: str, words: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
        added.set_defaults(module=module)
        return added

    validate = command("validate", "validate", "list every problem in every definition")
    validate.add_argument(
        "--stamp",
        nargs="*",
        metavar="EXPORT",
        help="write effective_from (now) into scheduled exports that lack it, or into these, whose schedule was edited",
    )

    command("check-store", "check_store", "check schema and sanity of the contact store")

    storage = command("check-storage", "check_storage", "check what may be done in a storage location")
    storage.add_argument("name", metavar="NAME", help="of a storage location in settings.yaml, or 'staging'")

    run = command("run", "run", "run a whole export through the same stages as its DAG")
    run.add_argument("export", metavar="EXPORT", help="id of a saved export: its file name without .yaml")
    run.add_argument("--as-of", metavar="TIME", help="moment relative dates are counted from (default: now)")
    run.add_argument("--limit", type=int, metavar="N", help="export at most N contacts")
    run.add_argument("--storage-location", metavar="NAME", help="deliver to another storage location")
    run.add_argument(
        "--from", dest="started_from", metavar="DAY", help="first day of contacts, instead of the search's"
    )
    run.add_argument("--until", dest="started_until", metavar="DAY", help="last day of contacts, included")
    run.add_argument("--dry-run", action="store_true", help="write and charge nothing; report what would be exported")
    run.add_argument(
        "--continue", dest="continues", metavar="RUN", help="export what the quota of that run did not reach"
    )
    run.add_argument("--resume", metavar="RUN", help="go on with a run that was killed or has failed")
    run.add_argument(
        "--retry-failed-of", metavar="RUN", help="export only the contacts which that run could not deliver"
    )
    run.add_argument("--json", action="store_true", help="print the audit record as JSON")

    verify = command("verify", "verify", "check delivered runs and report every fault at once")
    verify.add_argument("uris", nargs="+", metavar="URI", help="directory or bucket address of a run")
    verify.add_argument("--json", action="store_true", help="print the report as JSON; of several runs one per line")

    audit = command("audit", "audit", "read the audit; close what was killed")
    kinds = audit.add_subparsers(required=True, metavar="list|show|close|events", dest="audit_command")
    listing = kinds.add_parser("list", help="runs, newest first")
    listing.add_argument("--export", metavar="EXPORT", help="only runs of this export")
    listing.add_argument(
        "--status",
        type=str.upper,
        choices=[status.value for status in RunStatus],
        metavar="STATUS",
        help="only runs with this status",
    )
    listing.add_argument("--limit", type=int, default=20, metavar="N", help="at most N runs (default: 20)")
    listing.add_argument("--json", action="store_true", help="print the audit records as JSON, one per line")
    show = kinds.add_parser("show", help="one run")
    show.add_argument("run", metavar="RUN", help="run id, or run key")
    show.add_argument("--json", action="store_true", help="print the audit record as JSON")

    close = kinds.add_parser("close", help="close runs of this machine whose process was killed, give their quota back")
    close.add_argument("run", metavar="RUN", nargs="?", help="run id, or run key (default: all of them)")
    close.add_argument("--all", action="store_true", help="all of them, as without RUN")
    close.add_argument("--force", action="store_true", help="also RUN of a machine that is gone, or of Airflow")

    events = kinds.add_parser("events", help="who created, edited, triggered or was refused what, newest first")
    events.add_argument("--limit", type=int, default=20, metavar="N", help="at most N events (default: 20)")
    events.add_argument("--who", metavar="NAME", help="only events of this user")
    events.add_argument("--subject", metavar="TEXT", help="only events about this, such as 'export weekly-detractors'")
    events.add_argument("--json", action="store_true", help="print the events as JSON, one per line")

    sample = command("sample-store", "sample_store", "make a contact store to try things on")
    sample.add_argument("directory", type=Path, metavar="DIR")
    sample.add_argument("--contacts", type=int, required=True, metavar="N")
    sample.add_argument("--seed", type=int, default=0, metavar="S", help="same seed, same store (default: 0)")
    sample.add_argument("--until", metavar="TIME", help="moment after the newest contact (default: now)")
    sample.add_argument("--no-media", action="store_true", help="catalogue only")
    sample.add_argument("--dirt", action="store_true", help="break a few files, as real stores have them")
    sample.add_argument("--audio-bytes", type=int, metavar="N", help="calls only, with audio of about N bytes each")

    schema = command("schema", "schema", "print a published schema")
    schema.add_argument("name", choices=SCHEMAS)

    init = command("init", "init", "write DAG files and starting definitions, over nothing that is there")
    init.add_argument("directory", type=Path, metavar="DIR", help="made where it is missing")

    command("migrate", "migrate", "create or upgrade the state database")
    return top
