"""Write docs/error-codes.md from the tables of error codes and reasons.

`make docs` runs it; a test fails when the document is not what it writes.
"""

from __future__ import annotations

from pathlib import Path

from bulk_export.cli.exit_codes import BAD_DEFINITIONS, DONE, FAILED, WITH_ERRORS
from bulk_export.error_codes import ERROR_CODES, ErrorKind
from bulk_export.reasons import MEANINGS
from markdown_table import table
from output_reference import counts_as

PAGE = Path(__file__).resolve().parents[1] / "docs" / "error-codes.md"

INTRODUCTION = f"""\
# Error and reason codes

Written by `make docs` from `include/bulk_export/error_codes.py` and `reasons.py`; edit those, not this page.

An **error code** says why a run, a command or a request to a page ended. It is in the audit, on the run's page, in
Airflow's task log and before the message of the command line; the message names the place and what to do there. A
**reason code** says why something of one contact is not in the directory; it never fails a run.

Exit codes of the command line: {DONE} done, {WITH_ERRORS} done but some contacts could not be delivered,
{BAD_DEFINITIONS} for the first table, {FAILED} for everything else.
"""

SECTIONS = {
    ErrorKind.DEFINITION: (
        "What somebody wrote or typed",
        "`DefinitionError`: fix the definition or the argument. Never retried.",
    ),
    ErrorKind.INSTALLATION: (
        "The installation",
        "`DefinitionError`, too: somebody has to fix what is installed or connected. Never retried.",
    ),
    ErrorKind.REFUSED: (
        "Refused",
        "`RefusedError`: the licence, the quota, a right or another person's work says no. Never retried.",
    ),
    ErrorKind.TRANSIENT: (
        "Transient",
        "`TransientError`: it may go well a minute later. Airflow retries the task three times.",
    ),
    ErrorKind.INTERNAL: ("Unforeseen", "Anything else, with its details in the log only."),
    ErrorKind.REPORTED: (
        "Pages and health check",
        "What a page or `/bulk-export/health` answers beside the codes above; no run ends with it.",
    ),
}


def codes_page() -> str:
    """The whole of docs/error-codes.md."""
    return "\n".join([INTRODUCTION, *(_errors(kind) for kind in ErrorKind), _reasons()])


def _errors(kind: ErrorKind) -> str:
    heading, words = SECTIONS[kind]
    rows = [(f"`{known.code}`", known.cause, known.remedy) for known in ERROR_CODES.values() if known.kind is kind]
    return f"## {heading}\n\n{words}\n\n{table(('code', 'cause', 'what to do'), sorted(rows))}"


def _reasons() -> str:
    rows = [
        (f"`{reason}`", counts_as(reason), meaning.words, meaning.remedy or "Nothing.")
        for reason, meaning in MEANINGS.items()
    ]
    return (
        "## Reasons of contacts\n\n"
        "Each contact that is not `delivered` has one deciding reason in `items.csv`, which the audit counts.\n\n"
        + table(("reason", "the contact is", "cause", "what to do"), rows)
    )


def main() -> None:
    """Write the document."""
    PAGE.write_text(codes_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
