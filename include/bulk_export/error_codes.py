"""List every error code with its kind, cause and remedy.

A code is in the audit, in a run's page, in the answer of a page, and before the message of an error. Its text here is
the general case, for docs/error-codes.md; an error itself names the place. A test fails when a code is raised that is
not here, or is here and raised nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class ErrorKind(Enum):
    """What an error asks for; the value names its exception."""

    DEFINITION = "DefinitionError"  # fix the definition or argument
    INSTALLATION = "DefinitionError, of the installation"  # fix the installation
    REFUSED = "RefusedError"
    TRANSIENT = "TransientError"
    INTERNAL = "BulkExportError"
    REPORTED = ""  # no exception: what the pages and their health check answer

    @property
    def raised_as(self) -> str:
        """Name of the exception's class; empty where none is raised."""
        return self.value.partition(",")[0]


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One code.

    Attributes:
        code: the name that programs and the audit know.
        kind: what it asks for.
        cause: what has happened, one sentence.
        remedy: what to do about it, one or two sentences.
    """

    code: str
    kind: ErrorKind
    cause: str
    remedy: str


_VALIDATE = "Fix the lines named; `bulk-export validate` lists every problem."

_TEXTS: Mapping[ErrorKind, Mapping[str, tuple[str, str]]] = {
    ErrorKind.DEFINITION: {
        "CONNECTION_UNKNOWN": (
            "A definition names an Airflow connection that does not exist here.",
            "Add it under *Admin > Connections* or as `AIRFLOW_CONN_<NAME>`, or name another.",
        ),
        "DEFINITIONS_MISSING": (
            "The definitions folder does not exist.",
            "Name it with `--definitions` or `BULK_EXPORT_DEFINITIONS`.",
        ),
        "DEFINITION_INVALID": ("A definition file does not load.", _VALIDATE),
        "DEFINITION_UNKNOWN": (
            "There is no definition file of that name; somebody may have deleted it.",
            "Choose one of the list.",
        ),
        "DEFINITION_UNREADABLE": (
            "A definition file cannot be read: rights or disk.",
            "Give Airflow's user the right to read it.",
        ),
        "DIRECTORY_NOT_EMPTY": (
            "A sample store was asked for in a directory that has content.",
            "Name a new directory, or remove this one first.",
        ),
        "EXPORT_UNKNOWN": ("There is no saved export of that id.", "Name a file of `exports/`, without `.yaml`."),
        "FILTER_INCOMPLETE": (
            "A filter of the saved search has no field, no operator or no fitting value.",
            "Complete or remove the filters named.",
        ),
        "KEY_INVALID": (
            "A path in a storage location is not valid, or too long for it.",
            "Shorten the location's path or the export's name; use relative paths without `..`.",
        ),
        "NOTHING_LEFT": (
            "The run to continue or to retry has nothing left to export.",
            "`bulk-export audit show RUN` says what became of its contacts.",
        ),
        "PARAMETERS_INVALID": (
            "A parameter of the run is not valid.",
            "Correct those named; `bulk-export run --help` and the trigger form say what is valid.",
        ),
        "RUN_UNKNOWN": ("There is no run of that id in the audit.", "`bulk-export audit list` shows the runs."),
        "SAMPLE_ARGUMENTS": ("An argument of `bulk-export sample-store` is out of range.", "Correct those named."),
        "SEARCH_UNKNOWN": ("The saved export names a search that does not exist.", "Name one of `searches/`."),
        "STATE_URL_INVALID": (
            "`state.url` is no address of a database.",
            "Write `sqlite:///path/to/state.db` or `postgresql://user@host/database`.",
        ),
        "STORAGE_INVALID": (
            "A storage location cannot be opened as it is described.",
            "Correct the location in `settings.yaml`, or the options of its connection.",
        ),
        "STORAGE_UNKNOWN": ("There is no storage location of that name.", "Name one of `settings.yaml`."),
        "TIME_INVALID": ("An argument is not a time.", "Write `2026-11-23` or `2026-11-23T02:30Z`."),
        "URI_UNSUPPORTED": (
            "No storage can be opened at an address of this form.",
            "Give a path, `file://`, `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`.",
        ),
    },
    ErrorKind.INSTALLATION: {
        "CONNECTION_UNSUPPORTED": (
            "An Airflow connection is of a type that does not fit, cannot be read, or lacks what it is named for.",
            "Change the connection, or name another.",
        ),
        "DIRECTORY_UNWRITABLE": (
            "The directory for a sample store, or for starting definitions, cannot be made or written.",
            "Name one on a disk with room, whose parent you may write to.",
        ),
        "STORE_DRIVER_MISSING": (
            "The Python package for a contact store of this kind is not installed.",
            "Install the extra of that name, `bulk-contact-export[postgres]`.",
        ),
        "STATE_DRIVER_MISSING": (
            "The Python package for the state database is not installed.",
            "Install `bulk-contact-export[postgres]`, or use a `sqlite:///` address.",
        ),
        "STATE_INVALID": (
            "What `state.url` names is not a usable state database.",
            "Correct `state.url`, or restore the database from a backup.",
        ),
        "STATE_NOT_MIGRATED": ("The state database has no tables yet.", "Run `bulk-export migrate`."),
        "STATE_TOO_NEW": (
            "A newer release has migrated the state database.",
            "Install that release on this machine too.",
        ),
        "STORE_INVALID": (
            "The contact store cannot be read as it is: columns, types, contacts that occur twice.",
            "`bulk-export check-store` names everything that does not fit.",
        ),
        "STORE_UNSUPPORTED": (
            "The contact store's server is too old, or its database is not UTF8.",
            "Use PostgreSQL 13 or newer, a UTF8 database, and ICU or PostgreSQL 17.",
        ),
    },
    ErrorKind.REFUSED: {
        "ALREADY_EXISTS": ("There is a definition file of that name.", "Choose another name."),
        "CONVERTER_UNAVAILABLE": (
            "Media cannot be converted: a library is missing or does not load.",
            "Install the product's requirements (PyAV), or ask for `original`.",
        ),
        "EDIT_UNSEEN": (
            "Somebody else changed or deleted the definition since it was opened.",
            "Look at both versions, then save again or load theirs.",
        ),
        "GRANT_CHANGED": (
            "Only failed tasks were cleared, and other runs have taken quota meanwhile.",
            "Clear the run from `check_quota` on, with everything downstream.",
        ),
        "IN_USE": ("Saved exports use the search that was to be deleted.", "Change or delete them first."),
        "LICENCE_NONE": (
            "The environment has no bulk export licence.",
            "Set `licence.type` in `settings.yaml` once one is assigned.",
        ),
        "NOTIFY_REFUSED": (
            "The receiver of a webhook refuses the request.",
            "Check the address and the secret in the export's `notify`.",
        ),
        "PREVIEW_LIMIT": ("Too many previews within a minute.", "Try again a minute later."),
        "QUOTA_EXCEEDED": (
            "More contacts match than the day's quota has left, and the export says `fail`.",
            "Run it on another day, narrow the search, or set `on_quota_exceeded` to `continue`.",
        ),
        "READ_ONLY": (
            "The definitions folder cannot be written from the pages.",
            "Make the change where the definitions are managed, such as in git.",
        ),
        "RUN_ACTIVE": (
            "A run of the export is under way or queued, or the run that is to be closed or resumed is still at work.",
            "Wait until it has ended, or mark the DAG run as failed; `bulk-export audit close RUN` closes one that was "
            "killed.",
        ),
        "SCRATCH_DENIED": (
            "`bulk-export-<user id>` in the temporary directory is not the worker's own.",
            "Remove it, or set `TMPDIR` to a folder that only the worker's user may write to.",
        ),
        "STORAGE_CONFLICT": (
            "Something else has written other content to a key of this run.",
            "See what it is and remove it, or run the export again as a new run.",
        ),
        "STORAGE_DENIED": (
            "A right to read, list, write or delete in a storage is missing.",
            "`bulk-export check-storage NAME` says which; then clear the run, and it goes on from where it stopped.",
        ),
        "STORAGE_MISSING": (
            "The directory or bucket of a storage location does not exist.",
            "Create it, or correct the storage location.",
        ),
        "STORE_DENIED": (
            "The contact store refuses the sign-in or the right to read.",
            "Check the connection's user, and give it the right to list and read.",
        ),
        "STRAY_FILES": (
            "An interrupted attempt left files, or a wrong marker, in the run's directory that may not be deleted.",
            "Delete what is named, or run the export again as a new run.",
        ),
    },
    ErrorKind.TRANSIENT: {
        "CONVERTER_FAILED": (
            "Processes that convert media do not start, or were stopped.",
            "Check memory and processes of the worker; the task is tried again.",
        ),
        "FILES_MISSING": (
            "Files that were delivered to the unfinished directory are gone or were truncated.",
            "Clear the run's `copy_media`, `export_transcripts` and `build_csv`: what is missing is delivered again.",
        ),
        "INTERRUPTED": (
            "The run's task was killed, timed out, lost its machine, or was overtaken by another attempt.",
            "Clear the run if it has failed: nothing is delivered or charged twice.",
        ),
        "ITEMS_INCOMPLETE": (
            "A job's results do not cover each of its contacts.",
            "Clear the job's `copy_media` and `export_transcripts`, then publish again.",
        ),
        "NOTIFY_FAILED": (
            "The receiver of a webhook or the mail server does not answer.",
            "Check that it is up; the task is tried again.",
        ),
        "SCRATCH_FAILED": (
            "Unfinished files cannot be written on this machine, or not read again: broken or read-only disk.",
            "Check the disk and the rights of the folder named, then clear the run.",
        ),
        "SCRATCH_FULL": (
            "There is no room left for unfinished files, or in the staging area.",
            "Make room on the disk of the path named, or move `staging` to a larger one, then clear the run.",
        ),
        "STAGING_LOST": (
            "Files of the staging area are gone or torn, such as by a power cut.",
            "Clear the run: what is lost is made anew, and nothing is delivered or charged twice.",
        ),
        "STATE_UNREACHABLE": (
            "The state database did not answer.",
            "Check that it runs, can be reached, has room, and that nothing keeps it locked.",
        ),
        "STORAGE_CLOCK": ("The storage refuses requests because this machine's clock is wrong.", "Set it (NTP)."),
        "STORAGE_EXPIRED": ("The credentials of a storage have expired.", "Renew those of its connection."),
        "STORAGE_FULL": (
            "There is no room left in a storage, or a quota of it is used up.",
            "Make room, then clear the run: what is delivered is not sent twice.",
        ),
        "STORAGE_UNREACHABLE": (
            "A storage did not answer, or broke off.",
            "Check network and service, then clear the run if retries did not help.",
        ),
        "STORE_TIMEOUT": (
            "A query of the contact store took too long, or waited for a lock.",
            "Add an index, narrow the search, or raise `statement_timeout_s`.",
        ),
        "STORE_UNREACHABLE": (
            "The contact store could not be read.",
            "Check that it is up, and host and port of its connection.",
        ),
        "MACHINE_EXHAUSTED": (
            "The machine has no memory, open files, threads or processes left.",
            "Raise its limits or run fewer tasks at once, then clear the run.",
        ),
        "MACHINE_FAILED": (
            "The machine's operating system refused what the run needs of it.",
            "Check the disk and the rights of what is named, and the system's log, then clear the run.",
        ),
    },
    ErrorKind.INTERNAL: {
        "INTERNAL_ERROR": (
            "Something ended in an unforeseen way.",
            "The log has the details; a retry may help. Report it if it happens again.",
        ),
    },
    ErrorKind.REPORTED: {
        "MAINTENANCE_OVERDUE": (
            "The maintenance DAG has not succeeded for more than half an hour.",
            "See the log of its last run, and whether it is paused.",
        ),
        "MAINTENANCE_MISSING": ("The maintenance DAG has never succeeded.", "Unpause `bulk_export_maintenance`."),
        "NO_ANSWER": ("A health check had no answer in time.", "See whether the place it names answers."),
        "REQUEST_INVALID": ("A request to a page has a wrong parameter.", "Correct those named."),
        "RUN_HANGS": ("Runs have been open for more than a day.", "See their pages; clear or fail their DAG runs."),
        "UNFORESEEN": ("A health check ended in an unforeseen way.", "See the log of the API server."),
    },
}

ERROR_CODES: Mapping[str, ErrorCode] = {
    code: ErrorCode(code, kind, cause, remedy)
    for kind, texts in _TEXTS.items()
    for code, (cause, remedy) in texts.items()
}
