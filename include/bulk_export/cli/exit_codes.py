"""Which exit code an error ends in: the same whether it is raised or stands in the record of a run.

A contact store or a state database that cannot be used as it is counts as refused: no definition names what is wrong
with it. What somebody typed or wrote in a definition file is a code of `_BAD_DEFINITIONS`; a test finds one missing.
"""

from __future__ import annotations

DONE, FAILED, BAD_DEFINITIONS, WITH_ERRORS = 0, 1, 2, 3

_BAD_DEFINITIONS = frozenset(
    {
        "CONNECTION_UNKNOWN",
        "DEFINITIONS_MISSING",
        "DEFINITION_INVALID",
        "DEFINITION_UNKNOWN",
        "DEFINITION_UNREADABLE",
        "DIRECTORY_NOT_EMPTY",
        "EXPORT_UNKNOWN",
        "FILTER_INCOMPLETE",
        "KEY_INVALID",
        "NOTHING_LEFT",
        "PARAMETERS_INVALID",
        "RUN_UNKNOWN",
        "SAMPLE_ARGUMENTS",
        "SEARCH_UNKNOWN",
        "STATE_URL_INVALID",
        "STORAGE_INVALID",
        "STORAGE_UNKNOWN",
        "TIME_INVALID",
        "URI_UNSUPPORTED",
    }
)


def exit_code(error_code: str) -> int:
    """The exit code of an error: 2 for bad usage or definitions, 1 for everything else."""
    return BAD_DEFINITIONS if error_code in _BAD_DEFINITIONS else FAILED
